//! Late and missing results: each result is given to its own operation, or to none.

use std::time::Duration;

use simcom_mqtt::at::{Command, ResultCode};
use simcom_mqtt::channel::{Awaited, Event, Failure, LostBy, Transaction, UnknownReason};

use crate::support::{ScriptedModule, failed, then};

const PUB: &str = "AT+CMQTTPUB=0,1,60";

/// Submits one command and plays its `OK`.
fn accepted(module: &mut ScriptedModule, id: u64, line: &str, seconds: u64) {
    module.submit(id, Transaction::single(Command::new(line), Duration::from_secs(seconds)));
    module.expect_line(line);
    module.send(then(&["OK"]));
}

/// Submits one command, plays its `OK`, and waits for its timeout.
fn timed_out(module: &mut ScriptedModule, id: u64, line: &str) -> Failure {
    accepted(module, id, line, 20);
    module.wait_ms(19_999);
    module.expect_in_flight(id);
    module.wait_ms(1);
    module.expect_failure(id)
}

#[test]
fn publish_without_a_result_has_unknown_outcome() {
    let mut module = ScriptedModule::new();
    let failure = timed_out(&mut module, 1, PUB);
    assert_eq!(failure, Failure::ResultUnknown { command: failed(PUB), reason: UnknownReason::Timeout });
}

#[test]
fn other_operation_without_a_result_has_no_answer() {
    for line in ["AT+CMQTTSTART", "AT+CMQTTSUB=0", "AT+CMQTTDISC=0,60"] {
        let mut module = ScriptedModule::new();
        let failure = timed_out(&mut module, 1, line);
        assert_eq!(failure, Failure::NoAnswer { command: failed(line), awaited: Awaited::Result });
    }
}

#[test]
fn late_result_is_reported_once() {
    for (code, expected) in [(0, true), (6, false)] {
        let mut module = ScriptedModule::new();
        timed_out(&mut module, 1, PUB);
        module.send(then(&[&format!("+CMQTTPUB: 0,{code}")]));
        assert_eq!(module.late(1).expect("a late result").is_ok(), expected);
        assert!(module.late(1).is_none());
        assert_eq!(module.engine.counters().deferred_results, 1);
        module.expect_no_other_events();
        // The late result frees the lane.
        accepted(&mut module, 2, PUB, 20);
        module.send(then(&["+CMQTTPUB: 0,0"]));
        module.expect_success(2);
    }
}

#[test]
fn result_before_the_next_ok_belongs_to_the_old_publish() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,0", "OK"]));
    assert_eq!(module.late(1), Some(Ok(())));
    assert_eq!(module.engine.counters().publishes, 1);
    module.expect_in_flight(2);
    module.send(then(&["+CMQTTPUB: 0,17"]));
    assert_eq!(module.expect_refusal(2), Some(17));
    module.expect_no_other_events();
}

/// The module accepts a new publish only when the old one has ended, so the next result belongs to the new one.
#[test]
fn lost_result_does_not_shift_later_results() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, PUB);
    for id in 2..6 {
        accepted(&mut module, id, PUB, 20);
        if id == 2 {
            let late = module.late(1).expect("its result cannot come any more");
            assert!(matches!(late, Err(Failure::NoAnswer { .. })));
        }
        module.expect_in_flight(id);
        let code = u16::try_from(id).unwrap() % 2 * 6;
        module.send(then(&[&format!("+CMQTTPUB: 0,{code}")]));
        if code == 0 {
            module.expect_success(id);
        } else {
            assert_eq!(module.expect_refusal(id), Some(code));
        }
    }
    module.expect_no_other_events();
}

/// A refusal is printed directly before its `ERROR`.
#[test]
fn refusal_of_the_next_publish_is_not_the_late_result() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,11", "ERROR"]));
    assert_eq!(module.expect_refusal(2), Some(11));
    assert_eq!(module.late(1), None);
    module.expect_no_other_events();
}

#[test]
fn late_success_before_the_next_error_belongs_to_the_old_publish() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,0", "ERROR"]));
    assert_eq!(module.expect_refusal(2), None);
    assert_eq!(module.late(1), Some(Ok(())));
    module.expect_no_other_events();
}

