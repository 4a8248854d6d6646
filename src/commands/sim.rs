//! The SIM card: `AT+CPIN`, `AT+CICCID`, `AT+CIMI`.

use super::query::{Lines, Query, UnexpectedAnswer, command, each, lossy, text};
use super::{IdentityValue, Invalid};
use crate::at::Command;

/// The state of the card, as `AT+CPIN?` reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SimState {
    Ready,
    /// The card waits for its PIN.
    Pin,
    /// The card is locked and waits for its PUK.
    Puk,
    Absent,
    /// The card starts, for up to 5 s.
    Busy,
    Failure,
    Unknown,
}

impl SimState {
    /// The word of `Sim.state` in Python.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Pin => "pin",
            Self::Puk => "puk",
            Self::Absent => "absent",
            Self::Busy => "busy",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }

    /// Reads `<code>` of `+CPIN: <code>`.
    fn from_code(code: &str) -> Self {
        match &*code.to_ascii_uppercase() {
            // PIN2 and PUK2 protect settings of the card, not the network.
            "READY" | "SIM PIN2" | "SIM PUK2" => Self::Ready,
            "SIM PIN" => Self::Pin,
            "SIM PUK" => Self::Puk,
            "NOT INSERTED" | "NOT READY" => Self::Absent,
            _ => Self::Unknown,
        }
    }

    /// Reads a final result code in the place of an answer: `+CME ERROR: SIM busy`, or its number.
    pub fn from_refusal(response: &str) -> Self {
        let Some((name, reason)) = response.split_once(':') else { return Self::Unknown };
        if !name.trim().eq_ignore_ascii_case("+CME ERROR") {
            return Self::Unknown;
        }
        match &*reason.trim().to_ascii_lowercase() {
            "10" | "sim not inserted" => Self::Absent,
            "11" | "sim pin required" => Self::Pin,
            "12" | "sim puk required" => Self::Puk,
            "13" | "sim failure" | "15" | "sim wrong" => Self::Failure,
            "14" | "sim busy" => Self::Busy,
            _ => Self::Unknown,
        }
    }
}

/// `AT+CPIN?`: the state of the card, with the line that reports it.
pub struct SimStateQuery;

impl Query for SimStateQuery {
    type Answer = (SimState, String);

    fn command(&self) -> Command {
        command("AT+CPIN?")
    }

    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        let code = each(lines, "CPIN", |values| text(values, 0)).next();
        let code = code.ok_or_else(|| UnexpectedAnswer::new(self, "+CPIN: <code>", lines))?;
        Ok((SimState::from_code(&code), format!("+CPIN: {code}")))
    }
}

/// `AT+CICCID`: the number of the card. `None` if the module does not know it.
pub struct Iccid;

impl Query for Iccid {
    type Answer = Option<IdentityValue>;

    fn command(&self) -> Command {
        command("AT+CICCID")
    }

    /// Reads `+ICCID: <18-20 digits>`; the prefix differs between firmwares.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        Ok(lines.iter().find_map(|line| digits(line, 18..=20)))
    }
}

/// `AT+CIMI`: the number of the subscriber. `None` if the module does not know it.
pub struct Imsi;

impl Query for Imsi {
    type Answer = Option<IdentityValue>;

    fn command(&self) -> Command {
        command("AT+CIMI")
    }

    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        Ok(lines.iter().find_map(|line| digits(line, 6..=15)))
    }
}

/// The number on a line, bare or behind a prefix. A card number with an odd count of digits is padded with F.
fn digits(line: &[u8], lengths: std::ops::RangeInclusive<usize>) -> Option<IdentityValue> {
    let raw = lossy(line.trim_ascii());
    let value = raw.rsplit(':').next()?.trim().trim_matches('"').trim_end_matches(['F', 'f']);
    let is_number = lengths.contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| IdentityValue { value: value.to_owned(), raw: raw.clone() })
}

/// The SIM card, as Python gets it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sim {
    pub state: SimState,
    pub iccid: Option<String>,
    pub imsi: Option<String>,
    pub raw: String,
}

