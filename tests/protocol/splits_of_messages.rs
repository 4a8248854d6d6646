//! Received messages arrive unchanged, however their blocks are cut into reads.

use simcom_mqtt::at::ClientIndex;

use crate::support::{
    Block, ScriptedModule, Spacing, at_every_split, at_every_two_splits, awkward_payloads, byte_by_byte, then,
};

const SPACINGS: [Spacing; 2] = Spacing::EVEN;

#[test]
fn block_of_a_real_module_is_received() {
    let topic = "a".repeat(38);
    let block = Block::new(0, &topic, "b".repeat(15));
    assert_eq!(block.bytes().len(), 143, "as recorded");
    at_every_two_splits(|module| {
        module.send(block.bytes());
        module.expect_message(0, &topic, "b".repeat(15));
        module.expect_no_other_events();
    });
}

/// The blank line before RXTOPIC alone, as A76XX prints it.
#[test]
fn block_of_a_real_a76xx_is_received() {
    let bytes = b"\r\n+CMQTTRXSTART: 0,22,7\r\n\r\n+CMQTTRXTOPIC: 0,22\r\n_this_is_a_test_topic_\r\n\
        +CMQTTRXPAYLOAD: 0,7\r\ntestone\r\n+CMQTTRXEND: 0\r\n";
    let block = Block::new(0, "_this_is_a_test_topic_", "testone").spaced(Spacing::BLANK_BEFORE_TOPIC);
    assert_eq!(block.bytes().escape_ascii().to_string(), bytes.escape_ascii().to_string());
    at_every_two_splits(|module| {
        module.send(bytes);
        module.expect_message(0, "_this_is_a_test_topic_", "testone");
        module.expect_no_other_events();
    });
}

#[test]
fn blank_lines_before_any_of_the_headers_are_accepted() {
    for spacing in Spacing::all() {
        for payload in ["testone", "", "OK", ">", "{\n  \"value\": 21.5\n}", " a\r\n+CMQTTRXEND: 0\r\nb"] {
            // A CR in the payload and a blank line before RXEND alone: bytes may have been added.
            if payload.contains('\r') && spacing.end && !spacing.payload {
                continue;
            }
            for part_size in [3, 1500] {
                let block = Block::new(0, "a/b", payload).spaced(spacing).in_parts_of(part_size);
                at_every_split(|module| {
                    module.send(block.bytes());
                    module.send(block.bytes());
                    assert_eq!(module.messages(), [block.message(), block.message()], "{block:?}");
                    module.expect_no_other_events();
                });
            }
        }
    }
}

#[test]
fn awkward_payloads_are_received_in_every_layout_after_a_plain_message() {
    for spacing in Spacing::all() {
        let plain = Block::new(0, "a/b", "plain").spaced(spacing);
        for payload in awkward_payloads() {
            let block = Block::new(1, "a/b", payload).spaced(spacing);
            byte_by_byte(|module| {
                module.send(plain.bytes());
                module.send(block.bytes());
                assert_eq!(module.messages(), [plain.message(), block.message()]);
                module.expect_no_other_events();
            });
        }
    }
}

/// The first of these blocks is byte for byte what damage makes of a block of another layout.
#[test]
fn ambiguous_block_is_lost_once_and_delivered_when_the_same_comes_again() {
    let without_blank_before_end = Spacing { end: false, ..Spacing::BLANK_LINES };
    let with_blank_before_end = Spacing { end: true, ..Spacing::COMPACT };
    for (spacing, payload) in
        [(without_blank_before_end, "text\r\n"), (with_blank_before_end, "two\r\nlines")]
    {
        let block = Block::new(0, "a/b", payload).spaced(spacing);
        at_every_split(|module| {
            module.send(block.bytes());
            assert_eq!(module.messages(), []);
            assert_eq!(module.losses(), [Some(ClientIndex::Zero)]);
            module.send(block.bytes());
            module.send(block.bytes());
            assert_eq!(module.messages(), [block.message(), block.message()]);
            module.expect_no_other_events();
        });
    }
}

