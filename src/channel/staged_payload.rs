//! What the module may hold that nobody wants: a payload that was not published, and what filling up a data entry left.

use std::time::{Duration, Instant};

use super::engine::Engine;
use super::event::Event;
use super::job::{Job, Owner, Pending};
use crate::at::parameters::Value;
use crate::at::{ClientIndex, Command, CommandLine, CommandName, Operation};
use crate::channel::{Failure, Transaction};

/// Not UTF-8, and no AT command.
const REFUSED: u8 = 0xFF;
/// How long an undoing command may wait for its turn and its answer.
const UNDO_TIME: Duration = Duration::from_secs(60);

/// Which clients may hold a payload: entered, and not published yet. The module has no command that clears it.
#[derive(Debug)]
pub(crate) struct Staging {
    payload: [bool; 2],
}

impl Default for Staging {
    /// Whoever used the module before may have left one behind.
    fn default() -> Self {
        Self { payload: [true; 2] }
    }
}

impl Staging {
    pub(crate) fn data_entered(&mut self, line: &CommandLine) {
        if let (CommandName::Payload, Some(client)) = (line.kind().name, line.client()) {
            self.payload[client.slot()] = true;
        }
    }

    /// PUB clears topic and payload; so does what begins or ends the client.
    pub(crate) fn accepted(&mut self, line: &CommandLine) {
        match (line.kind().name, line.client()) {
            (CommandName::Publish | CommandName::Acquire | CommandName::Release, Some(client)) => {
                self.payload[client.slot()] = false;
            }
            (CommandName::Stop, _) => self.payload = [false; 2],
            _ => {}
        }
    }

    pub(crate) fn module_restarted(&mut self) {
        self.payload = [false; 2];
    }

    /// An empty publish, which is a PUB without PAYLOAD, would send what the module still holds.
    pub(crate) fn spoils(&self, job: &Job) -> bool {
        let Some(client) = job.commands.iter().find_map(Command::client) else { return false };
        let has = |name| job.commands.iter().any(|command| command.kind().name == name);
        let is_empty_publish =
            has(CommandName::Topic) && has(CommandName::Publish) && !has(CommandName::Payload);
        self.payload[client.slot()] && is_empty_publish
    }
}

/// Fills up the data entry of a command that was given up: with empty lines, which are harmless in command mode.
///
/// But a broker hangs up on a client that names such a topic, and of a topic that lost bytes on the way nobody knows what
/// to unsubscribe. One that is not UTF-8 is refused by the module itself, unless the client checks no topics.
pub(crate) fn filling_for(line: &CommandLine, length: usize) -> Vec<u8> {
    if length == 0 || !matches!(line.kind().name, CommandName::Subscribe | CommandName::Unsubscribe) {
        return vec![b'\r'; length];
    }
    let mut filling = vec![REFUSED; length];
    filling.push(b'\r');
    filling
}

impl Engine {
    pub(crate) fn refuse_spoiled(&mut self, job: Job) {
        let failure = Failure::PayloadHeld { command: job.named() };
        self.finish(job, Err(failure));
    }

    /// A data entry is being filled up: what that leaves on the module must have no effect.
    pub(crate) fn undo_filling(&mut self, command: &Command, now: Instant) {
        let line = &command.line;
        self.staging.data_entered(line);
        self.events.push_back(Event::DataEntryAborted(line.clone()));
        if line.kind().name == CommandName::UploadCertificate {
            let name = line.parameters().get(0).map(Value::bytes).unwrap_or_default();
            self.undo(Command::new([b"AT+CCERTDELE=\"", name, b"\""].concat()), now);
        }
    }

    /// The module subscribed after all, to what its topic was filled up with.
    pub(crate) fn undo_subscription(&mut self, pending: &Pending) {
        let Some(length) = pending.filled.filter(|_| pending.operation == Operation::Subscribe) else {
            return;
        };
        let Some(client) = pending.job.command().client() else { return };
        let line = format!("AT+CMQTTUNSUB={},{length},0", ClientIndex::number(client));
        self.undo(Command::new(line).with_data(vec![REFUSED; length]), pending.expires);
    }

    fn undo(&mut self, command: Command, now: Instant) {
        let transaction = Transaction::single(command, UNDO_TIME).retrying_while_busy().timed_from_start();
        self.queues.push_front(Job::new(Owner::Nobody, transaction, now));
    }
}