#[test]
fn late_result_and_refusal_in_a_row_go_to_their_publishes() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,17", "+CMQTTPUB: 0,11", "ERROR"]));
    assert_eq!(module.expect_refusal(2), Some(11));
    assert!(matches!(module.late(1), Some(Err(Failure::Refused { code: Some(ResultCode::TIMEOUT), .. }))));
    module.expect_no_other_events();
}

/// Some firmware prints the result of DISC, START and STOP before the `OK`.
#[test]
fn lost_result_does_not_delay_commands_with_result_before_ok() {
    for (line, result) in [
        ("AT+CMQTTDISC=0,60", "+CMQTTDISC: 0,0"),
        ("AT+CMQTTSTART", "+CMQTTSTART: 0"),
        ("AT+CMQTTSTOP", "+CMQTTSTOP: 0"),
    ] {
        let mut module = ScriptedModule::new();
        timed_out(&mut module, 1, line);
        module.run(2, line);
        module.expect_line(line);
        module.send(then(&[result, "OK"]));
        module.wait_ms(1000);
        module.expect_success(2);
        module.expect_no_other_events();
    }
}

/// The same bytes, followed by the command's own result.
#[test]
fn late_result_before_ok_belongs_to_the_old_command() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, "AT+CMQTTDISC=0,60");
    module.run(2, "AT+CMQTTDISC=0,60");
    module.expect_line("AT+CMQTTDISC=0,60");
    module.send(then(&["+CMQTTDISC: 0,0", "OK"]));
    module.wait_ms(100);
    module.send(then(&["+CMQTTDISC: 0,11"]));
    assert_eq!(module.expect_refusal(2), Some(11));
    module.expect_no_other_events();
}

#[test]
fn results_without_a_command_are_counted_and_reported() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTSUB: 0,0", "+CMQTTPUB: 1,0", "OK"]));
    module.expect_in_flight(1);
    assert_eq!(module.urcs(), ["+CMQTTSUB: 0,0", "+CMQTTPUB: 1,0"]);
    assert_eq!(module.engine.counters().deferred_results, 2);
    module.send(then(&["+CMQTTPUB: 0,0", "+CMQTTPUB: 0,0"]));
    module.expect_success(1);
    assert_eq!(module.urcs(), ["+CMQTTPUB: 0,0"]);
}

/// The module ends its own operations within 180 s.
#[test]
fn missing_result_is_reported_after_its_last_possible_time() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, PUB);
    module.wait_ms(160_000);
    assert_eq!(module.late(1), None);
    module.wait_ms(10_000);
    assert!(matches!(module.late(1), Some(Err(Failure::NoAnswer { awaited: Awaited::Result, .. }))));
    // A later result belongs to no command.
    module.send(then(&["+CMQTTPUB: 0,0"]));
    assert_eq!(module.urcs(), ["+CMQTTPUB: 0,0"]);
    module.expect_no_other_events();
}

#[test]
fn read_forms_wait_for_pending_results_of_their_own_name() {
    let mut module = ScriptedModule::new();
    accepted(&mut module, 1, "AT+CMQTTDISC=1,60", 60);
    module.run(2, "AT+CMQTTDISC?");
    module.expect_nothing_written();
    module.run(3, "AT+CMQTTREL?");
    module.expect_line("AT+CMQTTREL?");
    module.send(then(&["OK"]));
    module.send(then(&["+CMQTTDISC: 1,0"]));
    module.expect_success(1);
    module.expect_line("AT+CMQTTDISC?");
    module.send(then(&["+CMQTTDISC: 0,1", "+CMQTTDISC: 1,1", "OK"]));
    assert_eq!(module.expect_success(2), [[b"+CMQTTDISC: 0,1", b"+CMQTTDISC: 1,1"]]);
}

const CONNECT: &str = "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1";

/// The answer lines have a server address, or the client number only.
#[test]
fn connections_can_be_read_while_connect_is_pending() {
    for before in 0..3 {
        let mut module = ScriptedModule::new();
        timed_out(&mut module, 1, CONNECT);
        module.run(2, "AT+CMQTTCONNECT?");
        module.expect_line("AT+CMQTTCONNECT?");
        let answer = ["+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1", "+CMQTTCONNECT: 1"];
        let mut lines = vec![answer[0], answer[1], "OK"];
        lines.insert(before, "+CMQTTCONNECT: 0,0");
        module.send(then(&lines));
        assert_eq!(module.expect_success(2), [answer.map(|line| line.as_bytes().to_vec())]);
        assert_eq!(module.engine.counters().deferred_results, 1);
        let events = module.take_events();
        assert!(matches!(&events[..], [Event::CommandSucceeded(line)] if line.bytes() == CONNECT.as_bytes()));
    }
}

