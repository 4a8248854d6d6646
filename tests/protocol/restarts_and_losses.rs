//! Restart, lost network, lost connection: every waiting transaction ends with the matching error.

use simcom_mqtt::channel::{Event, Failure, LostBy, UnknownReason};

use crate::support::{Block, Firmware, ScriptedModule, failed, then};

const PUB: &str = "AT+CMQTTPUB=0,1,60";

/// Returns the names of the events that no command caused.
fn event_names(module: &mut ScriptedModule) -> Vec<String> {
    let name = |event: &Event| match event {
        Event::Completed { id, outcome: Ok(_) } => Some(format!("{id} done")),
        Event::Completed { id, outcome: Err(Failure::ResultUnknown { reason, .. }) } => {
            Some(format!("{id} unknown: {reason:?}"))
        }
        Event::Completed { id, outcome: Err(Failure::ConnectionLost { cause, .. }) } => {
            Some(format!("{id} lost: {cause:?}"))
        }
        Event::Completed { id, outcome: Err(failure) } => Some(format!("{id} failed: {failure:?}")),
        Event::CommandSucceeded(_) => None,
        Event::Urc { line, .. } => Some(String::from_utf8_lossy(line).into_owned()),
        other => Some(format!("{other:?}")),
    };
    module.take_events().iter().filter_map(name).collect()
}

/// Client 0 has a publish with a pending result and a queued subscription; client 1 has a publish of its own.
fn with_publishes_in_flight() -> ScriptedModule {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.send(then(&["OK"]));
    module.publish(2, 0, b"t", b"p");
    module.enter(3, "AT+CMQTTSUB=0,1,1", b"a");
    module.run(4, "AT+CMQTTPUB=1,1,60");
    module.expect_line("AT+CMQTTPUB=1,1,60");
    module.send(then(&["OK"]));
    module.run(5, "AT+CMQTTREL=0");
    module
}

#[test]
fn lost_connection_ends_its_transactions() {
    let mut module = with_publishes_in_flight();
    module.send(then(&["+CMQTTCONNLOST: 0,2"]));
    assert_eq!(
        event_names(&mut module),
        [
            "ConnectionLost { client: Zero, cause: 2 }",
            "1 unknown: Lost(Connection(2))",
            "2 lost: Connection(2)",
            "3 lost: Connection(2)",
        ]
    );
    // The other client and commands without connection continue.
    module.expect_line("AT+CMQTTREL=0");
    module.send(then(&["OK", "+CMQTTPUB: 1,0"]));
    assert_eq!(event_names(&mut module), ["5 done", "4 done"]);
    module.send(then(&["+CMQTTPUB: 0,0"]));
    assert_eq!(module.late(1), Some(Ok(())));
}

#[test]
fn lost_network_ends_transactions_of_both_clients() {
    let mut module = with_publishes_in_flight();
    module.send(then(&["+CMQTTNONET"]));
    assert_eq!(
        event_names(&mut module),
        [
            "NetworkLost",
            "1 unknown: Lost(Network)",
            "2 lost: Network",
            "3 lost: Network",
            "4 unknown: Lost(Network)"
        ]
    );
}

#[test]
fn transaction_in_the_middle_is_not_continued() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"p");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.send("\r\n>");
    module.expect_data(b"t");
    module.send(then(&["+CMQTTCONNLOST: 0,1"]));
    module.expect_in_flight(1);
    module.send(then(&["OK"]));
    assert_eq!(
        module.expect_failure(1),
        Failure::ConnectionLost { command: failed(PUB), cause: LostBy::Connection(1) }
    );
    module.expect_nothing_written();
    module.publish(2, 0, b"t", b"p");
    module.expect_line("AT+CMQTTTOPIC=0,1");
}

/// The result is unlikely: the caller gets the error at once, and a late result if it arrives.
#[test]
fn loss_before_ok_has_unknown_result_and_may_be_completed_late() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTCONNLOST: 0,1"]));
    module.expect_in_flight(1);
    module.send(then(&["OK"]));
    let reason = UnknownReason::Lost(LostBy::Connection(1));
    assert_eq!(module.expect_failure(1), Failure::ResultUnknown { command: failed(PUB), reason });
    module.send(then(&["+CMQTTPUB: 0,0"]));
    assert_eq!(module.late(1), Some(Ok(())));

    module.run(2, "AT+CMQTTSUB=0");
    module.expect_line("AT+CMQTTSUB=0");
    module.send(then(&["+CMQTTCONNLOST: 0,3", "OK"]));
    assert!(matches!(module.expect_failure(2), Failure::ConnectionLost { cause: LostBy::Connection(3), .. }));
}

