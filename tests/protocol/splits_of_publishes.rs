//! The outcome of a publish does not depend on the reads, in every form of answer.

use crate::support::{
    Block, Firmware, Gap, ScriptedModule, Spacing, at_every_split, at_every_two_splits, awkward_payloads,
    byte_by_byte, then,
};

const NOTHING: &dyn Fn(Gap) -> Vec<u8> = &|_| Vec::new();

/// Publishes and sends one command: bytes left by the publish would be taken for its answer.
fn publish_and_query(
    module: &mut ScriptedModule,
    firmware: Firmware,
    payload: &[u8],
    between: &dyn Fn(Gap) -> Vec<u8>,
) {
    module.publish(1, 0, b"t/1", payload);
    firmware.play_publish(module, b"t/1", payload, between);
    // An echo that looks like an answer is accepted after a delay.
    module.wait_ms(400);
    module.expect_success(1);
    module.run(2, "AT+CSQ");
    module.expect_line("AT+CSQ");
    if firmware.echo {
        module.send("AT+CSQ\r");
    }
    module.send(then(&["+CSQ: 23,0", "OK"]));
    assert_eq!(module.expect_success(2), [[b"+CSQ: 23,0"]]);
    module.expect_nothing_written();
}

#[test]
fn publish_works_with_every_form_of_echo_and_prompt() {
    for firmware in Firmware::all() {
        at_every_two_splits_of_entry(firmware);
        at_every_split(|module| {
            publish_and_query(module, firmware, b"hello", NOTHING);
            module.expect_no_other_events();
        });
    }
}

fn at_every_two_splits_of_entry(firmware: Firmware) {
    at_every_two_splits(|module| {
        module.enter(1, "AT+CMQTTTOPIC=0,2", b"ab");
        firmware.play_entry(module, "AT+CMQTTTOPIC=0,2", b"ab", NOTHING);
        module.expect_success(1);
        module.expect_no_other_events();
    });
}

#[test]
fn awkward_payloads_are_published() {
    for firmware in Firmware::all() {
        for payload in awkward_payloads() {
            let shown = payload.escape_ascii().to_string();
            println!("{firmware:?} {shown}");
            let script = |module: &mut ScriptedModule| {
                publish_and_query_with_delays(module, firmware, &payload);
                module.expect_no_other_events();
            };
            if payload.len() < 12 { at_every_split(script) } else { byte_by_byte(script) }
        }
    }
}

/// An answer that could be the echo of the data is delayed, so time passes before each command.
fn publish_and_query_with_delays(module: &mut ScriptedModule, firmware: Firmware, payload: &[u8]) {
    module.publish(1, 0, b"t/1", payload);
    firmware.play_entry(module, "AT+CMQTTTOPIC=0,3", b"t/1", NOTHING);
    firmware.play_entry(module, &format!("AT+CMQTTPAYLOAD=0,{}", payload.len()), payload, NOTHING);
    module.wait_ms(400);
    module.expect_line("AT+CMQTTPUB=0,1,60");
    if firmware.echo {
        module.send("AT+CMQTTPUB=0,1,60\r");
    }
    module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
    module.expect_success(1);
    module.run(2, "AT+CSQ");
    module.expect_line("AT+CSQ");
    if firmware.echo {
        module.send("AT+CSQ\r");
    }
    module.send(then(&["+CSQ: 23,0", "OK"]));
    assert_eq!(module.expect_success(2), [[b"+CSQ: 23,0"]]);
    module.expect_nothing_written();
}

/// The first entry after power-on, when the echo of data is unknown.
#[test]
fn awkward_data_in_the_first_entry_is_published() {
    for firmware in Firmware::all() {
        for data in awkward_payloads() {
            let shown = data.escape_ascii().to_string();
            println!("{firmware:?} {shown}");
            let script = |module: &mut ScriptedModule| {
                let line = format!("AT+CMQTTTOPIC=0,{}", data.len());
                module.enter(1, &line, &data);
                firmware.play_entry(module, &line, &data, NOTHING);
                module.wait_ms(400);
                module.expect_success(1);
                module.run(2, "AT");
                module.expect_line("AT");
                module.send(then(&["OK"]));
                module.expect_success(2);
                module.expect_no_other_events();
            };
            if data.len() < 24 { at_every_split(script) } else { byte_by_byte(script) }
        }
    }
}

/// The detection of one entry is used in the next.
#[test]
fn awkward_payloads_in_sequence_are_published() {
    for firmware in Firmware::all() {
        byte_by_byte(|module| {
            for payload in awkward_payloads() {
                publish_and_query_with_delays(module, firmware, &payload);
            }
            module.expect_no_other_events();
        });
    }
}

#[test]
fn empty_payload_is_not_entered() {
    at_every_split(|module| {
        module.acquire(9, 0);
        publish_and_query(module, Firmware { echo: true, data_echo: false, prompt: "\r\n>" }, b"", NOTHING);
    });
}

