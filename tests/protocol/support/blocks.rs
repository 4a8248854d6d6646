/// A received message as the module sends it.
#[derive(Clone, Debug)]
pub struct Block {
    pub client: u8,
    pub topic: Vec<u8>,
    pub payload: Vec<u8>,
    pub spacing: Spacing,
    pub part_size: usize,
}

/// Which headers of a block have a blank line before them. Every RXSTART has exactly one line end before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spacing {
    pub topic: bool,
    pub payload: bool,
    pub end: bool,
}

impl Spacing {
    /// As the module of this family prints blocks.
    pub const COMPACT: Self = Self { topic: false, payload: false, end: false };
    /// As SIM7600 prints blocks.
    pub const BLANK_LINES: Self = Self { topic: true, payload: true, end: true };
    /// Before RXTOPIC only, as A76XX prints blocks.
    pub const BLANK_BEFORE_TOPIC: Self = Self { topic: true, payload: false, end: false };
    /// The two that are the same before every header.
    pub const EVEN: [Self; 2] = [Self::COMPACT, Self::BLANK_LINES];

    /// All eight.
    pub fn all() -> Vec<Self> {
        let choices = [false, true];
        let mut all = Vec::new();
        for topic in choices {
            for payload in choices {
                all.extend(choices.map(|end| Self { topic, payload, end }));
            }
        }
        all
    }
}

impl Block {
    pub fn new(client: u8, topic: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Self {
        Self {
            client,
            topic: topic.as_ref().to_vec(),
            payload: payload.as_ref().to_vec(),
            spacing: Spacing::COMPACT,
            part_size: 1500,
        }
    }

    pub fn spaced(mut self, spacing: Spacing) -> Self {
        self.spacing = spacing;
        self
    }

    pub fn in_parts_of(mut self, part_size: usize) -> Self {
        self.part_size = part_size;
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.pieces().concat()
    }

    /// Returns RXSTART, each part with its header, and RXEND: other lines can come in between.
    pub fn pieces(&self) -> Vec<Vec<u8>> {
        let blank = |is_there: bool| if is_there { "\r\n" } else { "" };
        let client = self.client;
        let start = format!("\r\n+CMQTTRXSTART: {client},{},{}\r\n", self.topic.len(), self.payload.len());
        let mut pieces = vec![start.into_bytes()];
        let topic = ("TOPIC", &self.topic, blank(self.spacing.topic));
        let payload = ("PAYLOAD", &self.payload, blank(self.spacing.payload));
        for (name, bytes, blank) in [topic, payload] {
            for part in bytes.chunks(self.part_size) {
                let header = format!("{blank}+CMQTTRX{name}: {client},{}\r\n", part.len());
                pieces.push([header.as_bytes(), part, b"\r\n"].concat());
            }
        }
        pieces.push(format!("{}+CMQTTRXEND: {client}\r\n", blank(self.spacing.end)).into_bytes());
        pieces
    }

    pub fn message(&self) -> (u8, Vec<u8>, Vec<u8>) {
        (self.client, self.topic.clone(), self.payload.clone())
    }
}

/// Returns payloads that break drivers which look for line ends, answers or prompts in them.
pub fn awkward_payloads() -> Vec<Vec<u8>> {
    let fake = Block::new(0, "fake", "never sent").bytes();
    vec![
        b"plain".to_vec(),
        b"O".to_vec(),
        b"OK".to_vec(),
        b"ERROR".to_vec(),
        b">".to_vec(),
        b" ".to_vec(),
        b"\r\n".to_vec(),
        b"\r".to_vec(),
        b"\n".to_vec(),
        b" leading space".to_vec(),
        b"\r\n>".to_vec(),
        b"OK\r\n".to_vec(),
        b"\r\nOK\r\n".to_vec(),
        b"\r\nERROR\r\n".to_vec(),
        b"\r\nOK\r\nand more".to_vec(),
        b"a\r\nOK\r\n\r\nOK\r\nb".to_vec(),
        b"+CMQTTPUB: 0,0\r\n".to_vec(),
        b"\r\n+CMQTTRXEND: 0\r\n".to_vec(),
        [&b"x"[..], &fake].concat(),
        fake,
        (0..=255).collect(),
    ]
}
