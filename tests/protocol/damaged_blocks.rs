//! Bytes lost, added or altered anywhere in a message: no message is invented, a missing one is reported, and
//! the next one works.

use crate::support::{Block, Damage, ScriptedModule, Spacing, then};

type Message = (u8, Vec<u8>, Vec<u8>);

const SPACINGS: [Spacing; 2] = Spacing::EVEN;

/// Two seconds and twice the wire time of the longest message: a garbled start gives no length.
const DROP_AFTER_MS: u64 = 4_100;
/// The same for short messages with an intact start.
const DROP_SHORT_AFTER_MS: u64 = 2_200;

/// Returns payloads that look like messages and answers.
fn payloads_like_messages(spacing: Spacing) -> Vec<Vec<u8>> {
    let fake = |client| Block::new(client, "fake", "never sent").spaced(spacing).bytes();
    vec![
        b"plain".to_vec(),
        b"".to_vec(),
        b"\r\nOK\r\n".to_vec(),
        [b"ab\r\n".to_vec(), fake(0)].concat(),
        [b"ab".to_vec(), fake(1), b"cd".to_vec()].concat(),
        [b"\r\n+CMQTTRXEND: 0\r\n".to_vec(), fake(0)].concat(),
        [b"\r\n\r\n+CMQTTRXEND: 0\r\n\r\nOK\r\n".to_vec(), fake(1), b"x".to_vec()].concat(),
        [fake(0), fake(0)].concat(),
    ]
}

/// Asserts that every received message was sent, each once and in order. No driver can detect bytes altered inside
/// counted data without a change of length: the line has no checksum.
fn assert_nothing_invented(damage: &Damage, sent: &[Message], received: &[Message]) {
    let mut candidates = sent.iter();
    for message in received {
        let same = |candidate: &Message| {
            let same_lengths = candidate.0 == message.0
                && candidate.1.len() == message.1.len()
                && candidate.2.len() == message.2.len();
            candidate == message || (damage.keeps_the_length() && same_lengths)
        };
        assert!(candidates.any(same), "{damage:?}: never sent {}", describe(message));
    }
}

fn describe(message: &Message) -> String {
    format!("{}, {}, {}", message.0, message.1.escape_ascii(), message.2.escape_ascii())
}

/// Plays the damaged messages, then an intact one and a command, at once or after the timeout of a block.
fn play(damage: &Damage, damaged: &[Block], wait_first: bool) {
    play_on(ScriptedModule::new(), damage, damaged, wait_first);
}

fn play_on(mut module: ScriptedModule, damage: &Damage, damaged: &[Block], wait_first: bool) {
    let stream: Vec<u8> = damaged.iter().flat_map(Block::bytes).collect();
    let intact = Block::new(0, "sound", "afterwards").spaced(damaged[0].spacing);
    module.send(damage.apply(&stream));
    if wait_first {
        module.wait_ms(DROP_AFTER_MS);
    }
    module.send(intact.bytes());
    module.wait_ms(DROP_AFTER_MS);

    let sent: Vec<Message> = damaged.iter().chain([&intact]).map(Block::message).collect();
    let received = module.messages();
    let losses = module.losses();
    assert_nothing_invented(damage, &sent, &received);
    assert!(
        received.last() == Some(&intact.message()),
        "{damage:?}, waited {wait_first}: the next message is missing: {:?}, {losses:?}",
        received.iter().map(describe).collect::<Vec<_>>()
    );
    let unseen = damaged.len() - intact_starts(damage, damaged);
    let missing = (sent.len() - received.len()).saturating_sub(unseen);
    assert!(losses.len() >= missing, "{damage:?}: {missing} missing, {} reported", losses.len());

    module.expect_to_work();
}

/// Returns how many blocks have an intact start: only those count as messages.
fn intact_starts(damage: &Damage, blocks: &[Block]) -> usize {
    let mut from = 0;
    let mut intact = 0;
    for block in blocks {
        let start = from..from + block.pieces()[0].len();
        let touched = damage.reach();
        intact += usize::from(touched.end <= start.start || touched.start >= start.end);
        from += block.bytes().len();
    }
    intact
}

fn play_everywhere(damaged: &[Block], counts: &[usize]) {
    let length = damaged.iter().map(|block| block.bytes().len()).sum();
    for (number, damage) in Damage::everywhere(length, counts).iter().enumerate() {
        play(damage, damaged, number % 2 == 0);
    }
}