#[test]
fn urcs_in_each_gap_are_delivered() {
    for firmware in Firmware::all() {
        for gap in Gap::ALL {
            let urc = |at| if at == gap { then(&["+CGEV: ME DETACH"]) } else { Vec::new() };
            at_every_split(|module| {
                publish_and_query(module, firmware, b"\r\nhello", &urc);
                let expected = if gap == Gap::AfterOk || gap == Gap::AfterResult {
                    1
                } else if gap == Gap::AfterPrompt || gap == Gap::AfterData {
                    2
                } else {
                    3
                };
                assert_eq!(module.urcs(), vec!["+CGEV: ME DETACH"; expected], "{firmware:?} {gap:?}");
                module.expect_no_other_events();
            });
        }
    }
}

/// The echo of such data looks like the answer, above all with a foreign line behind it.
#[test]
fn urcs_around_an_echo_like_an_answer_are_delivered() {
    for firmware in Firmware::all() {
        for data in [&b"OK"[..], b"\r\nOK\r\n", b"\r\nERROR\r\nOK"] {
            for gap in [Gap::BeforeAnswer, Gap::AfterPrompt, Gap::AfterData] {
                let urc = |at| if at == gap { then(&["+CGEV: 1"]) } else { Vec::new() };
                let line = format!("AT+CMQTTTOPIC=0,{}", data.len());
                at_every_split(|module| {
                    module.enter(1, &line, data);
                    firmware.play_entry(module, &line, data, &urc);
                    module.wait_ms(400);
                    module.expect_success(1);
                    assert_eq!(module.urcs(), ["+CGEV: 1"], "{firmware:?} {gap:?}");
                    module.expect_no_other_events();
                });
            }
        }
    }
}

#[test]
fn unknown_lines_in_each_gap_are_delivered() {
    for gap in Gap::ALL {
        let firmware = Firmware { echo: true, data_echo: true, prompt: "\r\n>" };
        let urc = |at| if at == gap { then(&["+WHAT: 1"]) } else { Vec::new() };
        at_every_split(|module| {
            publish_and_query(module, firmware, b"hello", &urc);
            assert!(module.urcs().iter().all(|line| line == "+WHAT: 1"));
            module.expect_no_other_events();
        });
    }
}

#[test]
fn messages_in_each_gap_are_delivered() {
    for spacing in [Spacing::COMPACT, Spacing::BLANK_LINES] {
        for firmware in Firmware::all() {
            for gap in Gap::ALL {
                let block = Block::new(0, "in", "\r\nOK\r\n>").spaced(spacing);
                let insert = |at| if at == gap { block.bytes() } else { Vec::new() };
                let script = |module: &mut ScriptedModule| {
                    publish_and_query(module, firmware, b"OK, go", &insert);
                    let messages = module.messages();
                    assert!(!messages.is_empty());
                    assert!(messages.iter().all(|message| *message == block.message()), "{messages:?}");
                    module.expect_no_other_events();
                };
                if firmware.prompt == "\r\n>" && spacing == Spacing::COMPACT {
                    at_every_split(script);
                } else {
                    byte_by_byte(script);
                }
            }
        }
    }
}

/// The answer to a command comes between the parts of a message.
#[test]
fn answers_between_the_parts_of_a_message_are_accepted() {
    for spacing in [Spacing::COMPACT, Spacing::BLANK_LINES] {
        let block = Block::new(1, "a/b", "\r\nERROR\r\n").spaced(spacing).in_parts_of(5);
        let pieces = block.pieces();
        for at in 1..pieces.len() {
            at_every_split(|module| {
                module.run(1, "AT+CMQTTPUB=0,1,60");
                module.expect_line("AT+CMQTTPUB=0,1,60");
                module.send(pieces[..at].concat());
                module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
                module.expect_success(1);
                module.run(2, "AT");
                module.expect_nothing_written();
                module.send(pieces[at..].concat());
                assert_eq!(module.messages(), [block.message()]);
                module.expect_line("AT");
                module.send(then(&["OK"]));
                module.expect_success(2);
                module.expect_no_other_events();
            });
        }
    }
}

/// The data is written after the block.
#[test]
fn prompt_between_the_parts_of_a_message_is_answered_after_it() {
    for prompt in Firmware::PROMPTS {
        for data_echo in [false, true] {
            let block = Block::new(0, "a/b", ">hello");
            let pieces = block.pieces();
            for at in 1..pieces.len() {
                at_every_split(|module| {
                    module.enter(1, "AT+CMQTTTOPIC=0,4", b">\r\nx");
                    module.expect_line("AT+CMQTTTOPIC=0,4");
                    module.send(pieces[..at].concat());
                    module.send(prompt);
                    module.expect_nothing_written();
                    module.send(pieces[at..].concat());
                    assert_eq!(module.messages(), [block.message()], "{prompt:?} before piece {at}");
                    module.expect_data(b">\r\nx");
                    if data_echo {
                        module.send(b">\r\nx");
                    }
                    module.send(then(&["OK"]));
                    module.expect_success(1);
                    module.expect_no_other_events();
                });
            }
        }
    }
}
