//! Chapter 2.2.15, `AT+CMQTTCFG`: after ACCQ, before CONNECT; cleared by REL.

use super::query::{Lines, Query, UnexpectedAnswer, all, command};
use super::{OperationTimeout, ProtocolVersion};
use crate::at::{ClientIndex, Command};

/// `AT+CMQTTCFG="checkUTF8",<index>,<checkUTF8_flag>`
pub fn configure_utf8_check(client: ClientIndex, check: bool) -> Command {
    command(format!("AT+CMQTTCFG=\"checkUTF8\",{client},{}", u8::from(check)))
}

/// `AT+CMQTTCFG="optimeout",<index>,<optimeout_val>`
pub fn configure_operation_timeout(client: ClientIndex, timeout: OperationTimeout) -> Command {
    command(format!("AT+CMQTTCFG=\"optimeout\",{client},{}", timeout.number()))
}

/// `AT+CMQTTCFG="version",<index>,<version>`
pub fn configure_version(client: ClientIndex, version: ProtocolVersion) -> Command {
    command(format!("AT+CMQTTCFG=\"version\",{client},{}", version.number()))
}

/// `AT+CMQTTCFG?`: the configuration of both clients.
pub struct Configurations;

/// One line of `AT+CMQTTCFG?`; the module does not show the version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientConfiguration {
    pub client: ClientIndex,
    pub check_utf8: bool,
    pub operation_timeout: u16,
}

impl Query for Configurations {
    type Answer = Vec<ClientConfiguration>;

    fn command(&self) -> Command {
        command("AT+CMQTTCFG?")
    }

    /// Reads `+CMQTTCFG: 0,1,120`.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        let expected = "+CMQTTCFG: <index>,<checkUTF8_flag>,<optimeout_val> for each client";
        all(self, expected, lines, "CMQTTCFG", |values| {
            Some(ClientConfiguration {
                client: values.get(0)?.client()?,
                check_utf8: values.get(1)?.flag()?,
                operation_timeout: values.get(2)?.number()?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

    #[test]
    fn bytes_as_in_the_note() {
        let timeout = OperationTimeout::parse(24).unwrap();
        for (command, expected) in [
            (configure_operation_timeout(ClientIndex::Zero, timeout), "AT+CMQTTCFG=\"optimeout\",0,24"),
            (configure_utf8_check(ClientIndex::Zero, false), "AT+CMQTTCFG=\"checkUTF8\",0,0"),
            (configure_utf8_check(ClientIndex::One, true), "AT+CMQTTCFG=\"checkUTF8\",1,1"),
            (configure_version(ClientIndex::One, ProtocolVersion::V3_1_1), "AT+CMQTTCFG=\"version\",1,4"),
            (configure_version(ClientIndex::One, ProtocolVersion::V3_1), "AT+CMQTTCFG=\"version\",1,3"),
            (Configurations.command(), "AT+CMQTTCFG?"),
        ] {
            assert_eq!(command.line.bytes(), expected.as_bytes());
        }
        assert_eq!(configure_utf8_check(ClientIndex::One, true).client(), Some(ClientIndex::One));
    }

    #[test]
    fn reads_both_clients() {
        let found = Configurations.answer(&lines("+CMQTTCFG: 0,0,24\n+CMQTTCFG: 1,1,120")).unwrap();
        let expected = |client, check_utf8, operation_timeout| ClientConfiguration {
            client,
            check_utf8,
            operation_timeout,
        };
        assert_eq!(found, [expected(ClientIndex::Zero, false, 24), expected(ClientIndex::One, true, 120)]);
        assert!(Configurations.answer(&lines("+CMQTTCFG: 0,0")).is_err());
    }
}
