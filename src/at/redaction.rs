//! Finds the secrets in commands and in the answers that repeat them, by the place of their parameters.
//!
//! This reads lines as they should be. A line that came over the wire may be damaged, and no syntax tells where a
//! password stands in the rest of it: while a command with a secret is in flight, such lines are not shown at all (see
//! `channel::tracer`).

use std::borrow::Cow;
use std::ops::Range;

use super::parameters::{Parameters, Value};

/// A command with a secret, which of its parameters that is, and whether the answers repeat it.
struct Secret {
    name: &'static [u8],
    parameter: Parameter,
    is_repeated: bool,
}

enum Parameter {
    At(usize),
    /// `<index>,"<address>",<keep-alive>,<clean session>,"<user>","<password>"`: everything behind the user name, and
    /// everything from the first value on that is not as it should be.
    BehindUserName,
}

const SECRETS: &[Secret] = &[
    Secret { name: b"CMQTTCONNECT", parameter: Parameter::BehindUserName, is_repeated: true },
    Secret { name: b"CPIN", parameter: Parameter::At(0), is_repeated: false },
    Secret { name: b"CPIN", parameter: Parameter::At(1), is_repeated: false },
    Secret { name: b"CGAUTH", parameter: Parameter::At(2), is_repeated: true },
    Secret { name: b"CGAUTH", parameter: Parameter::At(3), is_repeated: true },
    Secret { name: b"CLCK", parameter: Parameter::At(2), is_repeated: false },
    Secret { name: b"CPWD", parameter: Parameter::At(1), is_repeated: false },
    Secret { name: b"CPWD", parameter: Parameter::At(2), is_repeated: false },
];

/// `line` with each byte of its secrets replaced by an asterisk.
pub(crate) fn redacted(line: &[u8]) -> Cow<'_, [u8]> {
    let mut shown = Cow::Borrowed(line);
    for span in secret_spans(line) {
        shown.to_mut()[span].fill(b'*');
    }
    shown
}

/// The secrets of a command or of an answer. The command may stand behind others in its line.
pub(crate) fn secret_spans(line: &[u8]) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    for plus in memchr::memchr_iter(b'+', line) {
        let at = plus + 1;
        for secret in SECRETS {
            spans.extend(secret.span_at(line, at));
        }
    }
    spans
}

/// The read form of the command `name` is answered with a secret.
pub(crate) fn is_answered_with_secret(name: &[u8]) -> bool {
    SECRETS.iter().any(|secret| secret.is_repeated && name.eq_ignore_ascii_case(secret.name))
}

/// `line`, as an answer of the command `name`, has no secret that [`secret_spans`] would miss: it is not damaged.
pub(crate) fn is_sound_answer(line: &[u8], name: &[u8]) -> bool {
    let Some(parameters) = Parameters::of_information(line, name) else { return false };
    if !name.eq_ignore_ascii_case(b"CMQTTCONNECT") {
        return parameters.values().all(|value| !value.bytes().contains(&b'"'));
    }
    is_result(parameters) || values_before_password(parameters) == parameters.count().min(5)
}

/// Stands for a line that may hold a secret.
pub(crate) fn not_shown(line: &[u8]) -> Vec<u8> {
    format!("(*** {} bytes not shown: a password or key may be among them)", line.len()).into_bytes()
}

impl Secret {
    /// The secret of the command or answer whose name begins at `at`.
    fn span_at(&self, line: &[u8], at: usize) -> Option<Range<usize>> {
        let end = at + self.name.len();
        line.get(at..end).filter(|found| found.eq_ignore_ascii_case(self.name))?;
        let sign = end + line[end..].iter().take_while(|byte| **byte == b' ').count();
        let has_values = match line.get(sign)? {
            b'=' => line[sign + 1..].trim_ascii() != b"?",
            b':' => self.is_repeated,
            _ => false,
        };
        if !has_values {
            return None;
        }
        let text = &line[sign + 1..];
        let span = match self.parameter {
            Parameter::At(position) => Parameters::new(text).get(position)?.span(),
            Parameter::BehindUserName => password(text)?,
        };
        (!span.is_empty()).then_some(sign + 1 + span.start..sign + 1 + span.end)
    }
}

fn password(text: &[u8]) -> Option<Range<usize>> {
    let parameters = Parameters::new(text);
    if is_result(parameters) {
        return None;
    }
    let from = parameters.get(values_before_password(parameters))?.span().start;
    let end = text.trim_ascii_end().strip_suffix(b"\"").unwrap_or(text.trim_ascii_end()).len();
    Some(from..end.max(from))
}

