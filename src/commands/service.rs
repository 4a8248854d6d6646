//! Chapters 2.2.1, 2.2.2 and the read form of 2.2.4: the MQTT service as a whole.

use super::limits::command;
use crate::at::Command;

/// `AT+CMQTTSTART`: activates the PDP context.
pub fn start() -> Command {
    command("AT+CMQTTSTART")
}

/// `AT+CMQTTSTOP`: after every client is released.
pub fn stop() -> Command {
    command("AT+CMQTTSTOP")
}

/// `AT+CMQTTREL?`: the one command whose plain `OK` or `ERROR` tells whether the service runs.
pub fn query_started() -> Command {
    command("AT+CMQTTREL?")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::Operation;

    #[test]
    fn bytes_as_in_the_note() {
        assert_eq!(start().line.bytes(), b"AT+CMQTTSTART");
        assert_eq!(start().kind().operation(), Some(Operation::Start));
        assert_eq!(stop().line.bytes(), b"AT+CMQTTSTOP");
        assert_eq!(query_started().line.bytes(), b"AT+CMQTTREL?");
    }
}
