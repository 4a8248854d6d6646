//! The MQTT service as a whole: `AT+CMQTTSTART`, `AT+CMQTTSTOP`, and the ranges that its commands take.

use super::query::{Lines, Query, UnexpectedAnswer, command, lossy};
use crate::at::Command;

/// `AT+CMQTTSTART`: activates the PDP context.
pub fn start() -> Command {
    command("AT+CMQTTSTART")
}

/// `AT+CMQTTSTOP`: after every client is released.
pub fn stop() -> Command {
    command("AT+CMQTTSTOP")
}

/// `AT+CMQTTREL?`: the only command whose plain `OK` or `ERROR` tells if the service runs.
pub fn query_started() -> Command {
    command("AT+CMQTTREL?")
}

/// `AT+<name>=?`: the information lines without `+<name>: `.
pub struct Limits(pub &'static str);

impl Limits {
    /// The commands of chapter 2.2 that have a test form: all but START and STOP.
    pub const ALL: [Self; 13] = [
        Self("CMQTTACCQ"),
        Self("CMQTTREL"),
        Self("CMQTTSSLCFG"),
        Self("CMQTTWILLTOPIC"),
        Self("CMQTTWILLMSG"),
        Self("CMQTTCONNECT"),
        Self("CMQTTDISC"),
        Self("CMQTTTOPIC"),
        Self("CMQTTPAYLOAD"),
        Self("CMQTTPUB"),
        Self("CMQTTSUB"),
        Self("CMQTTUNSUB"),
        Self("CMQTTCFG"),
    ];
}

impl Query for Limits {
    type Answer = Vec<String>;

    fn command(&self) -> Command {
        command(format!("AT+{}=?", self.0))
    }

    fn answer(&self, lines: &Lines) -> Result<Vec<String>, UnexpectedAnswer> {
        let prefix = format!("+{}:", self.0);
        let without_prefix =
            |line: &Vec<u8>| lossy(line).strip_prefix(&prefix).map(|rest| rest.trim_start().to_owned());
        Ok(lines.iter().map(|line| without_prefix(line).unwrap_or_else(|| lossy(line))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;
    use crate::at::{Form, Operation};

    #[test]
    fn bytes_as_in_the_note() {
        assert_eq!(start().line.bytes(), b"AT+CMQTTSTART");
        assert_eq!(start().kind().operation(), Some(Operation::Start));
        assert_eq!(stop().line.bytes(), b"AT+CMQTTSTOP");
        assert_eq!(query_started().line.bytes(), b"AT+CMQTTREL?");
        for limits in Limits::ALL {
            assert_eq!(limits.command().line.bytes(), format!("AT+{}=?", limits.0).as_bytes());
            assert_eq!(limits.command().form(), Form::Test);
        }
    }

    #[test]
    fn ranges_are_read_without_the_prefix() {
        let answer = Limits("CMQTTSUB").answer(&lines("+CMQTTSUB: (0-1),(1-1024)\n(0-2)"));
        assert_eq!(answer.unwrap(), ["(0-1),(1-1024)", "(0-2)"]);
    }
}