#[test]
fn lost_connection_completes_a_disconnect() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CMQTTDISC=0,60");
    module.expect_line("AT+CMQTTDISC=0,60");
    module.send(then(&["OK", "+CMQTTCONNLOST: 0,1"]));
    module.expect_success(1);
}

#[test]
fn connect_waits_for_its_own_result() {
    let mut module = ScriptedModule::new();
    let line = "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1";
    module.run(1, line);
    module.expect_line(line);
    module.send(then(&["OK", "+CMQTTCONNLOST: 0,1"]));
    module.expect_in_flight(1);
    module.send(then(&["+CMQTTCONNECT: 0,26"]));
    assert_eq!(module.expect_refusal(1), Some(26));
}

#[test]
fn boot_banner_is_a_restart_when_the_service_is_stopped() {
    for banner in ["RDY", "QCRDY", "*ATREADY: 1"] {
        let mut module = with_publishes_in_flight();
        module.publish(6, 1, b"t", b"p");
        module.send(then(&[banner]));
        module.expect_line("AT+CMQTTREL?");
        assert_eq!(event_names(&mut module), [banner]);
        module.send(then(&["ERROR"]));
        let mut events = event_names(&mut module);
        assert_eq!(events.pop().as_deref(), Some("Restarted"));
        events.sort();
        assert_eq!(
            events,
            [
                "1 unknown: Lost(Restart)",
                "2 lost: Restart",
                "3 lost: Restart",
                "4 unknown: Lost(Restart)",
                "6 lost: Restart",
                "DeferredResult { id: 1, result: Err(ResultUnknown { command: \"AT+CMQTTPUB=0,1,60\", reason: Lost(Restart) }) }",
                "DeferredResult { id: 4, result: Err(ResultUnknown { command: \"AT+CMQTTPUB=1,1,60\", reason: Lost(Restart) }) }",
            ]
        );
        module.expect_line("ATE0");
        module.send("ATE0\r\r\nOK\r\n");
        // Commands without connection continue.
        module.expect_line("AT+CMQTTREL=0");
    }
}

#[test]
fn boot_banner_is_a_urc_when_the_service_runs() {
    let mut module = with_publishes_in_flight();
    module.send(then(&["RDY"]));
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["OK"]));
    assert_eq!(event_names(&mut module), ["RDY"]);
    module.expect_nothing_written();
    module.send(then(&["+CMQTTPUB: 1,0", "+CMQTTPUB: 0,0"]));
    module.expect_success(1);
    module.expect_success(4);
}

/// Some sibling modules print two banners.
#[test]
fn two_banners_are_one_restart() {
    let mut module = ScriptedModule::new();
    module.send(then(&["RDY"]));
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["*ATREADY: 1", "+CPIN: READY"]));
    module.send(then(&["ERROR"]));
    let restarts = |events: Vec<String>| events.iter().filter(|event| *event == "Restarted").count();
    assert_eq!(restarts(event_names(&mut module)), 1);
    module.expect_line("ATE0");
    module.send(then(&["OK"]));
    for _ in 0..3 {
        let _ = module.take_written();
        module.send(then(&["ERROR"]));
    }
    assert_eq!(restarts(event_names(&mut module)), 0);
}

/// Answers the sync probe that recovers the channel, and the restart query behind it.
fn answer_restart_query(module: &mut ScriptedModule, answer: &str) {
    module.answer_probe();
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&[answer]));
}

/// A module that has booted does not answer earlier commands; only a confirmed restart explains that.
#[test]
fn command_lost_in_a_restart_ends_with_the_restart() {
    for (answer, expected) in [("ERROR", "1 lost: Restart"), ("OK", "1 failed: NoAnswer")] {
        let mut module = ScriptedModule::new();
        module.run(1, "AT+CSQ");
        module.expect_line("AT+CSQ");
        module.send(then(&["RDY"]));
        module.wait_ms(499);
        module.expect_nothing_written();
        module.wait_ms(1);
        module.expect_in_flight(1);
        answer_restart_query(&mut module, answer);
        let event_names = event_names(&mut module);
        assert!(event_names.iter().any(|event| event.starts_with(expected)), "{event_names:?}");
    }
}

