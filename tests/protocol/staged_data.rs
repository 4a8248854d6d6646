//! Data that an interrupted entry left on the module has no effect.

use simcom_mqtt::channel::{Event, Failure};

use crate::support::{ScriptedModule, failed, then};

/// Milliseconds, longer than the command timeout.
const TOO_LONG: u64 = 10_500;
const PUB: &str = "AT+CMQTTPUB=0,1,60";

fn staged_data_events(module: &mut ScriptedModule) -> Vec<String> {
    let shown = |event: Event| match event {
        Event::DataEntryAborted(line) => Some(line.shown()),
        _ => None,
    };
    module.take_events().into_iter().filter_map(shown).collect()
}

/// Plays a publish up to the line of PAYLOAD.
fn publish_until_payload(module: &mut ScriptedModule, id: u64, payload: &[u8]) {
    module.publish(id, 0, b"topic", payload);
    module.expect_line("AT+CMQTTTOPIC=0,5");
    module.send("\r\n>");
    module.expect_data(b"topic");
    module.send(then(&["OK"]));
    module.expect_line(&format!("AT+CMQTTPAYLOAD=0,{}", payload.len()));
}

/// Plays a publish up to the line of PUB.
fn publish_until_pub(module: &mut ScriptedModule, id: u64, payload: &[u8]) {
    publish_until_payload(module, id, payload);
    module.send("\r\n>");
    module.expect_data(payload);
    module.send(then(&["OK"]));
    module.expect_line(PUB);
}

/// Plays a publish whose PUB is refused: its payload may still be staged.
fn refused_publish(module: &mut ScriptedModule) {
    publish_until_pub(module, 1, b"old");
    module.send(then(&["ERROR"]));
    module.expect_refusal(1);
}

#[test]
fn empty_publish_is_not_sent_while_a_payload_may_be_staged() {
    let mut module = ScriptedModule::new();
    refused_publish(&mut module);
    module.publish(2, 0, b"topic", b"");
    assert_eq!(module.expect_failure(2), Failure::PayloadHeld { command: failed(PUB) });
    module.expect_nothing_written();
    module.acquire(3, 1);
    module.publish(4, 1, b"other", b"");
    module.expect_line("AT+CMQTTTOPIC=1,5");
}

/// An earlier process may have entered a payload without publishing it.
#[test]
fn adopted_client_does_not_send_an_empty_publish() {
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
fn acquired_client_has_no_staged_data() {
    let mut module = ScriptedModule::new();
    module.acquire(3, 1);
    module.publish(4, 0, b"topic", b"");
    assert!(matches!(module.expect_failure(4), Failure::PayloadHeld { .. }));
    module.publish(5, 1, b"topic", b"");
    module.expect_line("AT+CMQTTTOPIC=1,5");
}

#[test]
fn refused_client_may_have_staged_data() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CMQTTACCQ=0,\"rig\"");
    module.expect_line("AT+CMQTTACCQ=0,\"rig\"");
    module.send(then(&["+CMQTTACCQ: 0,19", "ERROR"]));
    module.expect_refusal(1);
    module.publish(2, 0, b"topic", b"");
    assert!(matches!(module.expect_failure(2), Failure::PayloadHeld { .. }));
}

#[test]
fn accepted_publish_clears_the_staged_payload() {
    let mut module = ScriptedModule::new();
    refused_publish(&mut module);
    publish_until_pub(&mut module, 2, b"new");
    module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
    module.expect_success(2);
    module.publish(3, 0, b"topic", b"");
    module.expect_line("AT+CMQTTTOPIC=0,5");
}

#[test]
fn release_clears_the_staged_payload() {
    let mut module = ScriptedModule::new();
    refused_publish(&mut module);
    module.run(2, "AT+CMQTTREL=0");
    module.expect_line("AT+CMQTTREL=0");
    module.send(then(&["OK"]));
    module.expect_success(2);
    module.publish(3, 0, b"topic", b"");
    module.expect_line("AT+CMQTTTOPIC=0,5");
}

#[test]
fn payload_without_a_prompt_counts_as_staged() {
    let mut module = ScriptedModule::new();
    publish_until_payload(&mut module, 1, b"old");
    module.wait_ms(TOO_LONG);
    module.expect_failure(1);
    module.answer_probe();
    assert_eq!(staged_data_events(&mut module), ["AT+CMQTTPAYLOAD=0,3"]);
    module.publish(2, 0, b"topic", b"");
    assert!(matches!(module.expect_failure(2), Failure::PayloadHeld { .. }));
}

#[test]
fn interrupted_certificate_is_deleted() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CCERTDOWN=\"ca.pem\",5", b"-----");
    module.expect_line("AT+CCERTDOWN=\"ca.pem\",5");
    module.wait_ms(TOO_LONG);
    module.expect_failure(1);
    module.answer_probe();
    module.expect_line("AT+CCERTDELE=\"ca.pem\"");
    module.send(then(&["OK"]));
    module.expect_nothing_written();
}

#[test]
fn subscription_to_the_padding_is_undone() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTSUB=0,4,1", b"dut/");
    module.expect_line("AT+CMQTTSUB=0,4,1");
    module.wait_ms(TOO_LONG);
    module.expect_failure(1);
    module.answer_probe();
    module.expect_nothing_written();
    module.send(then(&["+CMQTTSUB: 0,0"]));
    module.expect_line("AT+CMQTTUNSUB=0,4,0");
    module.send("\r\n>");
    module.expect_data(&[0xFF; 4]);
    module.send(then(&["OK", "+CMQTTUNSUB: 0,0"]));
    module.expect_nothing_written();
}

/// A broker closes the connection on a topic of empty lines, and a topic that lost bytes may be legal. Padding that is
/// not UTF-8 never reaches the broker, because the module refuses it.
#[test]
fn topic_filter_is_padded_so_that_the_module_refuses_it() {
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
            module.answer_probe();
            module.expect_nothing_written();
            module.run(2, "AT+CSQ");
            module.expect_line("AT+CSQ");
        }
    }
}

#[test]
fn interrupted_will_is_reported() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTWILLTOPIC=0,4", b"will");
    module.expect_line("AT+CMQTTWILLTOPIC=0,4");
    module.wait_ms(TOO_LONG);
    module.expect_failure(1);
    assert_eq!(staged_data_events(&mut module), ["AT+CMQTTWILLTOPIC=0,4"]);
}