/// Code 19 or 11 shows that the timed-out connect or disconnect succeeded.
#[test]
fn refusal_as_connected_completes_the_timed_out_connect() {
    for (line, refusal, read_form) in [
        (CONNECT, "+CMQTTCONNECT: 0,19", "AT+CMQTTCONNECT?"),
        (CONNECT, "+CMQTTCONNECT: 0,13", "AT+CMQTTCONNECT?"),
        ("AT+CMQTTDISC=0,60", "+CMQTTDISC: 0,11", "AT+CMQTTDISC?"),
    ] {
        let mut module = ScriptedModule::new();
        timed_out(&mut module, 1, line);
        module.run(2, line);
        module.expect_line(line);
        module.send(then(&[refusal, "ERROR"]));
        assert!(module.expect_refusal(2).is_some());
        let events = module.take_events();
        assert!(
            matches!(&events[..], [Event::CommandSucceeded(done)] if done.bytes() == line.as_bytes()),
            "{line}"
        );
        module.run(3, read_form);
        module.expect_line(read_form);
    }
}

/// A read form waits no longer than a result can be pending.
#[test]
fn read_forms_continue_when_the_result_cannot_come_any_more() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, "AT+CMQTTDISC=1,60");
    let patient = Transaction::single(Command::new("AT+CMQTTDISC?"), Duration::from_secs(600));
    module.submit(2, patient);
    module.wait_ms(164_000);
    module.expect_nothing_written();
    module.wait_ms(2_000);
    module.expect_line("AT+CMQTTDISC?");
    module.send(then(&["+CMQTTDISC: 0,1", "+CMQTTDISC: 1,1", "OK"]));
    module.expect_success(2);
}

/// A slow command is in flight meanwhile: no timeout may be in the past.
#[test]
fn waiting_read_form_does_not_spin() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, "AT+CMQTTDISC=1,60");
    module.submit(2, Transaction::single(Command::new("AT+CMQTTDISC?"), Duration::from_secs(600)));
    module.wait_ms(160_000);
    let slow = Command::new("AT+CCERTLIST").with_limit(Duration::from_secs(120));
    module.submit(3, Transaction::single(slow, Duration::from_secs(120)));
    module.expect_line("AT+CCERTLIST");
    module.wait_ms(30_000);
    module.expect_nothing_written();
    module.send(then(&["OK"]));
    module.expect_line("AT+CMQTTDISC?");
}

#[test]
fn late_success_of_a_timed_out_operation_is_reported() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, "AT+CMQTTDISC=0,60");
    module.send(then(&["+CMQTTDISC: 0,0"]));
    let events = module.take_events();
    assert!(matches!(&events[..], [Event::CommandSucceeded(line)] if line.bytes() == b"AT+CMQTTDISC=0,60"));
}

#[test]
fn result_can_follow_the_loss_of_its_connection() {
    let mut module = ScriptedModule::new();
    accepted(&mut module, 1, PUB, 60);
    module.send(then(&["+CMQTTCONNLOST: 0,1"]));
    let lost = UnknownReason::Lost(LostBy::Connection(1));
    assert_eq!(module.expect_failure(1), Failure::ResultUnknown { command: failed(PUB), reason: lost });
    module.send(then(&["+CMQTTPUB: 0,0"]));
    assert_eq!(module.late(1), Some(Ok(())));
}

#[test]
fn result_ends_soon_after_the_loss_of_its_connection() {
    for urc in ["+CMQTTCONNLOST: 0,1", "+CMQTTNONET"] {
        let mut module = ScriptedModule::new();
        accepted(&mut module, 1, PUB, 60);
        module.send(then(&[urc]));
        module.expect_failure(1);
        module.wait_ms(1_999);
        assert_eq!(module.late(1), None);
        module.wait_ms(1);
        assert!(module.late(1).expect("it cannot come any more").is_err());
    }
}