/// `+CMQTTCONNECT: <index>,<err>`, or the answer to the test form, which begins with a range.
fn is_result(parameters: Parameters<'_>) -> bool {
    let mut values = parameters.values();
    let Some(first) = values.next() else { return false };
    let Some(second) = values.next() else { return first.is_empty() };
    first.bytes().starts_with(b"(0") || (is_number(second) && values.next().is_none())
}

/// How many values stand before the password, each as it should be.
fn values_before_password(parameters: Parameters<'_>) -> usize {
    let is_flag = |value: Value<'_>| !value.is_quoted() && value.flag().is_some();
    let is_address =
        |value: Value<'_>| is_plain_string(value) && value.bytes().iter().all(u8::is_ascii_graphic);
    let expected: [&dyn Fn(Value<'_>) -> bool; 5] =
        [&is_flag, &is_address, &is_number, &is_flag, &is_plain_string];
    parameters.values().zip(expected).take_while(|(value, is_sound)| is_sound(*value)).count()
}

fn is_number(value: Value<'_>) -> bool {
    const MOST_DIGITS: usize = 5;
    !value.is_quoted() && value.bytes().len() <= MOST_DIGITS && value.number::<u32>().is_some()
}

/// A string without a comma or a quote: either means that a quote was lost.
fn is_plain_string(value: Value<'_>) -> bool {
    let is_plain = |byte: &u8| !matches!(byte, b'"' | b',' | b'\r' | b'\n');
    value.is_closed() && !value.is_empty() && value.bytes().iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"secret\"";

    #[test]
    fn password_is_hidden_in_command_and_answer() {
        let sent = b"AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"s,cret\"";
        assert_eq!(&*redacted(sent), b"AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"******\"");
        assert_eq!(&*redacted(ANSWER), b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"******\"");
        assert!(is_sound_answer(ANSWER, b"CMQTTCONNECT"));
    }

    #[test]
    fn secret_of_a_command_among_others_is_hidden() {
        for line in [
            "AT+CSQ;+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"secret\"",
            "at+cmqttconnect = 0,\"tcp://h:1883\",60,1,\"user\",\"secret\"",
            "$GNRMC,,VAT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"secret\"",
            "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",secret",
            "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"se\"c,ret\"",
            "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,user,secret",
            "AT+CMQTTCONNECT=0,tcp://h:1883,60,1,\"user\",secret",
            "AT+CSQ;+CPIN=\"secret\"",
            "AT+CPIN=secret,secret",
            "AT+CGAUTH=1,1,\"user\",\"secret\"",
            "AT+CPWD=\"SC\",\"secret\",\"secret\"",
            "AT+CLCK=\"SC\",1,\"secret\"",
        ] {
            let shown = String::from_utf8(redacted(line.as_bytes()).into_owned()).unwrap();
            assert!(!shown.contains("sec") && !shown.contains("ret"), "{shown}");
        }
    }

    #[test]
    fn damaged_answer_is_not_shown() {
        let begins = ANSWER.len() - "secret\"".len();
        let mut damaged = Vec::new();
        for at in 0..begins {
            damaged.push([&ANSWER[..at], &ANSWER[at + 1..]].concat());
            for byte in *b"x0\",: " {
                damaged.push([&ANSWER[..at], &[byte], &ANSWER[at..]].concat());
                damaged.push([&ANSWER[..at], &[byte], &ANSWER[at + 1..]].concat());
            }
            for other in at + 1..begins {
                damaged.push([&ANSWER[..at], &ANSWER[at + 1..other], &ANSWER[other + 1..]].concat());
            }
            damaged.push(ANSWER[at..].to_vec());
        }
        for line in damaged {
            let is_shown = is_sound_answer(&line, b"CMQTTCONNECT");
            let shown = if is_shown { redacted(&line).into_owned() } else { not_shown(&line) };
            assert!(memchr::memmem::find(&shown, b"secret").is_none(), "{}", shown.escape_ascii());
        }
    }

    #[test]
    fn line_without_a_secret_is_shown_as_it_is() {
        for line in [
            &b"+CMQTTCONNECT: 0,0"[..],
            b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1",
            b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\"",
            b"AT",
            b"",
            b"OK",
            b"+CPIN: READY",
            b"+CMQTTCONNECT: 1",
            b"+CMQTTCONNECT: 0,31",
            b"AT+CMQTTCONNECT?",
            b"AT+CMQTTCONNECT=?",
            b"+CMQTTCONNECT: (0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]",
            b"+COPS: 0,0,\"CHN-UNICOM\",7",
            b"+CGDCONT: 1,\"IP\",\"internet\",\"0.0.0.0\",0,0",
        ] {
            assert!(matches!(redacted(line), Cow::Borrowed(_)), "{}", line.escape_ascii());
        }
    }
}