/// Two bytes more or less in a part change only the blank lines behind it. The layout of the messages before tells.
#[test]
fn damage_is_noticed_in_every_layout_that_is_known() {
    for spacing in Spacing::all() {
        for payload in ["text\r\n", "\r\nOK\r\n", "two\r\nlines\r\n\r\n"] {
            let block = Block::new(0, "t/1", payload).spaced(spacing);
            for damage in &Damage::everywhere(block.bytes().len(), &[1, 2]) {
                play_on(module_of_known_layout(spacing), damage, std::slice::from_ref(&block), true);
            }
        }
    }
}

fn module_of_known_layout(spacing: Spacing) -> ScriptedModule {
    let mut module = ScriptedModule::new();
    for _ in 0..10 {
        module.send(Block::new(0, "t/1", "plain").spaced(spacing).bytes());
    }
    assert_eq!(module.messages().len(), 10);
    module
}

#[test]
fn damage_in_one_message() {
    for spacing in SPACINGS {
        for payload in payloads_like_messages(spacing) {
            play_everywhere(&[Block::new(0, "t/1", payload).spaced(spacing)], &[1, 2]);
        }
    }
}

/// Added line ends can push the rest of a part behind its count, where it looks like a line.
#[test]
fn added_line_ends() {
    for spacing in SPACINGS {
        for payload in payloads_like_messages(spacing) {
            let block = Block::new(0, "real", payload).spaced(spacing);
            for at in 0..block.bytes().len() {
                for count in 1..=4 {
                    let damage = Damage::Insert { at, bytes: b"\r\n".repeat(count) };
                    play(&damage, std::slice::from_ref(&block), at % 2 == 0);
                }
            }
        }
    }
}

#[test]
fn damage_in_a_message_of_several_parts() {
    for spacing in SPACINGS {
        let payload = &payloads_like_messages(spacing)[3];
        play_everywhere(&[Block::new(0, "topic", payload).spaced(spacing).in_parts_of(20)], &[1, 3]);
    }
}

#[test]
fn damage_in_two_messages() {
    for spacing in SPACINGS {
        for payload in &payloads_like_messages(spacing)[2..5] {
            for second in [0, 1] {
                let blocks = [
                    Block::new(0, "t/1", payload).spaced(spacing),
                    Block::new(second, "t/2", payload).spaced(spacing),
                ];
                play_everywhere(&blocks, &[1]);
            }
        }
    }
}

/// Gaps of the kind that a slow host causes.
#[test]
fn long_gaps_in_messages() {
    for spacing in SPACINGS {
        let payload = &payloads_like_messages(spacing)[3];
        let blocks =
            [Block::new(0, "t/1", payload).spaced(spacing), Block::new(0, "t/2", payload).spaced(spacing)];
        let length: usize = blocks.iter().map(|block| block.bytes().len()).sum();
        for at in 0..length {
            for count in [5, 8, 13, 21, 34, 55] {
                // Without any part of the start, the payload looks like other lines.
                if at + count <= length && intact_starts(&Damage::Drop { at, count }, &blocks) == 2 {
                    play(&Damage::Drop { at, count }, &blocks, true);
                }
            }
        }
    }
}

/// The count of the damaged part covers whole messages behind it.
#[test]
fn gap_as_long_as_the_messages_behind_it() {
    for spacing in SPACINGS {
        let long = Block::new(0, "t/1", "x".repeat(1500)).spaced(spacing);
        let behind = (0..20).map(|n| Block::new(n % 2, "t/2", format!("sound {n}")).spaced(spacing));
        let blocks: Vec<Block> = [long].into_iter().chain(behind).collect();
        for count in (10..1400).step_by(7) {
            play_a_gap(count, &blocks, count % 2 == 0);
        }
    }
}

/// The count can end in the middle of an intact message, whose payload is then read as lines.
#[test]
fn gap_before_a_message_full_of_others() {
    for spacing in SPACINGS {
        let fake = Block::new(0, "fake", "never sent").spaced(spacing).bytes();
        let payload = [b"\r\n+CMQTTRXEND: 0\r\n+CMQTTCONNLOST: 0,1\r\n", &fake[..], b"text"].concat();
        for client in [0, 1] {
            let long = Block::new(0, "t/1", "x".repeat(400)).spaced(spacing);
            let full = Block::new(client, "t/2", &payload).spaced(spacing);
            for count in 1..250 {
                play_a_gap(count, &[long.clone(), full.clone()], true);
            }
        }
    }
}

