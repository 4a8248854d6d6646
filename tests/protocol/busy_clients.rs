//! Code 14: the client is busy. Tried again from the beginning, in its turn and within its time.

use std::time::Duration;

use simcom_mqtt::at::Command;
use simcom_mqtt::channel::{Awaited, Failure, Transaction};

use crate::support::{ScriptedModule, failed, then};

fn retrying(line: &str, seconds: u64) -> Transaction {
    Transaction::single(Command::new(line), Duration::from_secs(seconds)).retrying_while_busy()
}

const PUB: &str = "AT+CMQTTPUB=0,1,60";

#[test]
fn tried_again_after_a_quarter_of_a_second_in_every_answer_order() {
    for answer in [&["+CMQTTPUB: 0,14", "ERROR"][..], &["+CMQTTPUB: 0,14", "OK"], &["OK", "+CMQTTPUB: 0,14"]]
    {
        let mut module = ScriptedModule::new();
        module.submit(1, retrying(PUB, 60));
        for _ in 0..5 {
            module.expect_line(PUB);
            module.send(then(answer));
            module.expect_under_way(1);
            module.wait_ms(249);
            module.expect_nothing_written();
            module.wait_ms(1);
        }
        module.expect_line(PUB);
        module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
        let answers = module.expect_success(1);
        assert_eq!(answers, [Vec::<Vec<u8>>::new()], "nothing of the attempts before");
        module.expect_no_news();
    }
}

#[test]
fn a_connect_refused_as_busy_behind_its_error() {
    let line = "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1";
    let mut module = ScriptedModule::new();
    module.submit(1, retrying(line, 60));
    module.expect_line(line);
    module.send(then(&["ERROR", "+CMQTTCONNECT: 0,14"]));
    module.wait_ms(250);
    module.expect_line(line);
    module.send(then(&["OK", "+CMQTTCONNECT: 0,0"]));
    module.expect_success(1);
}

#[test]
fn without_leave_to_try_again_it_is_a_refusal() {
    for answer in [&["+CMQTTPUB: 0,14", "ERROR"][..], &["OK", "+CMQTTPUB: 0,14"]] {
        let mut module = ScriptedModule::new();
        module.run(1, PUB);
        module.expect_line(PUB);
        module.send(then(answer));
        assert_eq!(module.expect_refusal(1), Some(14));
    }
}

#[test]
fn given_up_as_refused_when_no_time_is_left() {
    let mut module = ScriptedModule::new();
    module.submit(1, retrying(PUB, 1));
    for _ in 0..3 {
        module.expect_line(PUB);
        module.send(then(&["+CMQTTPUB: 0,14", "ERROR"]));
        module.wait_ms(250);
    }
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,14", "ERROR"]));
    assert_eq!(module.expect_refusal(1), Some(14));
    module.wait_ms(5000);
    module.expect_nothing_written();
}

#[test]
fn from_its_first_command_and_before_what_was_queued_behind_it() {
    let mut module = ScriptedModule::new();
    module.acquire(9, 0);
    module.publish(1, 0, b"first", b"");
    module.publish(2, 0, b"second", b"");
    module.expect_line("AT+CMQTTTOPIC=0,5");
    module.send("\r\n>");
    module.expect_data(b"first");
    module.send(then(&["OK"]));
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,14", "ERROR"]));
    module.expect_nothing_written();
    // Others go ahead meanwhile.
    module.run(3, "AT+CMQTTREL=1");
    module.expect_line("AT+CMQTTREL=1");
    module.send(then(&["OK"]));
    module.wait_ms(250);
    module.expect_line("AT+CMQTTTOPIC=0,5");
    module.send("\r\n>");
    module.expect_data(b"first");
    module.send(then(&["OK"]));
    module.expect_line(PUB);
    module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
    module.expect_success(1);
    module.expect_line("AT+CMQTTTOPIC=0,6");
}

