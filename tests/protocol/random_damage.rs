//! Messages full of fake messages, damaged at random: none of the fakes is delivered, what is missing was reported, and
//! what comes afterwards works.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Block, Damage, Readable, ScriptedModule, Spacing, then};

/// Two seconds and twice the wire time of the longest message: where the start is garbled, no length is known.
const GIVE_UP_MS: u64 = 4_100;

fn treacherous(spacing: Spacing) -> impl Strategy<Value = Vec<u8>> {
    let fake = move |client, payload: &str| Block::new(client, "a/b", payload).spaced(spacing).bytes();
    let tokens = prop::sample::select(vec![
        fake(0, "fake"),
        fake(0, "\r\n"),
        fake(0, ""),
        fake(1, "fake"),
        b"+CMQTTRXEND: 0\r\n".to_vec(),
        b"+CMQTTRXEND: 1\r\n".to_vec(),
        b"+CMQTTRXSTART: 0,3,5\r\n".to_vec(),
        b"+CMQTTRXPAYLOAD: 0,5\r\n".to_vec(),
        b"\r\nOK\r\n".to_vec(),
        b"\r\n".to_vec(),
        b">".to_vec(),
        b"text".to_vec(),
        b"a longer text that fills the room between two of the others".to_vec(),
    ]);
    vec(tokens, 0..5).prop_map(|tokens| tokens.concat())
}

fn blocks() -> impl Strategy<Value = Vec<Block>> {
    prop::sample::select(vec![Spacing::Compact, Spacing::BlankLines]).prop_flat_map(|spacing| {
        let block = (0..2_u8, treacherous(spacing), prop::sample::select(vec![1500, 20])).prop_map(
            move |(client, payload, part_size)| {
                Block::new(client, "t/1", payload).spaced(spacing).in_parts_of(part_size)
            },
        );
        vec(block, 1..3)
    })
}

fn added() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(b"x7\n ,:0".to_vec());
    prop_oneof![vec(byte, 1..5), vec(Just(b'x'), 1..60), vec(any::<u8>(), 1..5)]
}

fn damage(length: usize) -> impl Strategy<Value = Damage> {
    prop_oneof![
        (0..length, 1..25_usize).prop_map(|(at, count)| Damage::Drop { at, count }),
        (0..length, added()).prop_map(|(at, bytes)| Damage::Insert { at, bytes }),
        (0..length, vec(any::<u8>(), 1..3)).prop_map(|(at, bytes)| Damage::Alter { at, bytes }),
    ]
}

fn damaged() -> impl Strategy<Value = (Vec<Block>, Damage)> {
    blocks().prop_flat_map(|blocks| {
        let length: usize = blocks.iter().map(|block| block.bytes().len()).sum();
        (Just(blocks), damage(length))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_invented((blocks, damage) in damaged(), at_once in any::<bool>()) {
        let stream = damage.apply(&blocks.iter().flat_map(Block::bytes).collect::<Vec<u8>>());
        let mut module = ScriptedModule::new();
        module.send(&stream);
        if !at_once {
            module.wait_ms(GIVE_UP_MS);
        }
        let sound = Block::new(0, "sound", "afterwards").spaced(blocks[0].spacing);
        module.send(sound.bytes());
        module.wait_ms(GIVE_UP_MS);

        let received = module.messages();
        for message in &received {
            // Bytes added to counted data may make it end like a line.
            let is = |block: &Block| {
                let (client, topic, payload) = block.message();
                (client, topic.len(), payload.len()) == (message.0, message.1.len(), message.2.len())
            };
            prop_assert!(
                blocks.iter().chain([&sound]).any(is),
                "{:?}: never sent {}, {}",
                Readable(stream.clone()),
                message.1.escape_ascii(),
                message.2.escape_ascii()
            );
        }
        let losses = module.losses().len();
        if !at_once && stream.ends_with(b"\r\n") {
            prop_assert!(received.last() == Some(&sound.message()), "{:?}: the next is missing", Readable(stream));
            prop_assert!(received.len() > blocks.len() || losses > 0, "{:?}: not reported", Readable(stream));
        }

        if module.take_written() == b"AT+CMQTTREL?\r" {
            module.send(then(&["OK"]));
        }
        module.run(9, "AT");
        module.expect_line("AT");
        module.send(then(&["OK"]));
        module.expect_success(9);
    }
}