#[test]
fn connect_lost_in_a_restart_ends_with_the_restart() {
    let mut module = ScriptedModule::new();
    let line = "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1";
    module.run(1, line);
    module.expect_line(line);
    module.send(then(&["RDY"]));
    module.wait_ms(500);
    answer_restart_query(&mut module, "ERROR");
    assert!(matches!(module.expect_failure(1), Failure::ConnectionLost { cause: LostBy::Restart, .. }));
}

/// A publish whose topic is being entered when the banner arrives.
fn entering_a_topic_at_the_banner() -> ScriptedModule {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"p");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.send(then(&["RDY"]));
    module.wait_ms(500);
    module.expect_in_flight(1);
    module
}

#[test]
fn publish_interrupted_before_pub_fails_with_the_restart() {
    let mut module = entering_a_topic_at_the_banner();
    answer_restart_query(&mut module, "ERROR");
    let failure = module.expect_failure(1);
    assert_eq!(failure, Failure::ConnectionLost { command: failed(PUB), cause: LostBy::Restart });
}

#[test]
fn publish_interrupted_by_a_false_banner_starts_again() {
    let mut module = entering_a_topic_at_the_banner();
    answer_restart_query(&mut module, "OK");
    module.expect_in_flight(1);
    module.expect_line("AT+CMQTTTOPIC=0,1");
}

#[test]
fn written_publish_has_unknown_result_after_the_restart() {
    for (answer, result) in [("ERROR", None), ("OK", Some("+CMQTTPUB: 0,0"))] {
        let mut module = ScriptedModule::new();
        module.run(1, PUB);
        module.expect_line(PUB);
        module.send(then(&["RDY"]));
        module.wait_ms(500);
        module.expect_in_flight(1);
        answer_restart_query(&mut module, answer);
        if let Some(result) = result {
            module.send(then(&[result]));
            module.expect_success(1);
            continue;
        }
        let reason = UnknownReason::Lost(LostBy::Restart);
        assert_eq!(module.expect_failure(1), Failure::ResultUnknown { command: failed(PUB), reason });
        assert!(module.late(1).expect("it cannot come any more").is_err());
    }
}

/// The restart query itself can be lost in the boot.
#[test]
fn unanswered_restart_query_is_repeated() {
    let mut module = ScriptedModule::new();
    module.send(then(&["RDY"]));
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["QCRDY"]));
    module.wait_ms(500);
    let probe = String::from_utf8(module.take_written()).unwrap();
    let name = probe.strip_prefix("AT").unwrap().strip_suffix("=?\r").unwrap();
    module.send(then(&[&format!("{name}: (0-1)"), "OK"]));
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["ERROR"]));
    assert!(event_names(&mut module).contains(&"Restarted".to_owned()));
}

/// After the restart, the module echoes commands and data.
#[test]
fn restart_resets_the_detection_of_echoes() {
    let mut module = ScriptedModule::new();
    let silent = Firmware { echo: false, data_echo: false, prompt: "\r\n>" };
    module.enter(1, "AT+CMQTTTOPIC=0,1", b"x");
    silent.play_entry(&mut module, "AT+CMQTTTOPIC=0,1", b"x", &|_| Vec::new());
    module.expect_success(1);
    module.send(then(&["RDY"]));
    module.expect_line("AT+CMQTTREL?");
    module.send("AT+CMQTTREL?\r\r\nERROR\r\n");
    module.expect_line("ATE0");
    module.send("ATE0\r\r\nOK\r\n");
    let echoing = Firmware { data_echo: true, ..silent };
    module.enter(2, "AT+CMQTTTOPIC=0,6", b"\r\nOK\r\n");
    echoing.play_entry(&mut module, "AT+CMQTTTOPIC=0,6", b"\r\nOK\r\n", &|_| Vec::new());
    module.expect_success(2);
    assert!(module.urcs().iter().all(|line| line == "RDY"));
}

#[test]
fn message_cut_by_a_restart_is_reported() {
    let mut module = ScriptedModule::new();
    let block = Block::new(0, "topic", "payload").pieces();
    module.send(block[..2].concat());
    module.send(then(&["RDY"]));
    module.wait_ms(2_200);
    assert_eq!(module.losses().len(), 1);
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["ERROR"]));
    assert!(event_names(&mut module).contains(&"Restarted".to_owned()));
}

