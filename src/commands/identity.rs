//! Who the module is: `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN`, `AT+SIMCOMATI`.

use super::information::{Lines, UnexpectedAnswer, text};
use super::limits::command;
use crate::at::Command;

/// One value that identifies the module, and the command that asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    Manufacturer,
    Model,
    Revision,
    Imei,
}

impl Identity {
    pub const ALL: [Self; 4] = [Self::Manufacturer, Self::Model, Self::Revision, Self::Imei];

    pub fn query(self) -> Command {
        command(self.line())
    }

    /// A bare value on a line, or `+CGMR: <revision>`.
    pub fn from_answer(self, lines: &Lines) -> Result<String, UnexpectedAnswer> {
        let prefix = self.line().replacen("AT", "", 1);
        lines
            .iter()
            .map(|line| {
                let line = line.trim_ascii();
                let bare = line.strip_prefix(prefix.as_bytes()).and_then(|rest| rest.strip_prefix(b":"));
                text(bare.unwrap_or(line).trim_ascii())
            })
            .find(|value| self.accepts(value))
            .ok_or_else(|| UnexpectedAnswer::new(self.line(), self.expected(), lines))
    }

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

    fn accepts(self, value: &str) -> bool {
        match self {
            Self::Imei => (14..=16).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit()),
            _ => !value.is_empty(),
        }
    }
}

/// Who the module is, with its own lines.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModuleInfo {
    pub manufacturer: String,
    pub model: String,
    pub revision: String,
    pub imei: String,
    /// All information lines, in the order of `Identity::ALL`, one a line.
    pub raw: String,
}

impl ModuleInfo {
    pub fn queries() -> Vec<Command> {
        Identity::ALL.into_iter().map(Identity::query).collect()
    }

    /// The answers to `queries`, in their order.
    pub fn from_answers(answers: &[Vec<Vec<u8>>]) -> Result<Self, UnexpectedAnswer> {
        let lines = |identity: Identity| answers.get(identity as usize).map_or(&[][..], Vec::as_slice);
        let value = |identity: Identity| identity.from_answer(lines(identity));
        let raw: Vec<_> = answers.iter().flatten().map(|line| text(line)).collect();
        Ok(Self {
            manufacturer: value(Identity::Manufacturer)?,
            model: value(Identity::Model)?,
            revision: value(Identity::Revision)?,
            imei: value(Identity::Imei)?,
            raw: raw.join("\n"),
        })
    }
}

/// `AT+SIMCOMATI`: all of it at once, both revision lines included.
pub fn query_about() -> Command {
    command("AT+SIMCOMATI")
}

/// The lines of `AT+SIMCOMATI` as `(label, value)`; a line without a colon is a value without a label.
pub fn about(lines: &Lines) -> Vec<(String, String)> {
    let lines = lines.iter().map(|line| text(line.trim_ascii())).filter(|line| !line.is_empty());
    lines
        .map(|line| match line.split_once(':') {
            Some((label, value)) => (label.trim().to_owned(), value.trim().to_owned()),
            None => (String::new(), line),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::lines;
    use super::*;

    #[test]
    fn asks_with_four_commands() {
        let lines: Vec<_> = ModuleInfo::queries().iter().map(|command| command.line.shown()).collect();
        assert_eq!(lines, ["AT+CGMI", "AT+CGMM", "AT+CGMR", "AT+CGSN"]);
        assert_eq!(query_about().line.bytes(), b"AT+SIMCOMATI");
    }

    #[test]
    fn reads_bare_and_prefixed_values() {
        let info = ModuleInfo::from_answers(&[
            lines("SIMCOM INCORPORATED"),
            lines("\nSIM7672G-MNGV"),
            lines("+CGMR: 2374B05SIM767XM5A_M"),
            lines("864643060012345"),
        ])
        .unwrap();
        assert_eq!(info.manufacturer, "SIMCOM INCORPORATED");
        assert_eq!(info.model, "SIM7672G-MNGV");
        assert_eq!(info.revision, "2374B05SIM767XM5A_M");
        assert_eq!(info.imei, "864643060012345");
        assert_eq!(
            info.raw,
            "SIMCOM INCORPORATED\n\nSIM7672G-MNGV\n+CGMR: 2374B05SIM767XM5A_M\n864643060012345"
        );
        assert_eq!(Identity::Imei.from_answer(&lines("+CGSN: 864643060012345")).unwrap(), info.imei);
    }

    #[test]
    fn an_imei_is_digits() {
        for odd in ["", "ERROR", "12345", "86464306001234x"] {
            let message = Identity::Imei.from_answer(&lines(odd)).unwrap_err().to_string();
            assert!(message.contains("an IMEI of 14 to 16 digits"), "{message}");
        }
        assert!(ModuleInfo::from_answers(&[]).is_err());
    }

    #[test]
    fn an_unrelated_line_is_not_the_imei() {
        assert_eq!(
            Identity::Imei.from_answer(&lines("SMS DONE\n864643060012345")).unwrap(),
            "864643060012345"
        );
    }

    #[test]
    fn simcomati_keeps_both_revision_lines() {
        let found = about(&lines(
            "Manufacturer: SIMCOM INCORPORATED\nRevision: 2374B04SIM767XM5A_M\nSIM767XM5_B04V01_241010\n\nIMEI: 1",
        ));
        let pair = |label: &str, value: &str| (label.to_owned(), value.to_owned());
        assert_eq!(
            found,
            [
                pair("Manufacturer", "SIMCOM INCORPORATED"),
                pair("Revision", "2374B04SIM767XM5A_M"),
                pair("", "SIM767XM5_B04V01_241010"),
                pair("IMEI", "1"),
            ]
        );
    }
}