/// Plays a gap in the payload of the first block, unless the rest is equal to another intact message.
fn play_a_gap(count: usize, blocks: &[Block], wait_first: bool) {
    let stream: Vec<u8> = blocks.iter().flat_map(Block::bytes).collect();
    let ends_at = blocks[0].bytes().len() - blocks[0].pieces()[3].len() - 2;
    let rest = &stream[ends_at + count..];
    let rest =
        if blocks[0].spacing == Spacing::BLANK_LINES { rest.strip_prefix(b"\r\n") } else { Some(rest) };
    if rest.is_none_or(|rest| !rest.starts_with(b"\r\n+CMQTTRXEND: 0\r\n")) {
        play(&Damage::Drop { at: 100, count }, blocks, wait_first);
    }
}

/// The payload is then read as lines, and its end is unknown.
#[test]
fn gaps_in_the_header_and_at_the_end_of_a_payload() {
    for spacing in SPACINGS {
        let fake = Block::new(0, "fake", "never sent").spaced(spacing).bytes();
        for payload in [fake.clone(), [&fake[..], b"text"].concat(), [&fake[..], &fake[..]].concat()] {
            let block = Block::new(0, "t/1", payload).spaced(spacing);
            let [start, topic, part, end] = &block.pieces()[..] else { panic!("{block:?}") };
            let header = start.len() + topic.len();
            let header_length = part.len() - block.payload.len() - 2;
            for (first, second) in pairs(header..header + header_length, end.len()) {
                let at = header + part.len() + second;
                let stream = Damage::Alter { at, bytes: b"x".to_vec() }.apply(&block.bytes());
                let mut module = ScriptedModule::new();
                module.send(Damage::Drop { at: first, count: 2 }.apply(&stream));
                module.wait_ms(DROP_AFTER_MS);
                assert!(module.messages().is_empty(), "{first}, {second}: {}", stream.escape_ascii());
                assert!(!module.losses().is_empty());
            }
        }
    }
}

fn pairs(first: std::ops::Range<usize>, second: usize) -> impl Iterator<Item = (usize, usize)> {
    first.flat_map(move |first| (0..second).map(move |second| (first, second)))
}

/// A header cut so short that its client is unknown, with a payload that begins with an end.
#[test]
fn gap_that_joins_two_headers() {
    for spacing in SPACINGS {
        let fake = Block::new(0, "fake", "never sent").spaced(spacing).bytes();
        let block = Block::new(0, "t/1", [b"+CMQTTRXEND: 0\r\n", &fake[..]].concat()).spaced(spacing);
        let headers = block.bytes().len() - block.payload.len() - block.pieces()[3].len() - 2;
        let recognizable = b"\r\n+CMQTTRX".len();
        for at in recognizable..headers {
            for count in 1..headers - at {
                play(&Damage::Drop { at, count }, std::slice::from_ref(&block), true);
            }
        }
        for count in [10, 20, 40, 80] {
            for at in 0..headers {
                let damage = Damage::Insert { at, bytes: vec![b'x'; count] };
                play(&damage, std::slice::from_ref(&block), true);
            }
        }
    }
}

/// The answer to the command follows the damaged message.
#[test]
fn command_in_flight_survives_a_damaged_message() {
    for spacing in SPACINGS {
        for payload in payloads_like_messages(spacing) {
            let block = Block::new(0, "t/1", payload).spaced(spacing);
            for damage in Damage::everywhere(block.bytes().len(), &[1]) {
                let mut module = ScriptedModule::new();
                module.run(1, "AT+CSQ");
                module.expect_line("AT+CSQ");
                module.send(damage.apply(&block.bytes()));
                module.send(then(&["+CSQ: 20,0", "OK"]));
                module.wait_ms(DROP_AFTER_MS);
                let outcome = module.outcome(1).unwrap_or_else(|| panic!("{damage:?} {block:?}: no answer"));
                assert_eq!(outcome.expect("an answer"), [[b"+CSQ: 20,0"]], "{damage:?} {block:?}");
            }
        }
    }
}

