//! Results that come after their time, or never: each is given to its own operation, or to none.

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

/// Submits one command, plays its `OK`, and lets its time go by.
fn given_up(module: &mut ScriptedModule, id: u64, line: &str) -> Failure {
    accepted(module, id, line, 20);
    module.wait_ms(19_999);
    module.expect_under_way(id);
    module.wait_ms(1);
    module.expect_failure(id)
}

#[test]
fn a_publish_without_a_result_is_of_unknown_outcome() {
    let mut module = ScriptedModule::new();
    let failure = given_up(&mut module, 1, PUB);
    assert_eq!(failure, Failure::ResultUnknown { command: failed(PUB), reason: UnknownReason::Timeout });
}

#[test]
fn any_other_operation_without_a_result_had_no_answer() {
    for line in ["AT+CMQTTSTART", "AT+CMQTTSUB=0", "AT+CMQTTDISC=0,60"] {
        let mut module = ScriptedModule::new();
        let failure = given_up(&mut module, 1, line);
        assert_eq!(failure, Failure::NoAnswer { command: failed(line), awaited: Awaited::Result });
    }
}

#[test]
fn a_late_result_is_told_once_and_changes_nothing_else() {
    for (code, expected) in [(0, true), (6, false)] {
        let mut module = ScriptedModule::new();
        given_up(&mut module, 1, PUB);
        module.send(then(&[&format!("+CMQTTPUB: 0,{code}")]));
        assert_eq!(module.late(1).expect("told").is_ok(), expected);
        assert!(module.late(1).is_none());
        assert_eq!(module.engine.counters().deferred_results, 1);
        module.expect_no_news();
        // And it frees the place.
        accepted(&mut module, 2, PUB, 20);
        module.send(then(&["+CMQTTPUB: 0,0"]));
        module.expect_success(2);
    }
}

#[test]
fn a_late_result_before_the_next_ok_belongs_to_the_old_publish() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,0", "OK"]));
    assert_eq!(module.late(1), Some(Ok(())));
    assert_eq!(module.engine.counters().publishes, 1);
    module.expect_under_way(2);
    module.send(then(&["+CMQTTPUB: 0,17"]));
    assert_eq!(module.expect_refusal(2), Some(17));
    module.expect_no_news();
}

/// The module takes a new publish only when the old one is over, so the first result after that is the new one's.
#[test]
fn a_lost_result_does_not_shift_the_later_ones() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, PUB);
    for id in 2..6 {
        accepted(&mut module, id, PUB, 20);
        if id == 2 {
            let late = module.late(1).expect("its result cannot come any more");
            assert!(matches!(late, Err(Failure::NoAnswer { .. })));
        }
        module.expect_under_way(id);
        let code = u16::try_from(id).unwrap() % 2 * 6;
        module.send(then(&[&format!("+CMQTTPUB: 0,{code}")]));
        if code == 0 {
            module.expect_success(id);
        } else {
            assert_eq!(module.expect_refusal(id), Some(code));
        }
    }
    module.expect_no_news();
}

/// A refusal stands right before its `ERROR`.
#[test]
fn a_refusal_of_the_next_publish_is_not_taken_for_the_late_result() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,11", "ERROR"]));
    assert_eq!(module.expect_refusal(2), Some(11));
    assert_eq!(module.late(1), None);
    module.expect_no_news();
}

#[test]
fn a_late_success_before_the_next_error_is_no_refusal() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,0", "ERROR"]));
    assert_eq!(module.expect_refusal(2), None);
    assert_eq!(module.late(1), Some(Ok(())));
    module.expect_no_news();
}

#[test]
fn a_late_result_and_a_refusal_in_a_row() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,17", "+CMQTTPUB: 0,11", "ERROR"]));
    assert_eq!(module.expect_refusal(2), Some(11));
    assert!(matches!(module.late(1), Some(Err(Failure::Refused { code: Some(ResultCode::TIMEOUT), .. }))));
    module.expect_no_news();
}

/// Some firmware prints the result of DISC, START and STOP before the `OK`.
#[test]
fn a_lost_result_does_not_stall_commands_whose_result_comes_first() {
    for (line, result) in [
        ("AT+CMQTTDISC=0,60", "+CMQTTDISC: 0,0"),
        ("AT+CMQTTSTART", "+CMQTTSTART: 0"),
        ("AT+CMQTTSTOP", "+CMQTTSTOP: 0"),
    ] {
        let mut module = ScriptedModule::new();
        given_up(&mut module, 1, line);
        module.run(2, line);
        module.expect_line(line);
        module.send(then(&[result, "OK"]));
        module.wait_ms(1000);
        module.expect_success(2);
        module.expect_no_news();
    }
}

