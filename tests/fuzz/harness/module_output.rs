use arbitrary::Arbitrary;

/// Output that a module can send at any moment, correct or not.
#[derive(Arbitrary, Debug)]
pub enum ModuleOutput<'a> {
    Bytes(&'a [u8]),
    Line(Text),
    Prompt(PromptForm),
    Result {
        operation: Operation,
        client: Digit,
        code: u8,
    },
    Refusal {
        operation: Operation,
        client: Digit,
        code: u8,
    },
    ConnectionLost {
        client: Digit,
        cause: Digit,
    },
    Start {
        client: Digit,
        topic: u16,
        payload: u16,
    },
    Topic {
        client: Digit,
        length: u16,
    },
    Payload {
        client: Digit,
        length: u16,
    },
    End {
        client: Digit,
    },
    Block {
        client: Digit,
        topic: u8,
        payload: u8,
        filler: u8,
    },
    Many {
        text: Text,
        count: u16,
    },
    /// The echo of the driver's last bytes.
    Echo {
        whole: bool,
    },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Text {
    Ok,
    Error,
    CmeError,
    Blank,
    Boot,
    NoNetwork,
    Satellites,
    Unknown,
    Signal,
    Topics,
    FenceAnswer,
}

#[derive(Arbitrary, Debug)]
pub enum PromptForm {
    Bare,
    Space,
    LineEnd,
}

#[derive(Arbitrary, Debug)]
pub enum Operation {
    Start,
    Stop,
    Connect,
    Disconnect,
    Publish,
    Subscribe,
    Unsubscribe,
    Topic,
}

/// A client number, mostly a valid one.
#[derive(Arbitrary, Debug)]
pub enum Digit {
    Zero,
    One,
    Other(u8),
}

impl ModuleOutput<'_> {
    /// Returns the bytes; `echo` is what the driver wrote last.
    pub fn bytes(&self, echo: &[u8]) -> Vec<u8> {
        const MOST_REPEATED: u16 = 300;
        match self {
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Line(text) => line(text.text()),
            Self::Prompt(form) => form.bytes().to_vec(),
            Self::Result { operation, client, code } => line(&operation.result(client, *code)),
            Self::Refusal { operation, client, code } => {
                [line(&operation.result(client, *code)), line("ERROR")].concat()
            }
            Self::ConnectionLost { client, cause } => {
                line(&format!("+CMQTTCONNLOST: {},{}", client.number(), cause.number()))
            }
            Self::Start { client, topic, payload } => {
                line(&format!("+CMQTTRXSTART: {},{topic},{payload}", client.number()))
            }
            Self::Topic { client, length } => part("TOPIC", client, (*length).into()),
            Self::Payload { client, length } => part("PAYLOAD", client, (*length).into()),
            Self::End { client } => format!("+CMQTTRXEND: {}\r\n", client.number()).into_bytes(),
            Self::Block { client, topic, payload, filler } => block(client, *topic, *payload, *filler),
            Self::Many { text, count } => line(text.text()).repeat(usize::from(*count % MOST_REPEATED)),
            Self::Echo { whole: true } => echo.to_vec(),
            Self::Echo { whole: false } => echo[..echo.len() / 2].to_vec(),
        }
    }
}

fn line(text: &str) -> Vec<u8> {
    format!("\r\n{text}\r\n").into_bytes()
}

fn part(name: &str, client: &Digit, length: usize) -> Vec<u8> {
    format!("+CMQTTRX{name}: {},{length}\r\n", client.number()).into_bytes()
}

fn block(client: &Digit, topic: u8, payload: u8, filler: u8) -> Vec<u8> {
    let (topic, payload) = (usize::from(topic), usize::from(payload));
    let number = client.number();
    let mut bytes = line(&format!("+CMQTTRXSTART: {number},{topic},{payload}"));
    for (name, length) in [("TOPIC", topic), ("PAYLOAD", payload)] {
        if length > 0 {
            bytes.extend(part(name, client, length));
            bytes.extend(vec![filler; length]);
            bytes.extend(b"\r\n");
        }
    }
    bytes.extend(format!("+CMQTTRXEND: {number}\r\n").into_bytes());
    bytes
}

impl Text {
    fn text(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Error => "ERROR",
            Self::CmeError => "+CME ERROR: 100",
            Self::Blank => "",
            Self::Boot => "RDY",
            Self::NoNetwork => "+CMQTTNONET",
            Self::Satellites => "$GNRMC,,V,,,,,,,,,,N*4D",
            Self::Unknown => "+WHATEVER: 1",
            Self::Signal => "+CSQ: 20,0",
            Self::Topics => "+CMQTTSUB:",
            Self::FenceAnswer => "+CMQTTDISC: (0-1),(0, 60-180)",
        }
    }
}

impl PromptForm {
    fn bytes(&self) -> &'static [u8] {
        match self {
            Self::Bare => b"\r\n>",
            Self::Space => b"\r\n> ",
            Self::LineEnd => b"\r\n>\r\n",
        }
    }
}

impl Operation {
    fn result(&self, client: &Digit, code: u8) -> String {
        let name = match self {
            Self::Start => return format!("+CMQTTSTART: {code}"),
            Self::Stop => return format!("+CMQTTSTOP: {code}"),
            Self::Connect => "CONNECT",
            Self::Disconnect => "DISC",
            Self::Publish => "PUB",
            Self::Subscribe => "SUB",
            Self::Unsubscribe => "UNSUB",
            Self::Topic => "TOPIC",
        };
        format!("+CMQTT{name}: {},{code}", client.number())
    }
}

impl Digit {
    fn number(&self) -> u8 {
        match self {
            Self::Zero => 0,
            Self::One => 1,
            Self::Other(number) => *number,
        }
    }
}
