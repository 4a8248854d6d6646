//! Lane barriers: commands behind a failure that may mean a lost connection wait until the failure is judged.

use std::time::Duration;

use simcom_mqtt::at::{ClientIndex, Command};
use simcom_mqtt::channel::{Failure, Transaction};

use crate::support::{ScriptedModule, then};

const PUB: &str = "AT+CMQTTPUB=0,1,60";

fn keeping_order(line: &str) -> Transaction {
    Transaction::single(Command::new(line), Duration::from_secs(60)).keeping_order()
}

fn first_client() -> ClientIndex {
    ClientIndex::ALL[0]
}

/// The first command has failed; two ordered commands and one without order are behind it.
fn failed_before_three() -> ScriptedModule {
    let mut module = ScriptedModule::new();
    for id in [1, 2, 3] {
        module.submit(id, keeping_order(PUB));
    }
    module.run(4, "AT+CMQTTDISC=0,60");
    module.expect_line(PUB);
    module.send(then(&["ERROR"]));
    assert_eq!(module.expect_refusal(1), None);
    module.expect_nothing_written();
    module
}

#[test]
fn commands_behind_a_failure_wait_until_the_barrier_is_lifted() {
    let mut module = failed_before_three();
    module.wait_ms(1_000);
    module.expect_nothing_written();

    assert!(module.lift_lane_barriers());
    assert!(!module.lift_lane_barriers());

    for id in [2, 3] {
        module.expect_line(PUB);
        module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
        module.expect_success(id);
    }
    module.expect_line("AT+CMQTTDISC=0,60");
}

#[test]
fn commands_behind_a_failure_are_cancelled_in_order() {
    let mut module = failed_before_three();

    assert_eq!(module.engine.cancel_queued_of(first_client()), [2, 3]);
    assert!(module.engine.cancel_queued_of(first_client()).is_empty());
    module.lift_lane_barriers();

    module.expect_line("AT+CMQTTDISC=0,60");
    module.submit(1, keeping_order(PUB));
    module.send(then(&["OK", "+CMQTTDISC: 0,0"]));
    module.expect_success(4);
    module.expect_line(PUB);
    for id in [1, 2, 3] {
        module.expect_in_flight(id);
    }
}

#[test]
fn other_client_continues_behind_a_barrier() {
    let mut module = failed_before_three();
    module.submit(5, keeping_order("AT+CMQTTPUB=1,1,60"));
    module.expect_line("AT+CMQTTPUB=1,1,60");
    assert_eq!(module.engine.cancel_queued_of(first_client()), [2, 3]);
    module.send(then(&["OK", "+CMQTTPUB: 1,0"]));
    module.expect_success(5);
}

#[test]
fn started_command_is_not_cancelled() {
    let mut module = ScriptedModule::new();
    module.submit(1, keeping_order(PUB));
    module.submit(2, keeping_order(PUB));
    module.expect_line(PUB);
    assert_eq!(module.engine.cancel_queued_of(first_client()), [2]);
    module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
    module.expect_success(1);
    assert!(!module.lift_lane_barriers(), "a success sets no barrier");
}

#[test]
fn missing_answer_sets_a_barrier() {
    let mut module = ScriptedModule::new();
    module.submit(
        1,
        Transaction::single(Command::new("AT+CMQTTTOPIC=0,1").with_data("t"), Duration::from_secs(60))
            .keeping_order(),
    );
    module.submit(2, keeping_order(PUB));
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.wait_ms(9_000);
    assert!(matches!(module.expect_failure(1), Failure::NoAnswer { .. }));
    module.answer_probe();
    module.expect_nothing_written();
    assert!(module.lift_lane_barriers());
    module.expect_line(PUB);
}

/// The failure of a cancelled command is not reported, so nothing would lift the barrier.
#[test]
fn cancelled_command_sets_no_barrier() {
    let mut module = ScriptedModule::new();
    module.submit(1, keeping_order(PUB));
    module.submit(2, keeping_order(PUB));
    module.expect_line(PUB);
    module.cancel(1);
    module.send(then(&["ERROR"]));
    module.expect_line(PUB);
}

#[test]
fn failure_without_order_sets_no_barrier() {
    let mut module = ScriptedModule::new();
    module.run(1, PUB);
    module.submit(2, keeping_order(PUB));
    module.expect_line(PUB);
    module.send(then(&["ERROR"]));
    module.expect_refusal(1);
    module.expect_line(PUB);
}
