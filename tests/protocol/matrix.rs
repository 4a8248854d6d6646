//! Messages in every gap of an answer, in reads of every size: each message once, in order and unchanged, and each
//! command with its own result. Every cell of the matrix.

use crate::support::{Block, NamedOnPanic, Reads, ScriptedModule, Spacing, then};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gap {
    BeforeEcho,
    EchoOk,
    OkResult,
    BeforePrompt,
    PromptData,
    DataOk,
    BetweenParts,
}

const GAPS: [Gap; 7] = [
    Gap::BeforeEcho,
    Gap::EchoOk,
    Gap::OkResult,
    Gap::BeforePrompt,
    Gap::PromptData,
    Gap::DataOk,
    Gap::BetweenParts,
];
const READS: [usize; 6] = [1, 2, 7, 64, 1024, 4096];

#[derive(Clone, Copy, Debug)]
struct Profile {
    name: &'static str,
    prompt: &'static str,
    data_echo: bool,
    spacing: Spacing,
    topic_part: usize,
}

const PROFILES: [Profile; 4] = [
    Profile { name: "sim767x", prompt: "\r\n>", data_echo: true, spacing: Spacing::COMPACT, topic_part: 512 },
    Profile { name: "a76xx", prompt: "\r\n>", data_echo: false, spacing: Spacing::COMPACT, topic_part: 1500 },
    Profile {
        name: "a76xx with a blank line",
        prompt: "\r\n>",
        data_echo: false,
        spacing: Spacing::BLANK_BEFORE_TOPIC,
        topic_part: 1500,
    },
    Profile {
        name: "sim7600",
        prompt: "\r\n> ",
        data_echo: false,
        spacing: Spacing::BLANK_LINES,
        topic_part: 256,
    },
];
const PAYLOAD_PART: usize = 1500;
const TIMEOUT: u16 = 17;

/// Name, topic and payload.
fn contents() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let fake =
        [Block::new(0, "fake", "never sent").bytes(), Block::new(1, "fake", "never sent").bytes()].concat();
    let urcs = then(&["+CMQTTPUB: 0,0", "+CMQTTPUB: 1,0", "+CSQ: 99,99", "+CMQTTCONNLOST: 0,1", "QCRDY"]);
    let every_byte: Vec<u8> = (0..=255).collect();
    let longest = [fake.clone(), every_byte.clone()].concat().into_iter().cycle().take(10_240).collect();
    let payloads = [
        ("plain", b"21.5".to_vec()),
        ("CRLF", b"\r\n\r\nline\r\n\r\r\n\n".to_vec()),
        ("OK", b"before\r\nOK\r\nafter".to_vec()),
        ("ERROR", b"\r\nERROR\r\n".to_vec()),
        ("prompt", b"\r\n>\r\n> ".to_vec()),
        ("fake URCs", urcs),
        ("fake blocks", fake),
        ("every byte", every_byte),
        ("UTF-8", "Grüße, ☃ und 😀".into()),
        ("empty", Vec::new()),
        ("longest", longest),
    ];
    let mut contents: Vec<_> =
        payloads.into_iter().map(|(name, payload)| (name, b"a/b".to_vec(), payload)).collect();
    contents.push(("longest topic", b"t".repeat(1024), b"x".to_vec()));
    contents
}

struct Cell<'a> {
    gap: Gap,
    content: &'a (&'static str, Vec<u8>, Vec<u8>),
    echo: bool,
    client: u8,
    profile: Profile,
    /// Client, topic and payload of the sent messages, in order.
    sent: Vec<(u8, Vec<u8>, Vec<u8>)>,
}

#[test]
fn messages_in_every_gap_arrive_once_and_in_order() {
    let contents = contents();
    for gap in GAPS {
        for content in &contents {
            for echo in [true, false] {
                for read in READS {
                    for client in [0, 1] {
                        for profile in PROFILES {
                            let name = (gap, content.0, echo, read, client, profile.name);
                            let named = NamedOnPanic(format!("{name:?}"));
                            Cell { gap, content, echo, client, profile, sent: Vec::new() }.play(read);
                            drop(named);
                        }
                    }
                }
            }
        }
    }
}

