//! Code 14, client is busy: retried from the first command, in its turn and within its timeout.

use std::time::Duration;

use simcom_mqtt::at::Command;
use simcom_mqtt::channel::{Awaited, Failure, Transaction};

use crate::support::{ScriptedModule, failed, then};

fn retrying(line: &str, seconds: u64) -> Transaction {
    Transaction::single(Command::new(line), Duration::from_secs(seconds)).retrying_while_busy()
}

const PUB: &str = "AT+CMQTTPUB=0,1,60";

#[test]
fn busy_is_retried_after_250_ms_in_every_answer_order() {
    for answer in [&["+CMQTTPUB: 0,14", "ERROR"][..], &["+CMQTTPUB: 0,14", "OK"], &["OK", "+CMQTTPUB: 0,14"]]
    {
        let mut module = ScriptedModule::new();
        module.submit(1, retrying(PUB, 60));
        for _ in 0..5 {
            module.expect_line(PUB);
            module.send(then(answer));
            module.expect_in_flight(1);
            module.wait_ms(249);
            module.expect_nothing_written();
            module.wait_ms(1);
        }
        module.expect_line(PUB);
        module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
        let answers = module.expect_success(1);
        assert_eq!(answers, [Vec::<Vec<u8>>::new()], "nothing of the attempts before");
        module.expect_no_other_events();
    }
}

#[test]
fn connect_with_busy_after_error_is_retried() {
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
fn busy_is_a_refusal_without_retrying() {
    for answer in [&["+CMQTTPUB: 0,14", "ERROR"][..], &["OK", "+CMQTTPUB: 0,14"]] {
        let mut module = ScriptedModule::new();
        module.run(1, PUB);
        module.expect_line(PUB);
        module.send(then(answer));
        assert_eq!(module.expect_refusal(1), Some(14));
    }
}

#[test]
fn busy_is_a_refusal_when_no_time_is_left() {
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
fn busy_publish_restarts_before_queued_ones() {
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
    // The other client continues meanwhile.
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
fn retry_behind_a_slow_command_does_not_spin() {
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
fn retry_during_an_incoming_message_does_not_spin() {
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
fn busy_lane_ends_and_delays_no_other() {
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
    // No answer this time.
    module.wait_ms(250);
    let failure = module.expect_failure(1);
    assert!(matches!(failure, Failure::ResultUnknown { .. }), "{failure:?}");
}

/// The old operation is still in flight: it keeps its result, and the next one waits.
#[test]
fn busy_after_a_timed_out_operation_keeps_results_apart() {
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
            // Only the `OK` of the next operation proves that the old one has ended.
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
fn cancelled_while_it_waits_for_a_retry() {
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
fn timeout_can_pass_in_the_queue() {
    let mut module = ScriptedModule::new();
    let slow = Command::new("AT+CCERTLIST").with_limit(Duration::from_secs(20));
    module.submit(1, Transaction::single(slow, Duration::from_secs(20)));
    module.take_written();
    module.submit(2, retrying(PUB, 3));
    module.wait_ms(3000);
    let failure = Failure::NoAnswer { command: failed(PUB), awaited: Awaited::Channel };
    assert_eq!(module.expect_failure(2), failure);
}