#[test]
fn awkward_payloads_and_topics_are_received() {
    for spacing in SPACINGS {
        for bytes in awkward_payloads() {
            for client in [0, 1] {
                let block = Block::new(client, &bytes, &bytes).spaced(spacing);
                at_every_split(|module| {
                    module.run(1, "AT+CMQTTTOPIC=0,1");
                    module.take_written();
                    module.send(block.bytes());
                    assert_eq!(module.messages(), [block.message()]);
                    module.expect_nothing_written();
                    module.expect_no_other_events();
                });
            }
        }
    }
}

#[test]
fn parts_of_every_size_are_received() {
    for spacing in SPACINGS {
        for part_size in [1, 2, 5, 7] {
            let block = Block::new(1, "topic/x", "\r\nOK\r\n\r\n+CMQTTRXEND: 1\r\n")
                .spaced(spacing)
                .in_parts_of(part_size);
            at_every_split(|module| {
                module.send(block.bytes());
                assert_eq!(module.messages(), [block.message()]);
                module.expect_no_other_events();
            });
        }
    }
}

#[test]
fn empty_payloads_are_received() {
    for spacing in SPACINGS {
        let block = Block::new(0, "a", "").spaced(spacing);
        at_every_two_splits(|module| {
            module.send(block.bytes());
            module.send(block.bytes());
            assert_eq!(module.messages(), [block.message(), block.message()]);
            module.expect_no_other_events();
        });
    }
}

/// Some firmware may send a header for an empty payload.
#[test]
fn empty_payload_with_a_header_is_received() {
    for blank in ["", "\r\n"] {
        let topic = format!("{blank}+CMQTTRXTOPIC: 0,1\r\na\r\n");
        let payload = format!("{blank}+CMQTTRXPAYLOAD: 0,0\r\n\r\n");
        let end = format!("{blank}+CMQTTRXEND: 0\r\n");
        at_every_split(|module| {
            module.send(["\r\n+CMQTTRXSTART: 0,1,0\r\n", &topic, &payload, &end].concat());
            module.expect_message(0, "a", "");
            module.expect_no_other_events();
        });
    }
}

#[test]
fn longest_message_is_received() {
    for spacing in SPACINGS {
        let topic: Vec<u8> = (0..1024_u32).map(|at| (at % 251) as u8).collect();
        let payload: Vec<u8> = (0..10_240_u32).map(|at| (at * at).to_le_bytes()[0]).collect();
        let block = Block::new(0, &topic, &payload).spaced(spacing);
        byte_by_byte(|module| {
            module.send(block.bytes());
            module.expect_message(0, &topic, &payload);
            module.expect_no_other_events();
        });
    }
}

#[test]
fn message_of_the_other_client_between_parts_is_received() {
    for outer_spacing in SPACINGS {
        for inner_spacing in SPACINGS {
            let outer = Block::new(0, "outer", "12345678").spaced(outer_spacing).in_parts_of(4);
            let inner = Block::new(1, "inner", "\r\n+CMQTTRXEND: 0\r\n").spaced(inner_spacing);
            let pieces = outer.pieces();
            for at in 1..pieces.len() {
                at_every_split(|module| {
                    module.send(pieces[..at].concat());
                    module.send(inner.bytes());
                    module.send(pieces[at..].concat());
                    assert_eq!(module.messages(), [inner.message(), outer.message()]);
                    module.expect_no_other_events();
                });
            }
        }
    }
}

#[test]
fn interleaved_blocks_of_both_clients_are_received() {
    for spacing in SPACINGS {
        let blocks =
            [Block::new(0, "zero", "0000").spaced(spacing), Block::new(1, "one", "1111").spaced(spacing)];
        let [first, second] = blocks.clone().map(|block| block.pieces());
        let woven: Vec<u8> =
            first.iter().zip(&second).flat_map(|(a, b)| [a.clone(), b.clone()].concat()).collect();
        at_every_split(|module| {
            module.send(&woven);
            assert_eq!(module.messages(), blocks.clone().map(|block| block.message()));
            module.expect_no_other_events();
        });
    }
}

