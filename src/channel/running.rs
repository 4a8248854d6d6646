//! The command on the channel, and how far it has come.

use std::time::{Duration, Instant};

use super::channel_state::MOST_LINES;
use super::job::Job;
use crate::at::parameters::Parameters;
use crate::at::urc::client_and_code;
use crate::at::{ClientIndex, Form, Operation, ResultCode};
use crate::channel::Awaited;

/// A module that has just rebooted does not answer what was asked before.
const BOOT_GRACE: Duration = Duration::from_millis(500);
/// `AT+CMQTTSUB?` lists bare topics, so its end is the `OK` before the answer to this.
pub(crate) const LISTING_FENCE_NAME: &[u8] = b"CMQTTDISC";
pub(crate) const LISTING_FENCE: &str = "AT+CMQTTDISC=?";

#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) job: Job,
    pub(crate) phase: Phase,
    /// Its line has left for the port: what came before is no answer to it.
    pub(crate) is_written: bool,
    pub(crate) lines: Vec<Vec<u8>>,
    /// The operation's result, where it came before the final result code.
    pub(crate) result: Option<ResultCode>,
    /// A result that came while one given up before was still owed: the final result code tells whose it is.
    pub(crate) contested: Option<(ResultCode, Vec<u8>)>,
    pub(crate) limit: Instant,
    /// A boot banner came meanwhile: whether the module restarted is yet to be found out.
    pub(crate) met_banner: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its line is yet to be written.
    Ready,
    AwaitingPrompt,
    /// The prompt came; the data is yet to be written.
    Prompted,
    AwaitingFinal,
    /// The topics of `AT+CMQTTSUB?`, until the fence answers.
    Listing {
        fenced: bool,
    },
    /// The fence answered: its own `OK` is left.
    ListingOver,
}

impl Running {
    pub(crate) fn new(job: Job) -> Self {
        let limit = job.deadline;
        Self {
            job,
            phase: Phase::Ready,
            is_written: false,
            lines: Vec::new(),
            result: None,
            contested: None,
            limit,
            met_banner: false,
        }
    }

    /// Its line is written, or is being written.
    fn is_begun(&self) -> bool {
        self.phase != Phase::Ready
    }

    pub(crate) fn awaits_answer(&self) -> bool {
        self.is_begun() && self.is_written
    }

    /// Read forms own what carries their prefix, though it may look like a result. No topic filter looks like one.
    pub(crate) fn takes_before_results(&self, line: &[u8], is_result: bool, is_owed: bool) -> bool {
        let command = self.job.command();
        match self.phase {
            _ if !self.awaits_answer() => false,
            Phase::Listing { .. } => !is_owed,
            _ if is_result && command.kind().resembled_operation().is_none() => false,
            _ => matches!(command.form(), Form::Read | Form::Test) && command.line.owns(line),
        }
    }

    pub(crate) fn operation(&self) -> Option<(Operation, Option<ClientIndex>)> {
        self.is_begun()
            .then(|| self.job.command().kind().operation())?
            .map(|operation| (operation, self.job.command().client()))
    }

    pub(crate) fn note_result(&mut self, code: ResultCode, line: &[u8]) {
        self.result.get_or_insert(code);
        if self.lines.len() < MOST_LINES {
            self.lines.push(line.to_vec());
        }
    }

    /// The result that came though its final result code did not. A success is not its own before its data was entered.
    pub(crate) fn lone_result(&self) -> Option<ResultCode> {
        let is_entered = !matches!(self.phase, Phase::AwaitingPrompt | Phase::Prompted);
        self.result.filter(|code| !code.is_success() || is_entered)
    }

    /// Returns the one noted before, which so belongs to the operation given up.
    pub(crate) fn note_contested_result(
        &mut self,
        code: ResultCode,
        line: &[u8],
    ) -> Option<(ResultCode, Vec<u8>)> {
        if code == ResultCode::CLIENT_IS_BUSY || self.contested.is_some() {
            self.note_result(code, line);
            return self.contested.take();
        }
        self.contested = Some((code, line.to_vec()));
        None
    }

    pub(crate) fn owns_echo(&self, line: &[u8]) -> bool {
        match self.phase {
            Phase::Ready => false,
            Phase::Listing { .. } | Phase::ListingOver => {
                line == LISTING_FENCE.as_bytes()
                    || (self.lines.is_empty() && line == self.job.command().line.bytes())
            }
            _ => line == self.job.command().line.bytes().trim_ascii_end(),
        }
    }

    /// The result code that a refused command carries on a line of its own, `+CMQTT…: <client_index>,<err>`.
    pub(crate) fn refusal_code(&self) -> Option<ResultCode> {
        let name = self.job.command().line.name();
        let own = self.lines.iter().rev().find_map(|line| Parameters::of_information(line, name))?;
        client_and_code(own).map(|(_, code)| code)
    }

    /// Bytes of data that the module may still be waiting for.
    pub(crate) fn owed_data(&self) -> usize {
        match &self.job.command().data {
            Some(data) => data.bytes.len(),
            None => 0,
        }
    }

    pub(crate) fn awaited(&self) -> Awaited {
        match self.phase {
            Phase::Ready => Awaited::Channel,
            Phase::AwaitingPrompt | Phase::Prompted => Awaited::Prompt,
            _ => Awaited::FinalResult,
        }
    }

    /// No answer is owed before this any longer.
    pub(crate) fn shorten(&mut self, now: Instant) {
        if self.is_begun() {
            self.limit = self.limit.min(now + BOOT_GRACE);
            self.met_banner = true;
        }
    }
}
