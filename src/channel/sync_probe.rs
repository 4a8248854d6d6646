//! Sync probes: commands whose answer shows that the module reads commands again.

/// Test forms whose answers cannot be mistaken for anything else's.
const NAMES: [&str; 8] = [
    "CMQTTDISC",
    "CMQTTUNSUB",
    "CMQTTTOPIC",
    "CMQTTREL",
    "CMQTTACCQ",
    "CMQTTPAYLOAD",
    "CMQTTSUB",
    "CMQTTPUB",
];

#[derive(Clone, Copy, Debug)]
pub(super) struct SyncProbe {
    name: &'static str,
}

/// Chooses another probe each time, so that a late answer to an earlier one is not taken for the answer to the last.
#[derive(Debug, Default)]
pub(super) struct SyncProbes {
    sent: usize,
    /// The name of a command that timed out: its answer may still come.
    avoided: Vec<u8>,
}

impl SyncProbe {
    pub(super) fn line(self) -> String {
        format!("AT+{}=?", self.name)
    }

    pub(super) fn is_answered_by(self, line: &[u8]) -> bool {
        is_answer_of(self.name, line)
    }

    /// `line` answers any of the probes.
    pub(super) fn is_any_answered_by(line: &[u8]) -> bool {
        NAMES.iter().any(|name| is_answer_of(name, line))
    }
}

impl SyncProbes {
    pub(super) fn avoid(&mut self, name: &[u8]) {
        self.avoided = name.to_ascii_uppercase();
    }

    pub(super) fn next(&mut self) -> SyncProbe {
        loop {
            let name = NAMES[self.sent % NAMES.len()];
            self.sent += 1;
            if name.as_bytes() != self.avoided {
                return SyncProbe { name };
            }
        }
    }
}

/// The information response of a test form begins with a range: `+CMQTTDISC: (0-1),…`.
fn is_answer_of(name: &str, line: &[u8]) -> bool {
    line.strip_prefix(b"+")
        .and_then(|rest| rest.strip_prefix(name.as_bytes()))
        .and_then(|rest| rest.strip_prefix(b":"))
        .is_some_and(|rest| rest.trim_ascii_start().starts_with(b"("))
}