/// The longest payload, full of lines, is dropped in time.
#[test]
fn damaged_payload_of_thousands_of_lines_ends_in_time() {
    let fake = Block::new(0, "fake", "never sent").bytes();
    let payload = ["\n\na".repeat(3300).as_bytes(), &fake].concat();
    let block = Block::new(0, "t", &payload);
    let bytes = block.bytes();
    let header = bytes.windows(14).position(|window| window == b"+CMQTTRXPAYLOA").unwrap();
    let mut module = ScriptedModule::new();
    module.send(Damage::Alter { at: header + 10, bytes: b"X".to_vec() }.apply(&bytes));
    module.wait_ms(5_000);
    assert!(module.messages().is_empty());
    assert!(!module.losses().is_empty());
}

/// Start and end of the message are missing: later lines are read as usual.
#[test]
fn part_without_start_or_end_is_dropped() {
    for header in ["+CMQTTRXPAYLOAD: 0,10240", "+CMQTTRXTOPIC: 1,1024"] {
        let mut module = ScriptedModule::new();
        module.send(then(&[header]));
        module.send("abc");
        module.run(1, "AT");
        module.expect_nothing_written();
        module.wait_ms(4_000);
        assert_eq!(module.losses().len(), 1);
        module.expect_line("AT");
        module.send(then(&["OK"]));
        module.expect_success(1);
        module.send(Block::new(0, "a", "b").bytes());
        module.expect_message(0, "a", "b");
    }
}

#[test]
fn message_cut_at_any_byte_is_reported() {
    for spacing in SPACINGS {
        for payload in payloads_like_messages(spacing) {
            let block = Block::new(1, "t/1", payload).spaced(spacing);
            let bytes = block.bytes();
            for length in block.pieces()[0].len()..bytes.len() - 2 {
                let mut module = ScriptedModule::new();
                module.send(&bytes[..length]);
                module.wait_ms(DROP_SHORT_AFTER_MS);
                module.send("\r\n");
                module.send(then(&["RDY"]));
                assert!(module.messages().is_empty());
                assert_eq!(module.losses().len(), 1, "{length} of {:?}", bytes.escape_ascii().to_string());
                assert!(module.urcs().contains(&"RDY".to_owned()), "{length}");
            }
        }
    }
}

/// The timeout of a block is two seconds and twice its wire time, with any other input.
#[test]
fn other_lines_do_not_extend_the_timeout_of_a_block() {
    let mut module = ScriptedModule::new();
    module.send("\r\n+CMQTTRXSTART: 0,1,10000\r\n+CMQTTRXTOPIC: 0,1\r\na\r\n");
    module.run(1, "AT");
    // 2 s + 2 × (10,001 + 256) × 10 bits / 115,200 baud
    for _ in 0..37 {
        module.wait_ms(100);
        module.send(then(&["+CGEV: x"]));
        module.send(then(&["+UNKNOWN: x"]));
    }
    module.expect_nothing_written();
    assert!(module.losses().is_empty());
    module.wait_ms(100);
    assert_eq!(module.losses().len(), 1);
    module.expect_line("AT");
    assert_eq!(module.urcs().len(), 2 * 37);
}

#[test]
fn impossible_lengths_are_refused() {
    for start in ["0,0,5", "0,1025,5", "0,5,10241", "0,99999,99999", "2,5,5"] {
        let mut module = ScriptedModule::new();
        module.send(then(&[&format!("+CMQTTRXSTART: {start}")]));
        module.send("+CMQTTRXTOPIC: 0,5\r\nabcde\r\n+CMQTTRXPAYLOAD: 0,5\r\nabcde\r\n+CMQTTRXEND: 0\r\n");
        assert!(module.messages().is_empty());
        assert!(!module.losses().is_empty(), "{start}");
        module.wait_ms(5_000);
        module.send(Block::new(0, "a", "b").bytes());
        module.expect_message(0, "a", "b");
    }
}

/// A line that is being received when the block times out stays intact.
#[test]
fn line_across_the_timeout_of_a_block_is_intact() {
    for part in ["0,0", "0,3"] {
        let mut module = ScriptedModule::new();
        module.send("\r\n+CMQTTRXSTART: 0,1,5\r\n+CMQTTRXTOPIC: 0,1\r\na\r\n");
        module.send(format!("+CMQTTRXPAYLOAD: {part}\r\n{}", if part == "0,3" { "abc\r\n" } else { "" }));
        module.wait_ms(2_000);
        module.send("\r\n+CGEV: ME ");
        module.wait_ms(DROP_AFTER_MS);
        assert_eq!(module.losses().len(), 1);
        module.send("DETACH\r\n");
        assert_eq!(module.urcs(), ["+CGEV: ME DETACH"]);
    }
}
