//! Chapters 2.2.1, 2.2.2 and the read form of 2.2.4: the MQTT service as a whole.

use super::limits::command;
use crate::protocol::{Command, Failure, Outcome};

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

/// What became of `query_started`.
pub fn is_started(outcome: Outcome) -> Result<bool, Failure> {
    match outcome {
        Ok(_) => Ok(true),
        Err(Failure::Refused { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Operation;

    #[test]
    fn bytes_as_in_the_note() {
        assert_eq!(start().line.bytes(), b"AT+CMQTTSTART");
        assert_eq!(start().line.operation(), Some(Operation::Start));
        assert_eq!(stop().line.bytes(), b"AT+CMQTTSTOP");
        assert_eq!(query_started().line.bytes(), b"AT+CMQTTREL?");
    }

    #[test]
    fn ok_or_error_tells() {
        assert_eq!(is_started(Ok(vec![vec![]])), Ok(true));
        let refused = Failure::Refused {
            command: "AT+CMQTTREL?".to_owned(),
            response: "ERROR".to_owned(),
            code: None,
            client: None,
        };
        assert_eq!(is_started(Err(refused)), Ok(false));
        assert_eq!(is_started(Err(Failure::Closed)), Err(Failure::Closed));
    }
}