#[test]
fn a_slow_command_in_between_does_not_make_it_spin() {
    let mut module = ScriptedModule::new();
    module.submit(1, retrying(PUB, 60));
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,14", "ERROR"]));
    let slow = Command::new("AT+CCERTLIST").with_limit(Duration::from_secs(20));
    module.submit(2, Transaction::single(slow, Duration::from_secs(20)));
    module.expect_line("AT+CCERTLIST");
    module.wait_ms(5000);
    module.expect_nothing_written();
    module.send(then(&["OK"]));
    module.expect_line(PUB);
}

#[test]
fn a_message_coming_in_does_not_make_it_spin() {
    let mut module = ScriptedModule::new();
    module.submit(1, retrying(PUB, 60));
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,14", "ERROR"]));
    module.send("\r\n+CMQTTRXSTART: 1,1,0\r\n+CMQTTRXTOPIC: 1,1\r\n");
    module.wait_ms(1000);
    module.expect_nothing_written();
    module.send("a\r\n+CMQTTRXEND: 1\r\n");
    module.expect_message(1, "a", "");
    module.expect_line(PUB);
}

#[test]
fn a_lane_that_stays_busy_holds_nothing_else_up_and_ends() {
    let mut module = ScriptedModule::new();
    module.acquire(9, 0);
    module.submit(1, retrying(PUB, 10));
    module.publish(2, 0, b"t", b"");
    for _ in 0..39 {
        module.expect_line(PUB);
        module.send(then(&["+CMQTTPUB: 0,14", "ERROR"]));
        module.wait_ms(250);
    }
    module.expect_line(PUB);
    // No answer at all this time.
    module.wait_ms(250);
    let failure = module.expect_failure(1);
    assert!(matches!(failure, Failure::ResultUnknown { .. }), "{failure:?}");
}

/// The old operation is still under way, as the module says: its result is its own, and the next one waits.
#[test]
fn busy_because_of_an_operation_that_was_given_up() {
    for answer in [&["+CMQTTPUB: 0,14", "ERROR"][..], &["OK", "+CMQTTPUB: 0,14"]] {
        let mut module = ScriptedModule::new();
        module.submit(1, Transaction::single(Command::new(PUB), Duration::from_secs(5)));
        module.expect_line(PUB);
        module.send(then(&["OK"]));
        module.wait_ms(5000);
        assert!(matches!(module.expect_failure(1), Failure::ResultUnknown { .. }));
        module.submit(2, retrying(PUB, 60));
        module.expect_line(PUB);
        module.send(then(answer));
        module.wait_ms(250);
        module.expect_line(PUB);
        if answer[0] == "OK" {
            // Nothing but the `OK` of the next one can prove that the old one is over.
            assert!(matches!(module.late(1), Some(Err(Failure::NoAnswer { .. }))));
            module.send(then(&["OK"]));
        } else {
            module.send(then(&["+CMQTTPUB: 0,0", "OK"]));
            assert_eq!(module.late(1), Some(Ok(())));
        }
        module.send(then(&["+CMQTTPUB: 0,17"]));
        assert_eq!(module.expect_refusal(2), Some(17));
    }
}

#[test]
fn abandoned_while_it_waits_to_be_tried_again() {
    let mut module = ScriptedModule::new();
    module.submit(1, retrying(PUB, 60));
    module.expect_line(PUB);
    module.send(then(&["+CMQTTPUB: 0,14", "ERROR"]));
    module.cancel(1);
    assert_eq!(module.expect_failure(1), Failure::Cancelled);
    module.wait_ms(5000);
    module.expect_nothing_written();
}

#[test]
fn its_whole_time_may_pass_in_the_queue() {
    let mut module = ScriptedModule::new();
    let slow = Command::new("AT+CCERTLIST").with_limit(Duration::from_secs(20));
    module.submit(1, Transaction::single(slow, Duration::from_secs(20)));
    module.take_written();
    module.submit(2, retrying(PUB, 3));
    module.wait_ms(3000);
    let failure = Failure::NoAnswer { command: failed(PUB), awaited: Awaited::Channel };
    assert_eq!(module.expect_failure(2), failure);
}
