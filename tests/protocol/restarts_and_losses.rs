//! The module restarts, the network goes, the connection is lost: whatever waits for it ends with the error that fits.

use simcom_mqtt::channel::{Event, Failure, LostBy, UnknownReason};

use crate::support::{Block, Firmware, ScriptedModule, failed, then};

const PUB: &str = "AT+CMQTTPUB=0,1,60";

/// What happened, by name, without what commands did.
fn happened(module: &mut ScriptedModule) -> Vec<String> {
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

/// Client 0 with a publish whose result is owed, a subscription queued behind it, and client 1 with its own.
fn with_publishes_under_way() -> ScriptedModule {
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
fn a_lost_connection_ends_what_waits_for_it() {
    let mut module = with_publishes_under_way();
    module.send(then(&["+CMQTTCONNLOST: 0,2"]));
    assert_eq!(
        happened(&mut module),
        [
            "ConnectionLost { client: Zero, cause: 2 }",
            "1 unknown: Lost(Connection(2))",
            "2 lost: Connection(2)",
            "3 lost: Connection(2)",
        ]
    );
    // What needs no connection goes on, and the other client too.
    module.expect_line("AT+CMQTTREL=0");
    module.send(then(&["OK", "+CMQTTPUB: 1,0"]));
    assert_eq!(happened(&mut module), ["5 done", "4 done"]);
    module.send(then(&["+CMQTTPUB: 0,0"]));
    assert_eq!(module.late(1), Some(Ok(())));
}

#[test]
fn a_lost_network_ends_what_both_clients_wait_for() {
    let mut module = with_publishes_under_way();
    module.send(then(&["+CMQTTNONET"]));
    assert_eq!(
        happened(&mut module),
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
fn a_transaction_in_the_middle_is_not_carried_on() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"p");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.send("\r\n>");
    module.expect_data(b"t");
    module.send(then(&["+CMQTTCONNLOST: 0,1"]));
    module.expect_under_way(1);
    module.send(then(&["OK"]));
    assert_eq!(
        module.expect_failure(1),
        Failure::ConnectionLost { command: failed(PUB), cause: LostBy::Connection(1) }
    );
    module.expect_nothing_written();
    module.publish(2, 0, b"t", b"p");
    module.expect_line("AT+CMQTTTOPIC=0,1");
}

/// Its result will hardly come: the caller is told at once, and late if it comes after all.
#[test]
fn lost_between_the_command_and_its_ok() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTCONNLOST: 0,1"]));
    module.expect_under_way(1);
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
fn a_lost_connection_is_the_result_of_a_disconnect() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CMQTTDISC=0,60");
    module.expect_line("AT+CMQTTDISC=0,60");
    module.send(then(&["OK", "+CMQTTCONNLOST: 0,1"]));
    module.expect_success(1);
}

#[test]
fn connecting_waits_for_its_own_result() {
    let mut module = ScriptedModule::new();
    let line = "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1";
    module.run(1, line);
    module.expect_line(line);
    module.send(then(&["OK", "+CMQTTCONNLOST: 0,1"]));
    module.expect_under_way(1);
    module.send(then(&["+CMQTTCONNECT: 0,26"]));
    assert_eq!(module.expect_refusal(1), Some(26));
}

#[test]
fn a_boot_banner_is_believed_when_the_service_is_found_stopped() {
    for banner in ["RDY", "QCRDY", "*ATREADY: 1"] {
        let mut module = with_publishes_under_way();
        module.publish(6, 1, b"t", b"p");
        module.send(then(&[banner]));
        module.expect_line("AT+CMQTTREL?");
        assert_eq!(happened(&mut module), [banner]);
        module.send(then(&["ERROR"]));
        let mut told = happened(&mut module);
        assert_eq!(told.pop().as_deref(), Some("Restarted"));
        told.sort();
        assert_eq!(
            told,
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
        // What needs no connection goes on.
        module.expect_line("AT+CMQTTREL=0");
    }
}

#[test]
fn a_boot_banner_of_a_module_that_did_not_boot_is_just_a_line() {
    let mut module = with_publishes_under_way();
    module.send(then(&["RDY"]));
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["OK"]));
    assert_eq!(happened(&mut module), ["RDY"]);
    module.expect_nothing_written();
    module.send(then(&["+CMQTTPUB: 1,0", "+CMQTTPUB: 0,0"]));
    module.expect_success(1);
    module.expect_success(4);
}

/// It comes out in two banners on some siblings.
#[test]
fn two_banners_are_one_restart() {
    let mut module = ScriptedModule::new();
    module.send(then(&["RDY"]));
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["*ATREADY: 1", "+CPIN: READY"]));
    module.send(then(&["ERROR"]));
    let restarts = |told: Vec<String>| told.iter().filter(|event| *event == "Restarted").count();
    assert_eq!(restarts(happened(&mut module)), 1);
    module.expect_line("ATE0");
    module.send(then(&["OK"]));
    for _ in 0..3 {
        let _ = module.take_written();
        module.send(then(&["ERROR"]));
    }
    assert_eq!(restarts(happened(&mut module)), 0);
}

/// Answers the fence that brings the channel back, and the question behind it.
fn find_out(module: &mut ScriptedModule, answer: &str) {
    module.answer_fence();
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&[answer]));
}