impl Cell<'_> {
    fn play(mut self, read: usize) {
        let mut module = ScriptedModule::reading(Reads::Pieces(vec![read]));
        module.publish(1, self.client, b"up", b"hello");
        self.play_publish(&mut module, self.client, 0);
        module.expect_success(1);

        let other = 1 - self.client;
        module.publish(2, other, b"up", b"hello");
        self.play_publish(&mut module, other, TIMEOUT);
        assert_eq!(module.expect_refusal(2), Some(TIMEOUT));

        module.run(3, "AT+CSQ");
        self.play_command(&mut module, "AT+CSQ", &then(&["+CSQ: 23,0", "OK"]), None);
        assert_eq!(module.expect_success(3), [[b"+CSQ: 23,0"]]);

        assert!(!self.sent.is_empty());
        assert!(module.messages() == self.sent);
        module.expect_nothing_written();
        module.expect_no_other_events();
    }

    fn play_publish(&mut self, module: &mut ScriptedModule, client: u8, code: u16) {
        self.play_entry(module, &format!("AT+CMQTTTOPIC={client},2"), b"up");
        self.play_entry(module, &format!("AT+CMQTTPAYLOAD={client},5"), b"hello");
        let result = then(&[&format!("+CMQTTPUB: {client},{code}")]);
        self.play_command(module, &format!("AT+CMQTTPUB={client},1,60"), &then(&["OK"]), Some(&result));
    }

    fn play_entry(&mut self, module: &mut ScriptedModule, line: &str, data: &[u8]) {
        module.expect_line(line);
        let mut said = self.in_gap(Gap::BeforeEcho);
        said.extend(self.echo_of(line));
        said.extend(self.in_gap(Gap::BeforePrompt));
        said.extend(self.in_gap(Gap::BetweenParts));
        said.extend_from_slice(self.profile.prompt.as_bytes());
        said.extend(self.in_gap(Gap::PromptData));
        module.send(said);

        module.expect_data(data);
        let mut said = Vec::new();
        if self.echo && self.profile.data_echo {
            said.extend_from_slice(data);
        }
        said.extend(self.in_gap(Gap::DataOk));
        said.extend(then(&["OK"]));
        module.send(said);
    }

    fn play_command(
        &mut self,
        module: &mut ScriptedModule,
        line: &str,
        answer: &[u8],
        result: Option<&[u8]>,
    ) {
        module.expect_line(line);
        let mut said = self.in_gap(Gap::BeforeEcho);
        said.extend(self.echo_of(line));
        said.extend(self.in_gap(Gap::EchoOk));
        said.extend_from_slice(answer);
        if let Some(result) = result {
            said.extend(self.in_gap(Gap::OkResult));
            said.extend(self.in_gap(Gap::BetweenParts));
            said.extend_from_slice(result);
        }
        module.send(said);
    }

    fn echo_of(&self, line: &str) -> Vec<u8> {
        if self.echo { format!("{line}\r").into_bytes() } else { Vec::new() }
    }

    /// Returns the message if this is its gap; for the gap inside another message, at each place of that message.
    fn in_gap(&mut self, gap: Gap) -> Vec<u8> {
        if gap != self.gap {
            return Vec::new();
        }
        if gap != Gap::BetweenParts {
            return self.next_block(self.client).bytes();
        }
        let mut said = Vec::new();
        for place in 1..3 {
            let inner = self.next_block(self.client);
            let outer = self.next_block(1 - self.client).pieces();
            said.extend([outer[..place].concat(), inner.bytes(), outer[place..].concat()].concat());
        }
        said
    }

    fn next_block(&mut self, client: u8) -> Block {
        let (name, topic, payload) = self.content;
        let mut topic = topic.clone();
        // A number in the topic tells the messages apart.
        topic[0] = b'A' + u8::try_from(self.sent.len()).unwrap();
        let part = if *name == "longest topic" { self.profile.topic_part } else { PAYLOAD_PART };
        let block = Block::new(client, topic, payload).spaced(self.profile.spacing).in_parts_of(part);
        self.sent.push(block.message());
        block
    }
}
