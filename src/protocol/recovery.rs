//! Brings the channel back to command mode, from whatever state the module's command parser may be in.

use std::time::{Duration, Instant};

use super::framer::is_final_result;
use super::outbox::Outbox;
use super::reassembly::LONGEST_PAYLOAD;

/// Test forms whose answers cannot be mistaken for anything else's; another one each time, so that a late answer to an
/// earlier one cannot be taken for the last one's.
const FENCES: [&str; 4] = ["CMQTTDISC", "CMQTTUNSUB", "CMQTTTOPIC", "CMQTTREL"];
const FENCE_TIME: Duration = Duration::from_secs(1);
const PROBE_TIME: Duration = Duration::from_millis(500);
const PROBES: usize = 6;
const FILL_BLOCK: usize = 1024;
const FILL_TIME: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Recovery {
    stage: Stage,
    next: Instant,
    is_opening: bool,
    /// The module echoed what was just asked, so the answer that follows is to that.
    echoed: bool,
}

#[derive(Debug)]
enum Stage {
    /// `AT` until something answers.
    Probing {
        left: usize,
    },
    /// Somebody died in data entry: empty lines until the module has what it waits for.
    Filling {
        left: usize,
    },
    Fencing {
        sent: usize,
        answered: bool,
        refused: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Ongoing,
    Recovered,
    Mute,
}

impl Recovery {
    /// For a port just opened.
    pub(crate) fn opening(outbox: &mut Outbox, now: Instant) -> Self {
        outbox.push_line(b"AT");
        Self {
            stage: Stage::Probing { left: PROBES - 1 },
            next: now + PROBE_TIME,
            is_opening: true,
            echoed: false,
        }
    }

    /// After a command without an answer. `owed` bytes of data may still be waited for: they are filled with empty lines,
    /// which are harmless where they are not.
    pub(crate) fn after_silence(owed: usize, outbox: &mut Outbox, now: Instant) -> Self {
        outbox.push_carriage_returns(owed);
        let mut recovery =
            Self { stage: Stage::Probing { left: 0 }, next: now, is_opening: false, echoed: false };
        recovery.fence(0, outbox, now);
        recovery
    }

    pub(crate) fn poll_timeout(&self) -> Instant {
        self.next
    }

    /// The line last written, which the module may echo.
    pub(crate) fn owns_echo(line: &[u8]) -> bool {
        line == b"AT" || line.strip_prefix(b"AT+").is_some_and(|rest| rest.ends_with(b"=?"))
    }

    /// The echo of the first `AT` proves that the `OK` behind it is its own: no fence is needed.
    pub(crate) fn note_echo(&mut self) {
        self.echoed = true;
    }

    pub(crate) fn handle_line(&mut self, line: &[u8], outbox: &mut Outbox, now: Instant) -> Option<Progress> {
        let is_final = is_final_result(line);
        match &mut self.stage {
            Stage::Probing { left } if line == b"OK" && self.echoed && *left == PROBES - 1 => {
                Some(Progress::Recovered)
            }
            Stage::Probing { .. } | Stage::Filling { .. } if is_final => {
                self.fence(0, outbox, now);
                Some(Progress::Ongoing)
            }
            Stage::Fencing { sent, answered, refused } => {
                if is_answer_of(FENCES[*sent], line) {
                    *answered = true;
                    return Some(Progress::Ongoing);
                }
                if !is_final {
                    return None;
                }
                if *answered {
                    return Some(Progress::Recovered);
                }
                *refused |= line != b"OK";
                Some(Progress::Ongoing)
            }
            _ => None,
        }
    }

    pub(crate) fn handle_timeout(&mut self, outbox: &mut Outbox, now: Instant) -> Progress {
        if self.next > now {
            return Progress::Ongoing;
        }
        match self.stage {
            Stage::Probing { left: 0 } => self.fill(LONGEST_PAYLOAD, outbox, now),
            Stage::Probing { left } => {
                outbox.push_line(b"AT");
                self.stage = Stage::Probing { left: left - 1 };
                self.next = now + PROBE_TIME;
            }
            Stage::Filling { left: 0 } => return Progress::Mute,
            Stage::Filling { left } => self.fill(left, outbox, now),
            // A module without an MQTT stack refuses the fence: that is an answer too, if the last one there is.
            Stage::Fencing { sent, refused, .. } if sent + 1 == FENCES.len() => {
                return if refused { Progress::Recovered } else { Progress::Mute };
            }
            Stage::Fencing { sent, refused, .. } => {
                self.fence(sent + 1, outbox, now);
                if let Stage::Fencing { refused: again, .. } = &mut self.stage {
                    *again = refused;
                }
            }
        }
        Progress::Ongoing
    }

    pub(crate) fn is_opening(&self) -> bool {
        self.is_opening
    }

    fn fill(&mut self, left: usize, outbox: &mut Outbox, now: Instant) {
        let block = left.min(FILL_BLOCK);
        outbox.push_carriage_returns(block);
        if left == block {
            outbox.push_line(b"AT");
        }
        self.stage = Stage::Filling { left: left - block };
        self.next = now + FILL_TIME;
    }

    fn fence(&mut self, number: usize, outbox: &mut Outbox, now: Instant) {
        outbox.push_line(format!("AT+{}=?", FENCES[number]).as_bytes());
        self.stage = Stage::Fencing { sent: number, answered: false, refused: false };
        self.next = now + FENCE_TIME;
    }
}

/// The information response of a test form, which begins with a range: `+CMQTTDISC: (0-1),…`.
fn is_answer_of(name: &str, line: &[u8]) -> bool {
    line.strip_prefix(b"+")
        .and_then(|rest| rest.strip_prefix(name.as_bytes()))
        .and_then(|rest| rest.strip_prefix(b":"))
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"("))
}
