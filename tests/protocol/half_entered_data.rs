//! What a data entry that broke off leaves on the module has no effect.

use simcom_mqtt::channel::{Event, Failure};

use crate::support::{ScriptedModule, failed, then};

/// Longer than the command time-out, in milliseconds.
const TOO_LONG: u64 = 10_500;
const PUB: &str = "AT+CMQTTPUB=0,1,60";

fn half_entered(module: &mut ScriptedModule) -> Vec<String> {
    let shown = |event: Event| match event {
        Event::DataEntryAborted(line) => Some(line.shown()),
        _ => None,
    };
    module.take_events().into_iter().filter_map(shown).collect()
}

/// Up to the line of PAYLOAD.
fn publish_until_payload(module: &mut ScriptedModule, id: u64, payload: &[u8]) {
    module.publish(id, 0, b"topic", payload);
    module.expect_line("AT+CMQTTTOPIC=0,5");
    module.send("\r\n>");
    module.expect_data(b"topic");
    module.send(then(&["OK"]));
    module.expect_line(&format!("AT+CMQTTPAYLOAD=0,{}", payload.len()));
}

/// Up to the line of PUB.
fn publish_until_pub(module: &mut ScriptedModule, id: u64, payload: &[u8]) {
    publish_until_payload(module, id, payload);
    module.send("\r\n>");
    module.expect_data(payload);
    module.send(then(&["OK"]));
    module.expect_line(PUB);
}

/// A publish whose PUB is refused, so that the module may hold its payload still.
fn publish_in_vain(module: &mut ScriptedModule) {
    publish_until_pub(module, 1, b"old");
    module.send(then(&["ERROR"]));
    module.expect_refusal(1);
}

#[test]
fn an_empty_publish_is_not_sent_while_the_module_may_hold_a_payload() {
    let mut module = ScriptedModule::new();
    publish_in_vain(&mut module);
    module.publish(2, 0, b"topic", b"");
    assert_eq!(module.expect_failure(2), Failure::PayloadHeld { command: failed(PUB) });
    module.expect_nothing_written();
    module.acquire(3, 1);
    module.publish(4, 1, b"other", b"");
    module.expect_line("AT+CMQTTTOPIC=1,5");
}

/// An earlier process may have entered a payload, and ended before it published it.
#[test]
fn an_empty_publish_is_not_sent_by_a_client_found_on_the_module() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"topic", b"");
    assert_eq!(module.expect_failure(1), Failure::PayloadHeld { command: failed(PUB) });
    module.expect_nothing_written();
    publish_until_pub(&mut module, 2, b"new");
    module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
    module.expect_success(2);
    module.publish(3, 0, b"topic", b"");
    module.expect_line("AT+CMQTTTOPIC=0,5");
}

#[test]
fn a_client_that_was_acquired_holds_nothing() {
    let mut module = ScriptedModule::new();
    module.acquire(3, 1);
    module.publish(4, 0, b"topic", b"");
    assert!(matches!(module.expect_failure(4), Failure::PayloadHeld { .. }));
    module.publish(5, 1, b"topic", b"");
    module.expect_line("AT+CMQTTTOPIC=1,5");
}

#[test]
fn a_client_that_was_refused_may_still_hold_something() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CMQTTACCQ=0,\"rig\"");
    module.expect_line("AT+CMQTTACCQ=0,\"rig\"");
    module.send(then(&["+CMQTTACCQ: 0,19", "ERROR"]));
    module.expect_refusal(1);
    module.publish(2, 0, b"topic", b"");
    assert!(matches!(module.expect_failure(2), Failure::PayloadHeld { .. }));
}

#[test]
fn a_publish_that_the_module_accepts_makes_room_for_an_empty_one() {
    let mut module = ScriptedModule::new();
    publish_in_vain(&mut module);
    publish_until_pub(&mut module, 2, b"new");
    module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
    module.expect_success(2);
    module.publish(3, 0, b"topic", b"");
    module.expect_line("AT+CMQTTTOPIC=0,5");
}

#[test]
fn releasing_the_client_makes_room_too() {
    let mut module = ScriptedModule::new();
    publish_in_vain(&mut module);
    module.run(2, "AT+CMQTTREL=0");
    module.expect_line("AT+CMQTTREL=0");
    module.send(then(&["OK"]));
    module.expect_success(2);
    module.publish(3, 0, b"topic", b"");
    module.expect_line("AT+CMQTTTOPIC=0,5");
}

#[test]
fn a_payload_without_a_prompt_is_as_good_as_held() {
    let mut module = ScriptedModule::new();
    publish_until_payload(&mut module, 1, b"old");
    module.wait_ms(TOO_LONG);
    module.expect_failure(1);
    module.answer_fence();
    assert_eq!(half_entered(&mut module), ["AT+CMQTTPAYLOAD=0,3"]);
    module.publish(2, 0, b"topic", b"");
    assert!(matches!(module.expect_failure(2), Failure::PayloadHeld { .. }));
}

#[test]
fn a_certificate_that_broke_off_is_deleted() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CCERTDOWN=\"ca.pem\",5", b"-----");
    module.expect_line("AT+CCERTDOWN=\"ca.pem\",5");
    module.wait_ms(TOO_LONG);
    module.expect_failure(1);
    module.answer_fence();
    module.expect_line("AT+CCERTDELE=\"ca.pem\"");
    module.send(then(&["OK"]));
    module.expect_nothing_written();
}

#[test]
fn a_subscription_to_the_filling_is_undone_when_it_comes_about() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTSUB=0,4,1", b"dut/");
    module.expect_line("AT+CMQTTSUB=0,4,1");
    module.wait_ms(TOO_LONG);
    module.expect_failure(1);
    module.answer_fence();
    module.expect_nothing_written();
    module.send(then(&["+CMQTTSUB: 0,0"]));
    module.expect_line("AT+CMQTTUNSUB=0,4,0");
    module.send("\r\n>");
    module.expect_data(&[0xFF; 4]);
    module.send(then(&["OK", "+CMQTTUNSUB: 0,0"]));
    module.expect_nothing_written();
}

/// A broker hangs up on a client that names a topic of empty lines, and a topic that lost bytes may be legal: what is
/// not UTF-8 never gets there, for the module checks.
#[test]
fn a_topic_to_subscribe_to_is_filled_up_so_that_the_module_refuses_it() {
    for line in ["AT+CMQTTSUB=0,4,1", "AT+CMQTTUNSUB=0,4,0"] {
        for prompt in [true, false] {
            let mut module = ScriptedModule::new();
            module.enter(1, line, b"dut/");
            module.expect_line(line);
            if prompt {
                module.send("\r\n>");
                module.expect_data(b"dut/");
            }
            module.wait_ms(TOO_LONG);
            module.expect_failure(1);
            module.expect_data(b"\xFF\xFF\xFF\xFF\r");
            let name = if line.contains("UNSUB") { "CMQTTUNSUB" } else { "CMQTTSUB" };
            module.send(then(&[&format!("+{name}: 0,2"), "ERROR"]));
            module.answer_fence();
            module.expect_nothing_written();
            module.run(2, "AT+CSQ");
            module.expect_line("AT+CSQ");
        }
    }
}

#[test]
fn a_will_that_broke_off_is_told() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTWILLTOPIC=0,4", b"will");
    module.expect_line("AT+CMQTTWILLTOPIC=0,4");
    module.wait_ms(TOO_LONG);
    module.expect_failure(1);
    assert_eq!(half_entered(&mut module), ["AT+CMQTTWILLTOPIC=0,4"]);
}
