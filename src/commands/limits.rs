//! What the documents say about how long an answer may take, and what the module says about its own ranges.

use std::time::Duration;

use crate::at::{Command, CommandLine, CommandName};

/// 12 s documented, and two for the line.
const SERVICE: Duration = Duration::from_secs(14);
const TLS: Duration = Duration::from_secs(120);

/// The commands of chapter 2.2 that have a test form: all but START and STOP.
pub const WITH_TEST_FORM: [&str; 13] = [
    "CMQTTACCQ",
    "CMQTTREL",
    "CMQTTSSLCFG",
    "CMQTTWILLTOPIC",
    "CMQTTWILLMSG",
    "CMQTTCONNECT",
    "CMQTTDISC",
    "CMQTTTOPIC",
    "CMQTTPAYLOAD",
    "CMQTTPUB",
    "CMQTTSUB",
    "CMQTTUNSUB",
    "CMQTTCFG",
];

/// Each name with its `AT+<name>=?`.
pub fn test_forms() -> impl Iterator<Item = (&'static str, Command)> {
    WITH_TEST_FORM.into_iter().map(|name| (name, command(format!("AT+{name}=?"))))
}

/// The information lines of `AT+<name>=?` without `+<name>: `.
pub fn without_prefix(name: &str, lines: &[Vec<u8>]) -> Vec<String> {
    let prefix = format!("+{name}:");
    lines
        .iter()
        .map(|line| {
            let line = String::from_utf8_lossy(line);
            line.strip_prefix(&prefix).map_or(&*line, str::trim_start).to_owned()
        })
        .collect()
}

/// A command with its documented maximum response time, where there is one.
pub(super) fn command(line: impl Into<Vec<u8>>) -> Command {
    let command = Command::new(line);
    match documented(command.line()) {
        Some(limit) => command.with_limit(limit),
        None => command,
    }
}

fn documented(line: &CommandLine) -> Option<Duration> {
    let is_for_tls = |name: &[u8]| line.name().eq_ignore_ascii_case(name);
    match line.kind().name {
        CommandName::Start | CommandName::Stop => Some(SERVICE),
        CommandName::UploadCertificate => Some(TLS),
        _ if [&b"CSSLCFG"[..], b"CCERTLIST", b"CCERTDELE"].into_iter().any(is_for_tls) => Some(TLS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_limits_are_kept() {
        for (line, limit) in [
            ("AT+CMQTTSTART", Some(14)),
            ("AT+CMQTTSTOP", Some(14)),
            ("at+csslcfg=0", Some(120)),
            ("AT+CCERTDOWN=\"a.pem\",5", Some(120)),
            ("AT+CCERTLIST", Some(120)),
            ("AT+CCERTDELE=\"a.pem\"", Some(120)),
            ("AT+CMQTTCONNECT=0,\"tcp://host\",60,1", None),
            ("AT+CSQ", None),
        ] {
            assert_eq!(command(line).limit, limit.map(Duration::from_secs), "{line}");
        }
    }

    #[test]
    fn thirteen_commands_have_a_test_form() {
        let forms: Vec<_> = test_forms().collect();
        assert_eq!(forms.len(), 13);
        for (name, command) in forms {
            assert_eq!(command.line.bytes(), format!("AT+{name}=?").as_bytes());
            assert_eq!(command.form(), crate::at::Form::Test);
        }
    }
}
