//! `AT+CMQTTSUB?` prints topics without index or length: any line can be a topic.

use simcom_mqtt::channel::Failure;

use crate::support::{Block, ScriptedModule, at_every_split, then};

const LIST: &str = "AT+CMQTTSUB?";
const PROBE: &str = "AT+CMQTTDISC=?";

fn play_listing(module: &mut ScriptedModule, topics: &[&str], echo: bool) {
    module.run(1, LIST);
    module.run(2, "AT+CSQ");
    module.expect_line(LIST);
    if echo {
        module.send(format!("{LIST}\r"));
    }
    let topics: Vec<u8> = topics.iter().flat_map(|topic| [topic.as_bytes(), b"\r\n"].concat()).collect();
    module.send([b"\r\n+CMQTTSUB:\r\n", &topics[..], b"\r\nOK\r\n"].concat());
    module.expect_line(PROBE);
    if echo {
        module.send(format!("{PROBE}\r"));
    }
    module.send(then(&["+CMQTTDISC: (0-1),(0, 60-180)"]));
    module.expect_in_flight(1);
    module.send(then(&["OK"]));
}

#[test]
fn topics_that_look_like_answers_are_listed() {
    for echo in [false, true] {
        for topics in [
            &[][..],
            &["a/b", "c/+"],
            &["OK"],
            &["ERROR"],
            &["OK", "OK", "OK"],
            &["a", "ERROR", "OK", "b"],
            &["+CMQTTSUB: 0,0", "+CMQTTPUB: 0,0", "+CME ERROR: 3", ">"],
        ] {
            at_every_split(|module| {
                play_listing(module, topics, echo);
                let expected: Vec<Vec<u8>> =
                    ["+CMQTTSUB:"].iter().chain(topics).map(|topic| topic.as_bytes().to_vec()).collect();
                assert_eq!(module.expect_success(1), [expected], "{topics:?}");
                module.expect_line("AT+CSQ");
                module.send(then(&["+CSQ: 20,0", "OK"]));
                assert_eq!(module.expect_success(2), [[b"+CSQ: 20,0"]]);
                module.expect_no_other_events();
            });
        }
    }
}

#[test]
fn listing_is_refused_before_the_service_is_started() {
    let mut module = ScriptedModule::new();
    module.run(1, LIST);
    module.expect_line(LIST);
    module.send(then(&["ERROR"]));
    assert_eq!(module.expect_refusal(1), None);
    module.expect_nothing_written();
}

#[test]
fn listing_waits_for_pending_results_of_subscriptions() {
    let mut module = ScriptedModule::new();
    module.run(3, "AT+CMQTTSUB=0");
    module.expect_line("AT+CMQTTSUB=0");
    module.send(then(&["OK"]));
    module.run(1, LIST);
    module.expect_nothing_written();
    module.send(then(&["+CMQTTSUB: 0,0"]));
    module.expect_success(3);
    module.expect_line(LIST);
}

/// The sync probe is a command, so it is not written during a message.
#[test]
fn sync_probe_waits_for_the_end_of_a_message() {
    let block = Block::new(0, "topic", "payload");
    let pieces = block.pieces();
    for at in 1..pieces.len() {
        at_every_split(|module| {
            module.run(1, LIST);
            module.expect_line(LIST);
            module.send("\r\n+CMQTTSUB:\r\na/b\r\n");
            module.send(pieces[..at].concat());
            module.send(then(&["OK"]));
            module.expect_nothing_written();
            module.send(pieces[at..].concat());
            assert_eq!(module.messages(), [block.message()]);
            module.expect_line(PROBE);
            module.send(then(&["+CMQTTDISC: (0-1),(0, 60-180)", "OK"]));
            assert_eq!(module.expect_success(1), [[b"+CMQTTSUB:".to_vec(), b"a/b".to_vec()]]);
        });
    }
}

#[test]
fn endless_listing_fails() {
    let mut module = ScriptedModule::new();
    module.run(1, LIST);
    module.expect_line(LIST);
    for _ in 0..200 {
        module.send("topic\r\n".repeat(100));
    }
    module.wait_ms(9_000);
    assert!(matches!(module.expect_failure(1), Failure::NoAnswer { .. }));
    // The answer to the first probe may still come: the next probe differs.
    assert_ne!(module.take_written(), format!("{PROBE}\r").as_bytes());
}

/// A topic filter cannot begin like a result: no broker accepts it.
#[test]
fn pending_result_is_no_topic() {
    for (line, result) in [
        ("AT+CMQTTSTART", "+CMQTTSTART: 0"),
        ("AT+CMQTTPUB=0,1,60", "+CMQTTPUB: 0,0"),
        ("AT+CMQTTCONNECT=1,\"tcp://h:1883\",60,1", "+CMQTTCONNECT: 1,0"),
    ] {
        for before in 0..4 {
            let mut module = ScriptedModule::new();
            module.run(1, line);
            module.expect_line(line);
            module.send(then(&["OK"]));
            module.run(2, "AT+CMQTTSUB?");
            module.expect_line("AT+CMQTTSUB?");
            let mut listing = vec!["+CMQTTSUB:", "a/b", "OK"];
            listing.insert(before, result);
            module.send(then(&listing));
            module.answer_probe();
            let topics = ["+CMQTTSUB:", "a/b"].map(|topic| topic.as_bytes().to_vec());
            assert_eq!(module.expect_success(2), [topics], "{result} at {before}");
            module.expect_success(1);
        }
    }
}
