//! Brings the module back to command mode, whatever state its command parser is in.
//!
//! ```text
//! port opened                              command timed out
//!      │                                          │
//!   probing: AT, six times                  padding, if data may be missing
//!      │ OK or ERROR      │ nothing               │
//!      │                padding: 10240 × CR, AT   │
//!      │                  │ OK or ERROR           │
//!      └────────┬─────────┘                       │
//!           syncing: a sync probe, four times  ◄──┘
//!               │ its answer, then OK      │ nothing
//!           recovered                    mute
//! ```
//!
//! The echo of the first `AT` proves that the `OK` behind it is its own: then no sync probe is needed.

use std::time::{Duration, Instant};

use super::sync_probe::{SyncProbe, SyncProbes};
use super::wire::Wire;
use crate::at::final_result::{is_final_result, reads_like_error};
use crate::inbound::LONGEST_PAYLOAD;

/// Sync probes in one recovery.
const SYNC_TRIES: usize = 4;
const SYNC_TIME: Duration = Duration::from_secs(1);
const PROBES: usize = 6;
const PROBE_TIME: Duration = Duration::from_millis(500);
const PADDING_BLOCK: usize = 1024;
const PADDING_TIME: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct Recovery {
    stage: Stage,
    next: Instant,
    is_opening: bool,
    /// The module echoed the last question, so the answer that follows is its own.
    is_echoed: bool,
}

#[derive(Debug)]
enum Stage {
    /// `AT`, until something answers.
    Probing {
        left: usize,
    },
    /// A program ended in the middle of a data entry: empty lines, until the module has all bytes.
    Padding {
        left: usize,
    },
    Syncing {
        probe: SyncProbe,
        left: usize,
        is_answered: bool,
        is_refused: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Ongoing,
    Recovered,
    Mute,
}

impl Recovery {
    /// Begins on a port that was just opened.
    pub(super) fn opening(wire: &mut Wire, now: Instant) -> Self {
        wire.push_line(b"AT");
        let next = now + PROBE_TIME;
        Self { stage: Stage::Probing { left: PROBES - 1 }, next, is_opening: true, is_echoed: false }
    }

    /// Begins after a command without an answer. `padding` is for the bytes of data that the module may still wait for.
    pub(super) fn after_timeout(
        padding: &[u8],
        probes: &mut SyncProbes,
        wire: &mut Wire,
        now: Instant,
    ) -> Self {
        wire.push_padding(padding);
        let stage = Stage::Probing { left: 0 };
        let mut recovery = Self { stage, next: now, is_opening: false, is_echoed: false };
        recovery.sync(SYNC_TRIES, probes, wire, now);
        recovery
    }

    pub(super) fn is_opening(&self) -> bool {
        self.is_opening
    }

    pub(super) fn poll_timeout(&self) -> Instant {
        self.next
    }

    /// `line` may be the echo of what was written.
    pub(super) fn owns_echo(line: &[u8]) -> bool {
        line == b"AT" || line.strip_prefix(b"AT+").is_some_and(|rest| rest.ends_with(b"=?"))
    }

    pub(super) fn handle_echo(&mut self) {
        self.is_echoed = true;
    }

    /// Returns `None` if the line is no answer to what was asked.
    pub(super) fn handle_line(
        &mut self,
        line: &[u8],
        probes: &mut SyncProbes,
        wire: &mut Wire,
        now: Instant,
    ) -> Option<Progress> {
        let is_final = is_final_result(line);
        match &mut self.stage {
            Stage::Probing { left } if line == b"OK" && self.is_echoed && *left == PROBES - 1 => {
                Some(Progress::Recovered)
            }
            Stage::Probing { .. } | Stage::Padding { .. } if is_final => {
                self.sync(SYNC_TRIES, probes, wire, now);
                Some(Progress::Ongoing)
            }
            Stage::Syncing { probe, is_answered, is_refused, .. } => {
                if SyncProbe::is_any_answered_by(line) {
                    *is_answered = probe.is_answered_by(line);
                    return Some(Progress::Ongoing);
                }
                // A module that refuses in words of its own answers, too.
                *is_refused |= reads_like_error(line);
                if !is_final {
                    return None;
                }
                if *is_answered {
                    return Some(Progress::Recovered);
                }
                *is_refused |= line != b"OK";
                Some(Progress::Ongoing)
            }
            _ => None,
        }
    }

    pub(super) fn handle_timeout(
        &mut self,
        probes: &mut SyncProbes,
        wire: &mut Wire,
        now: Instant,
    ) -> Progress {
        if self.next > now {
            return Progress::Ongoing;
        }
        if wire.has_unwritten() {
            // The question has not even left: a message is coming in, or the port takes nothing.
            self.next = now + SYNC_TIME;
            return Progress::Ongoing;
        }
        match self.stage {
            Stage::Probing { left: 0 } => self.pad(LONGEST_PAYLOAD, wire, now),
            Stage::Probing { left } => {
                wire.push_line(b"AT");
                self.stage = Stage::Probing { left: left - 1 };
                self.wait(PROBE_TIME, wire, now);
            }
            Stage::Padding { left: 0 } => return Progress::Mute,
            Stage::Padding { left } => self.pad(left, wire, now),
            // A module without an MQTT stack refuses the probe. That is an answer too, if no better one comes.
            Stage::Syncing { left: 0, is_refused, .. } => {
                return if is_refused { Progress::Recovered } else { Progress::Mute };
            }
            Stage::Syncing { left, is_refused: was_refused, .. } => {
                self.sync(left, probes, wire, now);
                if let Stage::Syncing { is_refused, .. } = &mut self.stage {
                    *is_refused = was_refused;
                }
            }
        }
        Progress::Ongoing
    }

    fn pad(&mut self, left: usize, wire: &mut Wire, now: Instant) {
        let block = left.min(PADDING_BLOCK);
        wire.push_padding(&[b'\r'; PADDING_BLOCK][..block]);
        if left == block {
            wire.push_line(b"AT");
        }
        self.stage = Stage::Padding { left: left - block };
        self.wait(PADDING_TIME, wire, now);
    }

    fn sync(&mut self, tries: usize, probes: &mut SyncProbes, wire: &mut Wire, now: Instant) {
        let probe = probes.next();
        wire.push_line(probe.line().as_bytes());
        self.stage = Stage::Syncing { probe, left: tries - 1, is_answered: false, is_refused: false };
        self.wait(SYNC_TIME, wire, now);
    }

    /// Waits `time` for the answer to what is about to be written.
    fn wait(&mut self, time: Duration, wire: &Wire, now: Instant) {
        self.next = now + time + wire.time_of_unwritten();
    }
}
