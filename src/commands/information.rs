//! Information responses, as they are found on the line: odd spacing, missing fields and any byte are expected.

use std::str::FromStr;

use crate::at::{ClientIndex, redacted};

/// The information lines of one command, without CR and LF.
pub type Lines = [Vec<u8>];

/// The module answered `OK`, but its lines do not say what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{command} was answered with {}, where {expected} was expected; if this firmware says it differently, \
     read it with command(\"{command}\")",
    shown(lines)
)]
pub struct UnexpectedAnswer {
    command: &'static str,
    expected: &'static str,
    lines: Vec<String>,
}

impl UnexpectedAnswer {
    pub(super) fn new(command: &'static str, expected: &'static str, lines: &Lines) -> Self {
        const MOST_LINES: usize = 10;
        let lines =
            lines.iter().take(MOST_LINES).map(|line| redacted(line).escape_ascii().to_string()).collect();
        Self { command, expected, lines }
    }

    pub fn command(&self) -> &'static str {
        self.command
    }

    /// What the module said, secrets redacted.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}

fn shown(lines: &[String]) -> String {
    if lines.is_empty() { "nothing".to_owned() } else { format!("\"{}\"", lines.join("\", \"")) }
}

/// The parameters of `+NAME: a,"b,c",d`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parameters<'l>(Vec<Parameter<'l>>);

#[derive(Debug, PartialEq, Eq)]
struct Parameter<'l> {
    bytes: &'l [u8],
    quoted: bool,
}

/// None for a line that is not `+name: …`.
pub(super) fn parameters<'l>(line: &'l [u8], name: &str) -> Option<Parameters<'l>> {
    let rest = line.trim_ascii_start().strip_prefix(b"+")?;
    let (found, rest) = rest.split_at_checked(name.len())?;
    if !found.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    let text = rest.trim_ascii_start().strip_prefix(b":")?;
    Some(Parameters(split(text).into_iter().map(Parameter::new).collect()))
}

/// Commas between quotes do not separate.
fn split(text: &[u8]) -> Vec<&[u8]> {
    let mut quoted = false;
    text.split(|byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    })
    .collect()
}

impl<'l> Parameter<'l> {
    fn new(field: &'l [u8]) -> Self {
        let field = field.trim_ascii();
        match field.strip_prefix(b"\"") {
            Some(inner) => Self { bytes: inner.strip_suffix(b"\"").unwrap_or(inner), quoted: true },
            None => Self { bytes: field, quoted: false },
        }
    }
}

impl<'l> Parameters<'l> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Without its quotes; None where it is missing.
    pub(super) fn bytes(&self, position: usize) -> Option<&'l [u8]> {
        self.0.get(position).map(|parameter| parameter.bytes)
    }

    pub(super) fn is_quoted(&self, position: usize) -> bool {
        self.0.get(position).is_some_and(|parameter| parameter.quoted)
    }

    /// None where it is missing or empty.
    pub(super) fn text(&self, position: usize) -> Option<String> {
        self.bytes(position).filter(|bytes| !bytes.is_empty()).map(text)
    }

    pub(super) fn number<N: FromStr>(&self, position: usize) -> Option<N> {
        std::str::from_utf8(self.bytes(position)?).ok()?.parse().ok()
    }

    /// 0 or 1; anything else is not a flag.
    pub(super) fn flag(&self, position: usize) -> Option<bool> {
        match self.number::<u8>(position)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(super) fn client(&self, position: usize) -> Option<ClientIndex> {
        ClientIndex::from_number(self.number(position)?)
    }

    /// `0x9A5F`, or decimal.
    pub(super) fn hexadecimal(&self, position: usize) -> Option<u32> {
        let text = std::str::from_utf8(self.bytes(position)?).ok()?;
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        }
    }
}

/// For people: what is not UTF-8 becomes U+FFFD.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An information response from its text, a line each.
    pub(in crate::commands) fn lines(text: &str) -> Vec<Vec<u8>> {
        text.lines().map(|line| line.as_bytes().to_vec()).collect()
    }

    #[test]
    fn commas_in_quotes_do_not_separate() {
        let parsed = parameters(b"+CMQTTACCQ: 0,\"a,b\",1", "CMQTTACCQ").unwrap();
        assert_eq!(parsed.len(), 3);
        assert_eq!(parsed.client(0), Some(ClientIndex::Zero));
        assert_eq!(parsed.text(1).as_deref(), Some("a,b"));
        assert_eq!(parsed.flag(2), Some(true));
    }

    #[test]
    fn spacing_and_case_do_not_matter() {
        for line in ["+CSQ: 23,0", "+CSQ:23,0", "+csq :  23 , 0 ", " +CSQ: 23,0"] {
            let parsed = parameters(line.as_bytes(), "CSQ").unwrap();
            assert_eq!((parsed.number(0), parsed.number(1)), (Some(23), Some(0)), "{line}");
        }
    }

    #[test]
    fn other_lines_are_not_taken() {
        for line in ["+CSQX: 23,0", "CSQ: 23,0", "+CSQ", "", "+", "RDY"] {
            assert_eq!(parameters(line.as_bytes(), "CSQ"), None, "{line}");
        }
    }

    #[test]
    fn missing_and_empty_are_none() {
        let parsed = parameters(b"+X: ,\"\",\"open", "X").unwrap();
        assert_eq!(parsed.text(0), None);
        assert_eq!(parsed.text(1), None);
        assert!(parsed.is_quoted(1));
        assert_eq!(parsed.text(2).as_deref(), Some("open"));
        assert_eq!(parsed.text(3), None);
        assert_eq!(parsed.number::<u8>(0), None);
    }

    #[test]
    fn an_unexpected_answer_shows_the_lines_and_no_secret() {
        let error = UnexpectedAnswer::new(
            "AT+CMQTTCONNECT?",
            "+CMQTTCONNECT: <index>",
            &lines("+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"hunter2\""),
        );
        let message = error.to_string();
        assert!(message.contains("tcp://h:1883"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
        let nothing = UnexpectedAnswer::new("AT+CSQ", "+CSQ: <rssi>,<ber>", &[]).to_string();
        assert!(
            nothing.starts_with("AT+CSQ was answered with nothing, where +CSQ: <rssi>,<ber>"),
            "{nothing}"
        );
    }
}