/// The same bytes, and then its own result after all.
#[test]
fn a_late_result_of_such_a_command_is_still_the_old_ones() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, "AT+CMQTTDISC=0,60");
    module.run(2, "AT+CMQTTDISC=0,60");
    module.expect_line("AT+CMQTTDISC=0,60");
    module.send(then(&["+CMQTTDISC: 0,0", "OK"]));
    module.wait_ms(100);
    module.send(then(&["+CMQTTDISC: 0,11"]));
    assert_eq!(module.expect_refusal(2), Some(11));
    module.expect_no_news();
}

#[test]
fn results_that_nobody_waits_for_are_counted_and_told() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTSUB: 0,0", "+CMQTTPUB: 1,0", "OK"]));
    module.expect_under_way(1);
    assert_eq!(module.urcs(), ["+CMQTTSUB: 0,0", "+CMQTTPUB: 1,0"]);
    assert_eq!(module.engine.counters().deferred_results, 2);
    module.send(then(&["+CMQTTPUB: 0,0", "+CMQTTPUB: 0,0"]));
    module.expect_success(1);
    assert_eq!(module.urcs(), ["+CMQTTPUB: 0,0"]);
}

/// It ends its own operations within 180 s.
#[test]
fn what_the_module_never_ended_is_told_when_it_cannot_come_any_more() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, PUB);
    module.wait_ms(160_000);
    assert_eq!(module.late(1), None);
    module.wait_ms(10_000);
    assert!(matches!(module.late(1), Some(Err(Failure::NoAnswer { awaited: Awaited::Result, .. }))));
    // After that it is nobody's.
    module.send(then(&["+CMQTTPUB: 0,0"]));
    assert_eq!(module.urcs(), ["+CMQTTPUB: 0,0"]);
    module.expect_no_news();
}

#[test]
fn read_forms_wait_for_owed_results_of_their_name_alone() {
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

/// Its lines have a server address, or the client alone.
#[test]
fn the_connections_are_read_while_the_result_of_connect_is_owed() {
    for before in 0..3 {
        let mut module = ScriptedModule::new();
        given_up(&mut module, 1, CONNECT);
        module.run(2, "AT+CMQTTCONNECT?");
        module.expect_line("AT+CMQTTCONNECT?");
        let answer = ["+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1", "+CMQTTCONNECT: 1"];
        let mut lines = vec![answer[0], answer[1], "OK"];
        lines.insert(before, "+CMQTTCONNECT: 0,0");
        module.send(then(&lines));
        assert_eq!(module.expect_success(2), [answer.map(|line| line.as_bytes().to_vec())]);
        assert_eq!(module.engine.counters().deferred_results, 1);
        let told = module.take_events();
        assert!(matches!(&told[..], [Event::CommandSucceeded(line)] if line.bytes() == CONNECT.as_bytes()));
    }
}

/// A client cannot be connected already, nor disconnected, unless the one given up succeeded.
#[test]
fn a_refusal_tells_what_became_of_the_one_given_up() {
    for (line, refusal, read_form) in [
        (CONNECT, "+CMQTTCONNECT: 0,19", "AT+CMQTTCONNECT?"),
        (CONNECT, "+CMQTTCONNECT: 0,13", "AT+CMQTTCONNECT?"),
        ("AT+CMQTTDISC=0,60", "+CMQTTDISC: 0,11", "AT+CMQTTDISC?"),
    ] {
        let mut module = ScriptedModule::new();
        given_up(&mut module, 1, line);
        module.run(2, line);
        module.expect_line(line);
        module.send(then(&[refusal, "ERROR"]));
        assert!(module.expect_refusal(2).is_some());
        let told = module.take_events();
        assert!(
            matches!(&told[..], [Event::CommandSucceeded(done)] if done.bytes() == line.as_bytes()),
            "{line}"
        );
        module.run(3, read_form);
        module.expect_line(read_form);
    }
}

/// And no longer than a result can be owed.
#[test]
fn read_forms_go_on_when_the_result_can_come_no_more() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, "AT+CMQTTDISC=1,60");
    let patient = Transaction::single(Command::new("AT+CMQTTDISC?"), Duration::from_secs(600));
    module.submit(2, patient);
    module.wait_ms(164_000);
    module.expect_nothing_written();
    module.wait_ms(2_000);
    module.expect_line("AT+CMQTTDISC?");
    module.send(then(&["+CMQTTDISC: 0,1", "+CMQTTDISC: 1,1", "OK"]));
    module.expect_success(2);
}