/// Plays the answer to the sync probe after a command without a final result; no padding was written.
fn expect_probe_without_padding(module: &mut ScriptedModule) {
    let written = String::from_utf8(module.take_written()).expect("no padding");
    let name = written.strip_prefix("AT").and_then(|rest| rest.strip_suffix("=?\r")).expect("a sync probe");
    module.send(then(&[&format!("{name}: (0-1)"), "OK"]));
}

/// The `OK` was lost on the line.
#[test]
fn result_counts_without_its_ok() {
    for (line, data, result) in [
        ("AT+CMQTTSTART", "", "+CMQTTSTART: "),
        ("AT+CMQTTSTOP", "", "+CMQTTSTOP: "),
        (PUB, "", "+CMQTTPUB: 0,"),
        ("AT+CMQTTSUB=0,1,1", "t", "+CMQTTSUB: 0,"),
        ("AT+CMQTTUNSUB=0,1,0", "t", "+CMQTTUNSUB: 0,"),
        ("AT+CMQTTDISC=0,60", "", "+CMQTTDISC: 0,"),
        ("AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1", "", "+CMQTTCONNECT: 0,"),
    ] {
        for code in [0, 6] {
            let mut module = ScriptedModule::new();
            if data.is_empty() {
                module.run(1, line);
                module.expect_line(line);
            } else {
                module.enter(1, line, data.as_bytes());
                module.expect_line(line);
                module.send("\r\n>");
                module.expect_data(data.as_bytes());
            }
            module.send(then(&[&format!("{result}{code}")]));
            module.wait_ms(10_000);
            if code == 0 {
                assert_eq!(module.expect_success(1), [[] as [Vec<u8>; 0]], "{line}");
                let events = module.take_events();
                assert!(
                    matches!(&events[..], [Event::CommandSucceeded(done)] if done.bytes() == line.as_bytes())
                );
            } else {
                assert_eq!(module.expect_refusal(1), Some(code), "{line}");
            }
            module.expect_no_other_events();
            expect_probe_without_padding(&mut module);
            // No result is pending any more.
            module.run(2, "AT+CMQTTSUB?");
            module.expect_line("AT+CMQTTSUB?");
        }
    }
}

/// A success before the data was entered does not count.
#[test]
fn success_in_place_of_a_prompt_is_no_success() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTSUB=0,1,1", b"t");
    module.expect_line("AT+CMQTTSUB=0,1,1");
    module.send(then(&["+CMQTTSUB: 0,0"]));
    module.wait_ms(10_000);
    assert!(matches!(module.expect_failure(1), Failure::NoAnswer { awaited: Awaited::Prompt, .. }));
    module.expect_data(b"\xFF\r");
}

/// The result belongs to the publish that timed out before.
#[test]
fn result_without_an_ok_belongs_to_the_older_publish() {
    let mut module = ScriptedModule::new();
    timed_out(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,0"]));
    module.wait_ms(10_000);
    assert_eq!(module.late(1), Some(Ok(())));
    assert!(matches!(module.expect_failure(2), Failure::ResultUnknown { .. }));
}

#[test]
fn result_that_was_read_counts_after_port_loss() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,0"]));
    module.lose_port("gone");
    module.expect_success(1);
    assert_eq!(module.late(1), None);
}

/// The `OK` was lost, but the result proves that the module accepted the payload.
#[test]
fn empty_publish_can_follow_a_late_success() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"p");
    for (line, data) in [("AT+CMQTTTOPIC=0,1", b"t"), ("AT+CMQTTPAYLOAD=0,1", b"p")] {
        module.expect_line(line);
        module.send("\r\n>");
        module.expect_data(data);
        module.send(then(&["OK"]));
    }
    module.expect_line(PUB);
    module.wait_ms(10_000);
    module.expect_failure(1);
    let probe = String::from_utf8(module.take_written()).unwrap();
    let name = probe.strip_prefix("AT").unwrap().strip_suffix("=?\r").unwrap();
    module.send(then(&[&format!("{name}: (0-1)"), "OK", "+CMQTTPUB: 0,0"]));
    assert_eq!(module.late(1), Some(Ok(())));

    module.publish(2, 0, b"t", b"");
    module.expect_line("AT+CMQTTTOPIC=0,1");
}