/// The banner is counted as the rest of the message, with more or fewer bytes than missing.
#[test]
fn banner_inside_a_damaged_message_is_found() {
    for missing in [14, 20, 400] {
        for banner in ["RDY", "QCRDY", "*ATREADY: 1"] {
            let mut module = ScriptedModule::new();
            let block = Block::new(0, "topic", "p".repeat(500)).bytes();
            module.send(&block[..block.len() - missing - "\r\n\r\n+CMQTTRXEND: 0\r\n".len()]);
            module.send(then(&[banner, "+CPIN: READY", "SMS DONE"]));
            module.wait_ms(2_200);
            assert_eq!(module.losses().len(), 1);
            module.expect_line("AT+CMQTTREL?");
            module.send("AT+CMQTTREL?\r\r\nERROR\r\n");
            assert!(event_names(&mut module).contains(&"Restarted".to_owned()), "{banner} {missing}");
            module.expect_line("ATE0");
            module.send("ATE0\r\r\nOK\r\n");
            module.expect_nothing_written();
        }
    }
}

/// The count of the damaged message covers the lines behind it.
#[test]
fn loss_inside_a_damaged_message_is_found() {
    for missing in [60, 400] {
        for line in ["+CMQTTCONNLOST: 0,1", "+CMQTTNONET"] {
            let mut module = ScriptedModule::new();
            let block = Block::new(0, "topic", "p".repeat(500)).bytes();
            module.send(&block[..100]);
            module.send(&block[100 + missing..]);
            module.send(then(&[line]));
            module.wait_ms(2_200);
            assert_eq!(module.losses().len(), 1);
            assert!(
                event_names(&mut module).contains(&"ConnectionLossSuspected".to_owned()),
                "{line} {missing}"
            );
        }
    }
}

/// The cut can be in a header, so that a wrong length counts the beginning of the banner.
#[test]
fn restart_at_any_byte_of_a_message_is_found() {
    let block = Block::new(1, "topic/of/17/bytes", "payload of 19 bytes").bytes();
    // A foreign part makes the following parts exceed the announced length, so they are skipped.
    let start = memchr::memmem::find(&block, b"+CMQTTRXPAYLOAD").unwrap();
    let disturbed = [&block[..start], b"+CMQTTRXPAYLOAD: 1,5\r\n12345\r\n", &block[start..]].concat();
    for block in [block, disturbed] {
        let start_is_over = block.iter().position(|byte| *byte == b'\n').unwrap() + 3;
        for cut in start_is_over..block.len() {
            for banner in ["RDY", "QCRDY", "*ATREADY: 1"] {
                let mut module = ScriptedModule::new();
                module.send(&block[..cut]);
                module.send(then(&[banner, "+CPIN: READY", "SMS DONE", "PB DONE"]));
                module.wait_ms(6_000);
                let cut = block[..cut].escape_ascii();
                assert_eq!(module.take_written(), b"AT+CMQTTREL?\r", "{cut} {banner}");
            }
        }
    }
}

#[test]
fn lost_port_ends_every_transaction() {
    let mut module = with_publishes_in_flight();
    module.send("\r\n+CMQTTRXSTART: 1,1,1\r\n");
    module.lose_port("unplugged");
    let mut events = event_names(&mut module);
    assert_eq!(events.pop().as_deref(), Some("PortLost(\"unplugged\")"));
    assert!(events[0].starts_with("MessageLost"), "{events:?}");
    for id in 1..=5 {
        let ends = events.iter().filter(|event| event.starts_with(&format!("{id} "))).count();
        assert_eq!(ends, 1, "{id}: {events:?}");
    }
    assert_eq!(events.iter().filter(|event| event.contains("unknown: Lost(Port(\"unplugged\"))")).count(), 2);
    assert_eq!(events.iter().filter(|event| event.starts_with("DeferredResult")).count(), 2);
    module.take_written();
    module.run(9, "AT");
    assert!(matches!(module.expect_failure(9), Failure::ConnectionLost { cause: LostBy::Port(_), .. }));
    module.wait_ms(10_000);
    module.expect_nothing_written();
}
