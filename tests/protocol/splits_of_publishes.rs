//! A publish comes to the same however its answers are cut into reads, in every form that firmware gives them.

use crate::support::{
    Block, Firmware, Gap, ScriptedModule, Spacing, at_every_split, at_every_two_splits, awkward_payloads,
    byte_by_byte, then,
};

const NOTHING: &dyn Fn(Gap) -> Vec<u8> = &|_| Vec::new();

/// One command after the publish: what the publish left on the line would be taken for its answer.
fn publish_and_ask(
    module: &mut ScriptedModule,
    firmware: Firmware,
    payload: &[u8],
    between: &dyn Fn(Gap) -> Vec<u8>,
) {
    module.publish(1, 0, b"t/1", payload);
    firmware.play_publish(module, b"t/1", payload, between);
    // An echo that looks like an answer is believed after a while without another.
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
fn every_form_of_echo_and_prompt() {
    for firmware in Firmware::all() {
        at_every_two_splits_of_entry(firmware);
        at_every_split(|module| {
            publish_and_ask(module, firmware, b"hello", NOTHING);
            module.expect_no_news();
        });
    }
}

fn at_every_two_splits_of_entry(firmware: Firmware) {
    at_every_two_splits(|module| {
        module.enter(1, "AT+CMQTTTOPIC=0,2", b"ab");
        firmware.play_entry(module, "AT+CMQTTTOPIC=0,2", b"ab", NOTHING);
        module.expect_success(1);
        module.expect_no_news();
    });
}

#[test]
fn every_awkward_payload() {
    for firmware in Firmware::all() {
        for payload in awkward_payloads() {
            let shown = payload.escape_ascii().to_string();
            println!("{firmware:?} {shown}");
            let script = |module: &mut ScriptedModule| {
                publish_and_ask_patiently(module, firmware, &payload);
                module.expect_no_news();
            };
            if payload.len() < 12 { at_every_split(script) } else { byte_by_byte(script) }
        }
    }
}

/// As an answer that could be the echo of the data is held back for a moment, the clock goes on before each command.
fn publish_and_ask_patiently(module: &mut ScriptedModule, firmware: Firmware, payload: &[u8]) {
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

/// The first entry of a power cycle, where it is not known yet whether the firmware echoes data.
#[test]
fn awkward_data_in_the_very_first_entry() {
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
                module.expect_no_news();
            };
            if data.len() < 24 { at_every_split(script) } else { byte_by_byte(script) }
        }
    }
}

/// Learned from one entry, used in the next.
#[test]
fn awkward_payloads_one_after_the_other() {
    for firmware in Firmware::all() {
        byte_by_byte(|module| {
            for payload in awkward_payloads() {
                publish_and_ask_patiently(module, firmware, &payload);
            }
            module.expect_no_news();
        });
    }
}

#[test]
fn an_empty_payload_is_not_entered() {
    at_every_split(|module| {
        module.acquire(9, 0);
        publish_and_ask(module, Firmware { echo: true, data_echo: false, prompt: "\r\n>" }, b"", NOTHING);
    });
}

#[test]
fn urcs_in_each_gap() {
    for firmware in Firmware::all() {
        for gap in Gap::ALL {
            let urc = |at| if at == gap { then(&["+CGEV: ME DETACH"]) } else { Vec::new() };
            at_every_split(|module| {
                publish_and_ask(module, firmware, b"\r\nhello", &urc);
                let expected = if gap == Gap::AfterOk || gap == Gap::AfterResult {
                    1
                } else if gap == Gap::AfterPrompt || gap == Gap::AfterData {
                    2
                } else {
                    3
                };
                assert_eq!(module.urcs(), vec!["+CGEV: ME DETACH"; expected], "{firmware:?} {gap:?}");
                module.expect_no_news();
            });
        }
    }
}

/// The echo of such data looks like the answer, the more so with a line behind it that is none.
#[test]
fn urcs_around_the_echo_of_something_like_an_answer() {
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
                    module.expect_no_news();
                });
            }
        }
    }
}

#[test]
fn unknown_lines_in_each_gap() {
    for gap in Gap::ALL {
        let firmware = Firmware { echo: true, data_echo: true, prompt: "\r\n>" };
        let urc = |at| if at == gap { then(&["+WHAT: 1"]) } else { Vec::new() };
        at_every_split(|module| {
            publish_and_ask(module, firmware, b"hello", &urc);
            assert!(module.urcs().iter().all(|line| line == "+WHAT: 1"));
            module.expect_no_news();
        });
    }
}

#[test]
fn whole_messages_in_each_gap() {
    for spacing in [Spacing::Compact, Spacing::BlankLines] {
        for firmware in Firmware::all() {
            for gap in Gap::ALL {
                let block = Block::new(0, "in", "\r\nOK\r\n>").spaced(spacing);
                let insert = |at| if at == gap { block.bytes() } else { Vec::new() };
                let script = |module: &mut ScriptedModule| {
                    publish_and_ask(module, firmware, b"OK, go", &insert);
                    let messages = module.messages();
                    assert!(!messages.is_empty());
                    assert!(messages.iter().all(|message| *message == block.message()), "{messages:?}");
                    module.expect_no_news();
                };
                if firmware.prompt == "\r\n>" && spacing == Spacing::Compact {
                    at_every_split(script);
                } else {
                    byte_by_byte(script);
                }
            }
        }
    }
}

/// What answers a command comes between the parts of a message.
#[test]
fn answers_between_the_parts_of_a_message() {
    for spacing in [Spacing::Compact, Spacing::BlankLines] {
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
                module.expect_no_news();
            });
        }
    }
}

/// A prompt inside a block is answered after it, and the data does not go astray.
#[test]
fn a_prompt_between_the_parts_of_a_message() {
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
                    module.expect_no_news();
                });
            }
        }
    }
}