/// A command that takes its time meanwhile: nothing may ask for a time that is past.
#[test]
fn a_waiting_read_form_does_not_spin_while_the_channel_is_taken() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, "AT+CMQTTDISC=1,60");
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
fn success_of_a_given_up_operation_is_told_to_who_keeps_account() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, "AT+CMQTTDISC=0,60");
    module.send(then(&["+CMQTTDISC: 0,0"]));
    let told = module.take_events();
    assert!(matches!(&told[..], [Event::CommandSucceeded(line)] if line.bytes() == b"AT+CMQTTDISC=0,60"));
}

#[test]
fn a_result_may_follow_the_loss_of_its_connection() {
    let mut module = ScriptedModule::new();
    accepted(&mut module, 1, PUB, 60);
    module.send(then(&["+CMQTTCONNLOST: 0,1"]));
    let lost = UnknownReason::Lost(LostBy::Connection(1));
    assert_eq!(module.expect_failure(1), Failure::ResultUnknown { command: failed(PUB), reason: lost });
    module.send(then(&["+CMQTTPUB: 0,0"]));
    assert_eq!(module.late(1), Some(Ok(())));
}

#[test]
fn a_result_does_not_come_long_after_the_loss_of_its_connection() {
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

/// Plays the answer to the fence after a command without a final result, and nothing was filled up before it.
fn expect_fence_alone(module: &mut ScriptedModule) {
    let written = String::from_utf8(module.take_written()).expect("no filling");
    let name = written.strip_prefix("AT").and_then(|rest| rest.strip_suffix("=?\r")).expect("a fence");
    module.send(then(&[&format!("{name}: (0-1)"), "OK"]));
}

/// Its `OK` was lost on the way.
#[test]
fn a_result_counts_without_its_ok() {
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
                let told = module.take_events();
                assert!(
                    matches!(&told[..], [Event::CommandSucceeded(done)] if done.bytes() == line.as_bytes())
                );
            } else {
                assert_eq!(module.expect_refusal(1), Some(code), "{line}");
            }
            module.expect_no_news();
            expect_fence_alone(&mut module);
            // And nothing is owed any longer.
            module.run(2, "AT+CMQTTSUB?");
            module.expect_line("AT+CMQTTSUB?");
        }
    }
}

/// A success proves nothing before the data was entered.
#[test]
fn a_success_in_place_of_a_prompt_is_none() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTSUB=0,1,1", b"t");
    module.expect_line("AT+CMQTTSUB=0,1,1");
    module.send(then(&["+CMQTTSUB: 0,0"]));
    module.wait_ms(10_000);
    assert!(matches!(module.expect_failure(1), Failure::NoAnswer { awaited: Awaited::Prompt, .. }));
    module.expect_data(b"\xFF\r");
}

/// The result of a publish that was given up before is not this one's.
#[test]
fn a_result_without_an_ok_belongs_to_the_older_publish() {
    let mut module = ScriptedModule::new();
    given_up(&mut module, 1, PUB);
    module.run(2, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,0"]));
    module.wait_ms(10_000);
    assert_eq!(module.late(1), Some(Ok(())));
    assert!(matches!(module.expect_failure(2), Failure::ResultUnknown { .. }));
}

#[test]
fn a_result_that_was_read_counts_though_the_port_is_lost() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,0"]));
    module.lose_port("gone");
    module.expect_success(1);
    assert_eq!(module.late(1), None);
}

/// Its `OK` was lost, but the result proves that the module took the payload.
#[test]
fn an_empty_publish_may_follow_a_late_success() {
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
    let fence = String::from_utf8(module.take_written()).unwrap();
    let name = fence.strip_prefix("AT").unwrap().strip_suffix("=?\r").unwrap();
    module.send(then(&[&format!("{name}: (0-1)"), "OK", "+CMQTTPUB: 0,0"]));
    assert_eq!(module.late(1), Some(Ok(())));

    module.publish(2, 0, b"t", b"");
    module.expect_line("AT+CMQTTTOPIC=0,1");
}
