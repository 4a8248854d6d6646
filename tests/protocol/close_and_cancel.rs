//! Close and cancel: every transaction ends once, and a command in flight runs to its end.

use std::time::Duration;

use simcom_mqtt::at::Command;
use simcom_mqtt::channel::{Event, Failure, Transaction, UnknownReason};

use crate::support::{ScriptedModule, failed, then};

const PUB: &str = "AT+CMQTTPUB=0,1,60";

#[test]
fn close_ends_every_transaction_once() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.send(then(&["OK"]));
    module.run(2, "AT+CMQTTDISC=1,60");
    module.send(then(&["OK"]));
    module.publish(3, 0, b"t", b"p");
    module.run(4, "AT+CMQTTDISC?");
    module.run(5, "AT+CMQTTSTART");
    module.send(then(&["OK"]));
    module.run(6, "AT+CSQ");
    module.run(7, "AT+CPSI?");
    module.close();
    for id in [2, 3, 4, 5, 6, 7] {
        assert_eq!(module.expect_failure(id), Failure::Closed, "{id}");
    }
    let unknown = Failure::ResultUnknown { command: failed(PUB), reason: UnknownReason::Closed };
    assert_eq!(module.expect_failure(1), unknown);
    assert_eq!(module.late(1), Some(Err(unknown)));
    module.expect_no_other_events();
    assert_eq!(module.engine.poll_timeout(), None);
    module.take_written();
    module.run(8, "AT");
    assert_eq!(module.expect_failure(8), Failure::Closed);
    module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
    module.expect_nothing_written();
    assert!(module.late(1).is_none());
}

/// The PUB was written, but its OK was not read.
#[test]
fn close_with_a_publish_in_flight_has_unknown_result() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.close();
    let unknown = Failure::ResultUnknown { command: failed(PUB), reason: UnknownReason::Closed };
    assert_eq!(module.expect_failure(1), unknown);
    assert_eq!(module.late(1), Some(Err(unknown)));
}

/// The topic alone sends nothing.
#[test]
fn close_before_pub_fails_as_closed() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"p");
    module.close();
    assert_eq!(module.expect_failure(1), Failure::Closed);
    assert!(module.late(1).is_none());
}

#[test]
fn close_while_opening_or_recovering_ends_all() {
    let mut module = ScriptedModule::new();
    module.open(1);
    module.run(2, "AT");
    module.close();
    assert_eq!(module.expect_failure(1), Failure::Closed);
    assert_eq!(module.expect_failure(2), Failure::Closed);
    assert_eq!(module.engine.poll_timeout(), None);

    let mut module = ScriptedModule::new();
    module.run(1, "AT");
    module.wait_ms(9_500);
    module.expect_failure(1);
    module.run(2, "AT");
    module.close();
    assert_eq!(module.expect_failure(2), Failure::Closed);
    module.take_written();
    module.wait_ms(20_000);
    module.expect_nothing_written();
}

#[test]
fn close_ends_a_late_result() {
    let mut module = ScriptedModule::new();
    module.submit(1, Transaction::single(Command::new(PUB), Duration::from_secs(5)));
    module.send(then(&["OK"]));
    module.wait_ms(5_000);
    module.expect_failure(1);
    module.close();
    assert!(matches!(module.late(1), Some(Err(_))));
}

#[test]
fn cancelled_in_the_queue_is_never_written() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CPSI?");
    module.expect_line("AT+CPSI?");
    module.publish(2, 0, b"t", b"p");
    module.cancel(2);
    assert_eq!(module.expect_failure(2), Failure::Cancelled);
    module.send(then(&["OK"]));
    module.expect_nothing_written();
}

#[test]
fn cancelled_in_the_middle_runs_to_its_end() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"p");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.cancel(1);
    module.send("\r\n>");
    module.expect_data(b"t");
    module.send(then(&["OK"]));
    module.expect_line("AT+CMQTTPAYLOAD=0,1");
    module.send("\r\n>");
    module.expect_data(b"p");
    module.send(then(&["OK"]));
    module.expect_line(PUB);
    module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
    assert_eq!(module.engine.counters().publishes, 1);
    assert!(
        module.take_events().iter().all(|event| matches!(event, Event::CommandSucceeded(_))),
        "the caller no longer waits"
    );
}

/// The next command waits until the client is free.
#[test]
fn cancelled_with_pending_result_keeps_its_place() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.send(then(&["OK"]));
    module.run(2, PUB);
    module.cancel(1);
    module.expect_nothing_written();
    module.send(then(&["+CMQTTPUB: 0,0"]));
    module.expect_line(PUB);
    module.send(then(&["OK", "+CMQTTPUB: 0,6"]));
    assert_eq!(module.expect_refusal(2), Some(6));
    assert!(module.late(1).is_none());
}

/// Without a result, the next command waits until the timeout only.
#[test]
fn cancelled_without_result_frees_the_lane_after_its_timeout() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.expect_line(PUB);
    module.send(then(&["OK"]));
    module.cancel(1);
    module.submit(2, Transaction::single(Command::new(PUB), Duration::from_secs(90)));
    module.wait_ms(59_000);
    module.expect_nothing_written();
    module.wait_ms(1_000);
    module.expect_line(PUB);
    module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
    module.expect_success(2);
}

#[test]
fn cancelled_while_a_code_may_follow_error() {
    let mut module = ScriptedModule::new();
    let line = "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1";
    module.run(1, line);
    module.expect_line(line);
    module.send(then(&["ERROR"]));
    module.cancel(1);
    module.run(2, "AT+CMQTTCONNECT?");
    module.wait_ms(500);
    module.expect_line("AT+CMQTTCONNECT?");
}

#[test]
fn cancelling_an_ended_or_unknown_transaction_does_nothing() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT");
    module.send(then(&["OK"]));
    module.expect_success(1);
    module.cancel(1);
    module.cancel(77);
    module.expect_no_other_events();
}