/// The PIN of a card: 4 to 8 digits. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

impl Pin {
    /// # Errors
    ///
    /// [`Invalid`] for anything but 4 to 8 digits.
    pub fn parse(pin: &str) -> Result<Self, Invalid> {
        if !(4..=8).contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Invalid::length("pin", pin.len(), "4 to 8 digits"));
        }
        Ok(Self(pin.to_owned()))
    }

    /// `AT+CPIN="<pin>"`. Three wrong PINs lock the card, so this command must never be repeated.
    pub fn enter(&self) -> Command {
        command(format!("AT+CPIN=\"{}\"", self.0))
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pin(********)")
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
    use super::*;

    #[test]
    fn commands_of_the_card() {
        assert_eq!(SimStateQuery.command().line.bytes(), b"AT+CPIN?");
        assert_eq!(Iccid.command().line.bytes(), b"AT+CICCID");
        assert_eq!(Imsi.command().line.bytes(), b"AT+CIMI");
        let pin = Pin::parse("1234").unwrap();
        assert_eq!(pin.enter().line.bytes(), b"AT+CPIN=\"1234\"");
        assert!(!format!("{pin:?} {} {:?}", pin.enter().line.shown(), pin.enter()).contains("1234"));
    }

    #[test]
    fn state_is_read_from_answers_and_refusals() {
        for (code, expected) in [
            ("READY", SimState::Ready),
            ("SIM PIN", SimState::Pin),
            ("SIM PUK", SimState::Puk),
            ("SIM PIN2", SimState::Ready),
            ("NOT INSERTED", SimState::Absent),
            ("PH-NET PIN", SimState::Unknown),
        ] {
            let line = format!("+CPIN: {code}");
            assert_eq!(SimStateQuery.answer(&lines(&line)), Ok((expected, line)));
        }
        assert!(SimStateQuery.answer(&lines("+CPIN:")).is_err());
        for (response, expected) in [
            ("+CME ERROR: SIM not inserted", SimState::Absent),
            ("+CME ERROR: 10", SimState::Absent),
            ("+CME ERROR: SIM busy", SimState::Busy),
            ("+CME ERROR: 14", SimState::Busy),
            ("+CME ERROR: SIM failure", SimState::Failure),
            ("+CME ERROR: 12", SimState::Puk),
            ("+CME ERROR: 100", SimState::Unknown),
            ("ERROR", SimState::Unknown),
        ] {
            assert_eq!(SimState::from_refusal(response), expected, "{response}");
        }
    }

    #[test]
    fn numbers_are_read_with_any_prefix() {
        let value =
            |found: Result<Option<IdentityValue>, UnexpectedAnswer>| found.unwrap().map(|found| found.value);
        let number = "89860318740037812345";
        for line in [format!("+ICCID: {number}"), format!("+CCID: \"{number}\""), number.to_owned()] {
            let found = Iccid.answer(&lines(&line)).unwrap();
            assert_eq!(found, Some(IdentityValue { value: number.to_owned(), raw: line }));
        }
        let padded = Iccid.answer(&lines("+ICCID: 8986031874003781234F"));
        assert_eq!(value(padded).as_deref(), Some("8986031874003781234"));
        assert_eq!(Iccid.answer(&lines("+ICCID:\nRING")), Ok(None));
        assert_eq!(value(Imsi.answer(&lines("\n460115050123456"))).as_deref(), Some("460115050123456"));
        assert_eq!(Imsi.answer(&[]), Ok(None));
    }

    #[test]
    fn pin_is_4_to_8_digits_and_not_shown() {
        assert!(Pin::parse("12345678").is_ok());
        for wrong in ["", "123", "123456789", "12a4", "12\"4", "1234\r"] {
            let message = Pin::parse(wrong).unwrap_err().to_string();
            assert!(message.ends_with("must be 4 to 8 digits"), "{message}");
            assert!(wrong.is_empty() || !message.contains(wrong), "{message}");
        }
    }
}
