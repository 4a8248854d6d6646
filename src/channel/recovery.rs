//! Brings the channel back to command mode, from whatever state the module's command parser may be in.

use std::time::{Duration, Instant};

use crate::at::framer::is_final_result;
use crate::at::transmit_buffer::Outbox;
use crate::inbound::LONGEST_PAYLOAD;

/// Test forms whose answers cannot be mistaken for anything else's.
const FENCES: [&str; 8] = [
    "CMQTTDISC",
    "CMQTTUNSUB",
    "CMQTTTOPIC",
    "CMQTTREL",
    "CMQTTACCQ",
    "CMQTTPAYLOAD",
    "CMQTTSUB",
    "CMQTTPUB",
];
/// In one recovery; so that two in a row are told apart.
const TRIES: usize = 4;
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
    byte_time: Duration,
}

/// Another fence each time, so that a late answer to an earlier one is not taken for the last one's.
#[derive(Debug, Default)]
pub(crate) struct Fences {
    sent: usize,
    /// Was asked for in vain just before: its answer may come late too.
    pub(crate) avoided: Vec<u8>,
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
        name: &'static str,
        left: usize,
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
    pub(crate) fn opening(byte_time: Duration, outbox: &mut Outbox, now: Instant) -> Self {
        outbox.push_line(b"AT");
        Self {
            stage: Stage::Probing { left: PROBES - 1 },
            next: now + PROBE_TIME,
            is_opening: true,
            echoed: false,
            byte_time,
        }
    }

    /// After a command without an answer. `filling` is for the bytes of data that may still be waited for, and harmless
    /// where they are not.
    pub(crate) fn after_silence(
        filling: &[u8],
        byte_time: Duration,
        fences: &mut Fences,
        outbox: &mut Outbox,
        now: Instant,
    ) -> Self {
        outbox.push_raw(filling);
        let stage = Stage::Probing { left: 0 };
        let mut recovery = Self { stage, next: now, is_opening: false, echoed: false, byte_time };
        recovery.fence(TRIES, fences, outbox, now);
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

    pub(crate) fn handle_line(
        &mut self,
        line: &[u8],
        fences: &mut Fences,
        outbox: &mut Outbox,
        now: Instant,
    ) -> Option<Progress> {
        let is_final = is_final_result(line);
        match &mut self.stage {
            Stage::Probing { left } if line == b"OK" && self.echoed && *left == PROBES - 1 => {
                Some(Progress::Recovered)
            }
            Stage::Probing { .. } | Stage::Filling { .. } if is_final => {
                self.fence(TRIES, fences, outbox, now);
                Some(Progress::Ongoing)
            }
            Stage::Fencing { name, answered, refused, .. } => {
                if FENCES.iter().any(|fence| is_answer_of(fence, line)) {
                    *answered = is_answer_of(name, line);
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

    pub(crate) fn handle_timeout(
        &mut self,
        fences: &mut Fences,
        outbox: &mut Outbox,
        now: Instant,
    ) -> Progress {
        if self.next > now {
            return Progress::Ongoing;
        }
        if !outbox.is_empty() {
            // It has not even been asked: a message is coming in, or the port takes nothing.
            self.next = now + FENCE_TIME;
            return Progress::Ongoing;
        }
        match self.stage {
            Stage::Probing { left: 0 } => self.fill(LONGEST_PAYLOAD, outbox, now),
            Stage::Probing { left } => {
                outbox.push_line(b"AT");
                self.stage = Stage::Probing { left: left - 1 };
                self.wait(PROBE_TIME, outbox, now);
            }
            Stage::Filling { left: 0 } => return Progress::Mute,
            Stage::Filling { left } => self.fill(left, outbox, now),
            // A module without an MQTT stack refuses the fence: that is an answer too, if the last one there is.
            Stage::Fencing { left: 0, refused, .. } => {
                return if refused { Progress::Recovered } else { Progress::Mute };
            }
            Stage::Fencing { left, refused, .. } => {
                self.fence(left, fences, outbox, now);
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
        self.wait(FILL_TIME, outbox, now);
    }

    fn fence(&mut self, tries: usize, fences: &mut Fences, outbox: &mut Outbox, now: Instant) {
        let name = fences.next();
        outbox.push_line(format!("AT+{name}=?").as_bytes());
        self.stage = Stage::Fencing { name, left: tries - 1, answered: false, refused: false };
        self.wait(FENCE_TIME, outbox, now);
    }

    /// For an answer to what is in the outbox.
    fn wait(&mut self, time: Duration, outbox: &Outbox, now: Instant) {
        let bytes = u32::try_from(outbox.len()).unwrap_or(u32::MAX);
        self.next = now + time + self.byte_time * bytes;
    }
}

impl Fences {
    fn next(&mut self) -> &'static str {
        loop {
            let name = FENCES[self.sent % FENCES.len()];
            self.sent += 1;
            if name.as_bytes() != self.avoided {
                return name;
            }
        }
    }
}

/// The information response of a test form, which begins with a range: `+CMQTTDISC: (0-1),…`.
fn is_answer_of(name: &str, line: &[u8]) -> bool {
    line.strip_prefix(b"+")
        .and_then(|rest| rest.strip_prefix(name.as_bytes()))
        .and_then(|rest| rest.strip_prefix(b":"))
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"("))
}