#[test]
fn urcs_between_parts_are_received() {
    let urcs = ["+CGEV: NW DETACH", "SMS DONE", "+CPIN: READY", "+UNKNOWN: \"x\"", "RDY?"];
    for spacing in SPACINGS {
        let block = Block::new(0, "topic", "payload\r\n").spaced(spacing).in_parts_of(4);
        let pieces = block.pieces();
        for at in 0..=pieces.len() {
            for urc in urcs {
                at_every_split(|module| {
                    module.send(pieces[..at].concat());
                    module.send(then(&[urc]));
                    module.send(pieces[at..].concat());
                    assert_eq!(module.messages(), [block.message()], "{urc} before piece {at}, {spacing:?}");
                    assert_eq!(module.urcs(), [urc]);
                    module.expect_no_other_events();
                });
            }
        }
    }
}

/// GNSS sentences on the same UART have no line end before them.
#[test]
fn satellite_sentences_between_parts_are_received() {
    for spacing in SPACINGS {
        let block = Block::new(0, "topic", "payload").spaced(spacing);
        let pieces = block.pieces();
        for at in 0..=pieces.len() {
            at_every_split(|module| {
                module.send(pieces[..at].concat());
                module.send("$GNRMC,,V,,,,,,,,,,N,V*37\r\n");
                module.send(pieces[at..].concat());
                assert_eq!(module.messages(), [block.message()], "before piece {at}, {spacing:?}");
                assert_eq!(module.urcs(), ["$GNRMC,,V,,,,,,,,,,N,V*37"]);
                module.expect_no_other_events();
            });
        }
    }
}

#[test]
fn many_messages_in_sequence_are_received() {
    let blocks: Vec<Block> = (0..12_u8)
        .map(|at| {
            let spacing = SPACINGS[usize::from(at / 6)];
            Block::new(at % 2, [b't', at], vec![at; usize::from(at)]).spaced(spacing).in_parts_of(9)
        })
        .collect();
    let script = |module: &mut ScriptedModule| {
        for block in &blocks {
            module.send(block.bytes());
        }
        let expected: Vec<_> = blocks.iter().map(Block::message).collect();
        assert_eq!(module.messages(), expected);
        module.expect_no_other_events();
    };
    at_every_split(script);
}

/// The cut of an overlong line does not depend on the reads.
#[test]
fn overlong_lines_are_cut_at_the_same_byte() {
    for length in [4094, 4095, 4096, 4097, 4098, 9000] {
        byte_by_byte(|module| {
            module.send(then(&[&"x".repeat(length)]));
            module.send(then(&["+CGEV: 1"]));
            let urcs = module.urcs();
            assert_eq!(urcs[0].len(), length.min(4096));
            assert_eq!(urcs[1], "+CGEV: 1");
        });
    }
}

#[test]
fn message_is_lost_if_any_of_its_bytes_came_in_damaged_input() {
    for spacing in SPACINGS {
        let block = Block::new(0, "a/b", "payload").spaced(spacing);
        let next = Block::new(0, "a/b", "next").spaced(spacing);
        let bytes = block.bytes();
        for from in 0..bytes.len() {
            for to in from + 1..=bytes.len() {
                let mut module = ScriptedModule::new();
                module.send(&bytes[..from]);
                module.send_damaged(&bytes[from..to]);
                module.send(&bytes[to..]);
                module.send(next.bytes());
                let is_only_line_end = bytes[from..to].iter().all(|byte| b"\r\n".contains(byte));
                let received = module.messages();
                assert!(
                    received == [next.message()]
                        || (is_only_line_end && received == [block.message(), next.message()]),
                    "{from}..{to}: {received:?}"
                );
                if received.len() == 1 {
                    assert_eq!(module.losses(), [Some(ClientIndex::Zero)], "{from}..{to}");
                }
            }
        }
    }
}
