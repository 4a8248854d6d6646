//! The module's half of the line: takes commands and answers without delay.

use std::io::Write;

/// The answer of the module to one command or to entered data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub at_once: Vec<u8>,
    /// Bytes that follow after a network round trip: the result of PUB.
    pub after_round_trip: Vec<u8>,
}

#[derive(Debug, Default)]
pub struct Module {
    state: State,
    publishes: u64,
}

#[derive(Debug)]
enum State {
    Command { line: Vec<u8> },
    Data { remaining: usize, name: String, client: char },
}

impl Default for State {
    fn default() -> Self {
        Self::Command { line: Vec::new() }
    }
}

/// No AT command is longer.
const LONGEST_LINE: usize = 3072;

impl Module {
    pub fn publishes(&self) -> u64 {
        self.publishes
    }

    /// Takes `input` up to the end of a command or of entered data. Returns the number of bytes and the answer.
    pub fn step(&mut self, input: &[u8]) -> (usize, Option<Answer>) {
        match &mut self.state {
            State::Data { remaining, .. } => {
                let taken = input.len().min(*remaining);
                *remaining -= taken;
                let is_over = *remaining == 0;
                (taken, is_over.then(|| self.data_entered()))
            }
            State::Command { line } => {
                let Some(end) = input.iter().position(|byte| *byte == b'\r') else {
                    let room = LONGEST_LINE.saturating_sub(line.len());
                    line.extend(input.iter().take(room));
                    return (input.len(), None);
                };
                line.extend_from_slice(&input[..end]);
                let line = String::from_utf8_lossy(&std::mem::take(line)).trim().to_owned();
                // Hosts that end a command with CR LF write both at once.
                let line_feed = usize::from(input.get(end + 1) == Some(&b'\n'));
                (end + 1 + line_feed, (!line.is_empty()).then(|| self.command(&line)))
            }
        }
    }

    fn data_entered(&mut self) -> Answer {
        let State::Data { name, client, .. } = std::mem::take(&mut self.state) else {
            return Answer::default();
        };
        match name.as_str() {
            "SUB" | "UNSUB" => at_once(format!("\r\nOK\r\n\r\n+CMQTT{name}: {client},0\r\n")),
            _ => at_once("\r\nOK\r\n"),
        }
    }

    fn command(&mut self, line: &str) -> Answer {
        let Some(mqtt) = line.strip_prefix("AT+CMQTT") else { return around_mqtt(line) };
        let name_end = mqtt.find(['=', '?']).unwrap_or(mqtt.len());
        let (name, arguments) = mqtt.split_at(name_end);
        if arguments == "=?" && name != "PAYLOAD" {
            return at_once(format!("\r\n+CMQTT{name}: (0-1)\r\n\r\nOK\r\n"));
        }
        let arguments = arguments.strip_prefix('=').unwrap_or(arguments);
        let mut fields = arguments.split(',');
        let client = fields.next().and_then(|field| field.chars().next()).unwrap_or('0');
        match (name, arguments) {
            ("PAYLOAD", "?") => at_once("\r\n+CMQTTPAYLOAD: (0-1),(1-10240)\r\n\r\nOK\r\n"),
            ("ACCQ", "?") => at_once("\r\n+CMQTTACCQ: 0,\"\",0\r\n+CMQTTACCQ: 1,\"\",0\r\n\r\nOK\r\n"),
            ("TOPIC" | "PAYLOAD" | "SUB" | "UNSUB" | "WILLTOPIC" | "WILLMSG", _) => {
                let remaining = fields.next().and_then(|length| length.parse().ok()).unwrap_or(0);
                if remaining == 0 {
                    return at_once("\r\nERROR\r\n");
                }
                self.state = State::Data { remaining, name: name.to_owned(), client };
                at_once("\r\n>")
            }
            ("PUB", _) => {
                self.publishes += 1;
                Answer {
                    at_once: b"\r\nOK\r\n".to_vec(),
                    after_round_trip: format!("\r\n+CMQTTPUB: {client},0\r\n").into_bytes(),
                }
            }
            ("START" | "STOP", _) => at_once(format!("\r\nOK\r\n\r\n+CMQTT{name}: 0\r\n")),
            ("CONNECT" | "DISC", _) => at_once(format!("\r\nOK\r\n\r\n+CMQTT{name}: {client},0\r\n")),
            (_, "?") | ("ACCQ" | "REL" | "CFG" | "SSLCFG", _) => at_once("\r\nOK\r\n"),
            _ => at_once("\r\nERROR\r\n"),
        }
    }
}

fn around_mqtt(line: &str) -> Answer {
    match line {
        "AT+CGSN" => at_once("\r\n864284060000000\r\n\r\nOK\r\n"),
        "AT" | "ATE0" | "ATE1" | "ATV1" | "ATZ" => at_once("\r\nOK\r\n"),
        line if line.starts_with("AT+CMEE=") => at_once("\r\nOK\r\n"),
        _ => at_once("\r\nERROR\r\n"),
    }
}

fn at_once(text: impl AsRef<str>) -> Answer {
    Answer { at_once: text.as_ref().as_bytes().to_vec(), after_round_trip: Vec::new() }
}

/// Returns the parts that a host writes to publish, in order.
pub fn publish_pieces(client: u8, topic: &[u8], payload: &[u8]) -> Vec<Vec<u8>> {
    let line = |text: std::fmt::Arguments<'_>| {
        let mut bytes = Vec::new();
        bytes.write_fmt(text).expect("writing to a vector cannot fail");
        bytes
    };
    vec![
        line(format_args!("AT+CMQTTTOPIC={client},{}\r", topic.len())),
        topic.to_vec(),
        line(format_args!("AT+CMQTTPAYLOAD={client},{}\r", payload.len())),
        payload.to_vec(),
        line(format_args!("AT+CMQTTPUB={client},1,60\r")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(module: &mut Module, mut input: &[u8]) -> Vec<Answer> {
        let mut answers = Vec::new();
        while !input.is_empty() {
            let (taken, answer) = module.step(input);
            answers.extend(answer);
            input = &input[taken..];
        }
        answers
    }

    #[test]
    fn takes_a_publish_whatever_its_data_looks_like() {
        let mut module = Module::default();
        let written = publish_pieces(1, b"a\rb", b"AT\rAT+CMQTTPUB=0,0,60\r").concat();
        let answers: Vec<_> = said(&mut module, &written)
            .iter()
            .map(|answer| [&answer.at_once[..], &answer.after_round_trip].concat())
            .collect();
        let expected: [&[u8]; 5] =
            [b"\r\n>", b"\r\nOK\r\n", b"\r\n>", b"\r\nOK\r\n", b"\r\nOK\r\n\r\n+CMQTTPUB: 1,0\r\n"];
        assert_eq!(answers, expected);
        assert_eq!(module.publishes(), 1);
    }

    #[test]
    fn takes_a_command_a_byte_at_a_time() {
        let mut module = Module::default();
        let answers: Vec<_> =
            b"ATE0\r\nAT+CMQTTSTART\r".iter().flat_map(|byte| said(&mut module, &[*byte])).collect();
        assert_eq!(answers, [at_once("\r\nOK\r\n"), at_once("\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n")]);
    }
}
