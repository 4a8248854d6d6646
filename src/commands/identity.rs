//! The module itself: its identity, its restart, and the baud rate of its port.

use super::legal_values::ranged;
use super::query::{Lines, Query, UnexpectedAnswer, command, lossy};
use crate::at::Command;

/// One value that identifies the module, and the command that asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    Manufacturer,
    Model,
    Revision,
    Imei,
}

/// The value, and the line that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityValue {
    pub value: String,
    pub raw: String,
}

impl Identity {
    fn line(self) -> &'static str {
        match self {
            Self::Manufacturer => "AT+CGMI",
            Self::Model => "AT+CGMM",
            Self::Revision => "AT+CGMR",
            Self::Imei => "AT+CGSN",
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Manufacturer => "the manufacturer",
            Self::Model => "the model",
            Self::Revision => "+CGMR: <revision>",
            Self::Imei => "an IMEI of 14 to 16 digits",
        }
    }

    /// Reads a bare value, or `+CGMR: <revision>`.
    fn read(self, line: &[u8]) -> Option<IdentityValue> {
        let raw = lossy(line.trim_ascii());
        let prefixed = raw.strip_prefix(&self.line()["AT".len()..]).and_then(|rest| rest.strip_prefix(':'));
        let value = prefixed.unwrap_or(&raw).trim();
        let is_imei = || (14..=16).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
        // Bare values have none of these; unsolicited lines between command and answer do.
        let is_bare = || !value.starts_with(['+', '*', '$']) && !value.contains(':');
        let is_value = match self {
            Self::Imei => is_imei(),
            _ => !value.is_empty() && (prefixed.is_some() || is_bare()),
        };
        is_value.then(|| IdentityValue { value: value.to_owned(), raw: raw.clone() })
    }
}

impl Query for Identity {
    type Answer = IdentityValue;

    fn command(&self) -> Command {
        command(self.line())
    }

    /// The value is the last line that can be one: unsolicited lines such as `RING` come before the answer.
    fn answer(&self, lines: &Lines) -> Result<IdentityValue, UnexpectedAnswer> {
        let found = lines.iter().rev().find_map(|line| self.read(line));
        found.ok_or_else(|| UnexpectedAnswer::new(self, self.expected(), lines))
    }
}

/// The identity of the module, with its own lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModuleInfo {
    pub manufacturer: String,
    pub model: String,
    pub revision: String,
    pub imei: String,
    /// The lines of the values, one a line.
    pub raw: String,
}

impl ModuleInfo {
    pub fn join(
        manufacturer: IdentityValue,
        model: IdentityValue,
        revision: IdentityValue,
        imei: IdentityValue,
    ) -> Self {
        Self {
            raw: [&*manufacturer.raw, &*model.raw, &*revision.raw, &*imei.raw].join("\n"),
            manufacturer: manufacturer.value,
            model: model.value,
            revision: revision.value,
            imei: imei.value,
        }
    }
}

/// `AT+CRESET`: the module restarts after its `OK`.
pub fn restart() -> Command {
    command("AT+CRESET")
}

ranged! {
    /// `<baud rate>` of `AT+IPR`, on this family up to 460800, on siblings up to 3686400.
    BaudRate(u32), "baudrate", 300..=3_686_400, " bits per second"
}

impl BaudRate {
    /// `AT+IPR=<baud rate>`: the `OK` still comes at the old rate. A restart brings the old rate back.
    pub fn set(self) -> Command {
        command(format!("AT+IPR={}", self.number()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

    fn read(identity: Identity, text: &str) -> String {
        identity.answer(&lines(text)).unwrap().value
    }

    #[test]
    fn each_value_has_its_command() {
        let identities = [Identity::Manufacturer, Identity::Model, Identity::Revision, Identity::Imei];
        let commands = identities.map(|identity| identity.command().line.shown());
        assert_eq!(commands, ["AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN"]);
    }

    #[test]
    fn restart_and_baud_rate_have_their_commands() {
        assert_eq!(restart().line.bytes(), b"AT+CRESET");
        assert_eq!(BaudRate::parse(460_800).unwrap().set().line.bytes(), b"AT+IPR=460800");
        let message = BaudRate::parse(0).unwrap_err().to_string();
        assert_eq!(message, "baudrate = 0: must be 300 to 3686400 bits per second");
    }

    #[test]
    fn values_are_bare_or_behind_the_prefix() {
        assert_eq!(read(Identity::Manufacturer, "SIMCOM INCORPORATED"), "SIMCOM INCORPORATED");
        assert_eq!(read(Identity::Model, "\nSIM7672G-MNGV"), "SIM7672G-MNGV");
        assert_eq!(read(Identity::Revision, "+CGMR: 2374B05SIM767XM5A_M"), "2374B05SIM767XM5A_M");
        assert_eq!(read(Identity::Imei, "864643060012345"), "864643060012345");
        assert_eq!(read(Identity::Imei, "+CGSN: 864643060012345"), "864643060012345");
    }

    #[test]
    fn unsolicited_line_is_no_value() {
        for urc in [
            "RING",
            "SMS DONE",
            "*ISIMAID: \"A0000000871004\"",
            "$BDGSA,A,1,,,,",
            "UNDER-VOLTAGE WARNNING",
            "MISSED_CALL: 02:03AM 07712345678",
            "+CREG: 1",
        ] {
            assert_eq!(read(Identity::Model, &format!("{urc}\nSIM7672E")), "SIM7672E");
            assert_eq!(read(Identity::Revision, &format!("{urc}\n+CGMR: 2374B05")), "2374B05");
            assert_eq!(read(Identity::Imei, &format!("{urc}\n864643060012345\n{urc}")), "864643060012345");
        }
        assert!(Identity::Model.answer(&lines("*ISIMAID: \"A0000000871004\"")).is_err());
    }

    #[test]
    fn imei_is_digits() {
        for odd in ["", "ERROR", "12345", "86464306001234x"] {
            let message = Identity::Imei.answer(&lines(odd)).unwrap_err().to_string();
            assert!(message.contains("an IMEI of 14 to 16 digits"), "{message}");
        }
    }

    #[test]
    fn module_info_joins_values_and_lines() {
        let value = |text: &str, raw: &str| IdentityValue { value: text.to_owned(), raw: raw.to_owned() };
        let info = ModuleInfo::join(
            value("SIMCOM", "SIMCOM"),
            value("SIM7672E", "SIM7672E"),
            value("B05", "+CGMR: B05"),
            value("864643060012345", "864643060012345"),
        );
        assert_eq!((&*info.model, &*info.revision), ("SIM7672E", "B05"));
        assert_eq!(info.raw, "SIMCOM\nSIM7672E\n+CGMR: B05\n864643060012345");
    }
}
