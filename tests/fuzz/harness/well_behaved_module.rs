use std::collections::VecDeque;

/// Reads the driver's bytes and answers as a correct module.
#[derive(Debug)]
pub struct WellBehavedModule {
    line: Vec<u8>,
    /// Number of missing bytes of a data entry, and its command line.
    entry: Option<(usize, String)>,
    echo: bool,
    answers: VecDeque<Vec<u8>>,
}

impl WellBehavedModule {
    pub fn new() -> Self {
        Self { line: Vec::new(), entry: None, echo: true, answers: VecDeque::new() }
    }

    pub fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.read_byte(*byte);
        }
    }

    /// Returns the next output, if there is any.
    pub fn next(&mut self) -> Option<Vec<u8>> {
        self.answers.pop_front()
    }

    fn read_byte(&mut self, byte: u8) {
        if let Some((missing, line)) = self.entry.take() {
            if missing > 1 {
                self.entry = Some((missing - 1, line));
            } else {
                self.data_is_complete(&line);
            }
            return;
        }
        match byte {
            b'\r' => {
                let line = std::mem::take(&mut self.line);
                if !line.is_empty() {
                    self.answer(&String::from_utf8_lossy(&line));
                }
            }
            // A line feed behind a line end is ignored.
            b'\n' if self.line.is_empty() => {}
            _ => self.line.push(byte),
        }
    }

    fn answer(&mut self, line: &str) {
        if self.echo {
            self.answers.push_back(format!("{line}\r").into_bytes());
        }
        let Some((name, parameters)) = split(line) else {
            return self.answer_basic(line);
        };
        match (name, parameters) {
            (name, "=?") => self.send(&[&format!("+{name}: (0-1),(1-1024)"), "OK"]),
            ("CMQTTTOPIC" | "CMQTTPAYLOAD" | "CMQTTSUB" | "CMQTTUNSUB" | "CCERTDOWN", parameters)
                if parameters.starts_with('=') =>
            {
                self.ask_for_data(line, parameters);
            }
            ("CMQTTREL", "?") => self.send(&["OK"]),
            ("CMQTTSUB", "?") => self.send(&["+CMQTTSUB:", "a/topic", "OK"]),
            ("CSQ", _) => self.send(&["+CSQ: 20,0", "OK"]),
            ("CGSN", _) => self.send(&["860000000000000", "OK"]),
            (name, "?") => self.send(&[&format!("+{name}: 0,0"), "OK"]),
            ("CMQTTSTART" | "CMQTTSTOP", _) => self.send(&["OK", &format!("+{name}: 0")]),
            ("CMQTTCONNECT" | "CMQTTDISC" | "CMQTTPUB", parameters) => {
                let client = client(parameters);
                self.send(&["OK", &format!("+{name}: {client},0")]);
            }
            _ => self.send(&["OK"]),
        }
    }

    fn answer_basic(&mut self, line: &str) {
        match line.to_ascii_uppercase().as_str() {
            "ATE0" => self.echo = false,
            "ATE1" => self.echo = true,
            "AT" => {}
            _ => return self.send(&["ERROR"]),
        }
        self.send(&["OK"]);
    }

    fn ask_for_data(&mut self, line: &str, parameters: &str) {
        let length = parameters.split(',').nth(1).and_then(|length| length.parse().ok()).unwrap_or(0);
        if !(1..=10_240).contains(&length) {
            return self.send(&["ERROR"]);
        }
        self.entry = Some((length, line.to_owned()));
        self.answers.push_back(b"\r\n>".to_vec());
    }

    fn data_is_complete(&mut self, line: &str) {
        self.send(&["OK"]);
        let Some((name @ ("CMQTTSUB" | "CMQTTUNSUB"), parameters)) = split(line) else { return };
        self.send(&[&format!("+{name}: {},0", client(parameters))]);
    }

    fn send(&mut self, lines: &[&str]) {
        self.answers.extend(lines.iter().map(|line| format!("\r\n{line}\r\n").into_bytes()));
    }
}

fn split(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("AT+")?;
    Some(rest.split_at(rest.find(['=', '?']).unwrap_or(rest.len())))
}

fn client(parameters: &str) -> &str {
    parameters[1..].split(',').next().unwrap_or_default()
}