/// A module that has just booted does not answer what was asked before. Only a confirmed restart tells that this is why.
#[test]
fn a_command_that_a_restart_swallowed_ends_with_the_restart() {
    for (answer, expected) in [("ERROR", "1 lost: Restart"), ("OK", "1 failed: NoAnswer")] {
        let mut module = ScriptedModule::new();
        module.run(1, "AT+CSQ");
        module.expect_line("AT+CSQ");
        module.send(then(&["RDY"]));
        module.wait_ms(499);
        module.expect_nothing_written();
        module.wait_ms(1);
        module.expect_under_way(1);
        find_out(&mut module, answer);
        let happened = happened(&mut module);
        assert!(happened.iter().any(|event| event.starts_with(expected)), "{happened:?}");
    }
}

#[test]
fn a_connect_that_a_restart_swallowed_ends_with_the_restart() {
    let mut module = ScriptedModule::new();
    let line = "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1";
    module.run(1, line);
    module.expect_line(line);
    module.send(then(&["RDY"]));
    module.wait_ms(500);
    find_out(&mut module, "ERROR");
    assert!(matches!(module.expect_failure(1), Failure::ConnectionLost { cause: LostBy::Restart, .. }));
}

/// A publish whose topic is being entered when the banner comes.
fn entering_a_topic_at_the_banner() -> ScriptedModule {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"p");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.send(then(&["RDY"]));
    module.wait_ms(500);
    module.expect_under_way(1);
    module
}

#[test]
fn a_publish_that_was_being_entered_is_lost_with_the_restart() {
    let mut module = entering_a_topic_at_the_banner();
    find_out(&mut module, "ERROR");
    let failure = module.expect_failure(1);
    assert_eq!(failure, Failure::ConnectionLost { command: failed(PUB), cause: LostBy::Restart });
}

#[test]
fn a_publish_that_was_being_entered_begins_again_where_there_was_no_restart() {
    let mut module = entering_a_topic_at_the_banner();
    find_out(&mut module, "OK");
    module.expect_under_way(1);
    module.expect_line("AT+CMQTTTOPIC=0,1");
}

#[test]
fn a_publish_that_was_written_is_unknown_after_the_restart() {
    for (answer, result) in [("ERROR", None), ("OK", Some("+CMQTTPUB: 0,0"))] {
        let mut module = ScriptedModule::new();
        module.run(1, PUB);
        module.expect_line(PUB);
        module.send(then(&["RDY"]));
        module.wait_ms(500);
        module.expect_under_way(1);
        find_out(&mut module, answer);
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

/// The question itself may fall into the boot.
#[test]
fn a_question_that_nobody_heard_is_asked_again() {
    let mut module = ScriptedModule::new();
    module.send(then(&["RDY"]));
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["QCRDY"]));
    module.wait_ms(500);
    let fence = String::from_utf8(module.take_written()).unwrap();
    let name = fence.strip_prefix("AT").unwrap().strip_suffix("=?\r").unwrap();
    module.send(then(&[&format!("{name}: (0-1)"), "OK"]));
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["ERROR"]));
    assert!(happened(&mut module).contains(&"Restarted".to_owned()));
}

/// Its power came back with echo of commands and data.
#[test]
fn what_was_learned_of_echoes_is_forgotten_at_a_restart() {
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
fn a_message_cut_by_a_restart() {
    let mut module = ScriptedModule::new();
    let block = Block::new(0, "topic", "payload").pieces();
    module.send(block[..2].concat());
    module.send(then(&["RDY"]));
    module.wait_ms(2_200);
    assert_eq!(module.losses().len(), 1);
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["ERROR"]));
    assert!(happened(&mut module).contains(&"Restarted".to_owned()));
}

/// The banner is taken for the rest of the message, whether the module says more than that or less.
#[test]
fn a_banner_that_a_message_has_eaten() {
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
            assert!(happened(&mut module).contains(&"Restarted".to_owned()), "{banner} {missing}");
            module.expect_line("ATE0");
            module.send("ATE0\r\r\nOK\r\n");
            module.expect_nothing_written();
        }
    }
}

/// Its count runs on over what comes behind it.
#[test]
fn a_loss_that_a_message_has_eaten() {
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
                happened(&mut module).contains(&"ConnectionLossSuspected".to_owned()),
                "{line} {missing}"
            );
        }
    }
}

/// Cut anywhere: in a header, too, so that its length is another one and counts the beginning of the banner.
#[test]
fn a_restart_within_a_message_is_found_out_wherever_it_came() {
    let block = Block::new(1, "topic/of/17/bytes", "payload of 19 bytes").bytes();
    // A part that is not its own, so that the parts behind it are more than was announced, and read over.
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
fn a_lost_port_ends_everything() {
    let mut module = with_publishes_under_way();
    module.send("\r\n+CMQTTRXSTART: 1,1,1\r\n");
    module.lose_port("unplugged");
    let mut told = happened(&mut module);
    assert_eq!(told.pop().as_deref(), Some("PortLost(\"unplugged\")"));
    assert!(told[0].starts_with("MessageLost"), "{told:?}");
    for id in 1..=5 {
        let ends = told.iter().filter(|event| event.starts_with(&format!("{id} "))).count();
        assert_eq!(ends, 1, "{id}: {told:?}");
    }
    assert_eq!(told.iter().filter(|event| event.contains("unknown: Lost(Port(\"unplugged\"))")).count(), 2);
    assert_eq!(told.iter().filter(|event| event.starts_with("DeferredResult")).count(), 2);
    module.take_written();
    module.run(9, "AT");
    assert!(matches!(module.expect_failure(9), Failure::ConnectionLost { cause: LostBy::Port(_), .. }));
    module.wait_ms(10_000);
    module.expect_nothing_written();
}
