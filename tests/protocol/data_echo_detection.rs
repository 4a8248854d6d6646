//! The driver learns if the firmware echoes entered data, and learns again when that may have changed.

use crate::support::{Firmware, Gap, ScriptedModule, then};

const NOTHING: &dyn Fn(Gap) -> Vec<u8> = &|_| Vec::new();
const WITHOUT_ECHO: Firmware = Firmware { echo: false, data_echo: false, prompt: "\r\n>" };
const WITH_ECHO: Firmware = Firmware { echo: true, data_echo: true, prompt: "\r\n>" };
const LIKE_AN_ANSWER: &[u8] = b"\r\nOK\r\n";

fn enter(module: &mut ScriptedModule, firmware: Firmware, id: u64, data: &[u8]) {
    let line = format!("AT+CMQTTPAYLOAD=0,{}", data.len());
    module.enter(id, &line, data);
    firmware.play_entry(module, &line, data, NOTHING);
}

#[test]
fn firmware_without_echo_is_answered_at_once() {
    let mut module = ScriptedModule::new();
    enter(&mut module, WITHOUT_ECHO, 1, b"plain");
    enter(&mut module, WITHOUT_ECHO, 2, LIKE_AN_ANSWER);
    module.expect_success(2);
}

#[test]
fn answer_like_the_data_waits_while_the_echo_is_unknown() {
    let mut module = ScriptedModule::new();
    enter(&mut module, WITHOUT_ECHO, 1, LIKE_AN_ANSWER);
    module.expect_in_flight(1);
    module.wait_ms(299);
    module.expect_in_flight(1);
    module.wait_ms(1);
    module.expect_success(1);
}

#[test]
fn data_like_an_answer_does_not_delay_firmware_without_echo() {
    let mut module = ScriptedModule::new();
    enter(&mut module, WITHOUT_ECHO, 1, b"\r\nOK\r\nand more");
    module.wait_ms(300);
    module.expect_success(1);
    module.expect_no_other_events();
}

#[test]
fn firmware_with_echo_is_answered_at_once() {
    let mut module = ScriptedModule::new();
    enter(&mut module, WITH_ECHO, 1, b"plain");
    module.expect_success(1);
    enter(&mut module, WITH_ECHO, 2, LIKE_AN_ANSWER);
    module.expect_success(2);
    module.expect_no_other_events();
}

#[test]
fn change_of_ate_restarts_the_detection() {
    for change in ["ATE1", "ATZ", "AT&F", "ate1"] {
        let mut module = ScriptedModule::new();
        enter(&mut module, WITHOUT_ECHO, 1, b"plain");
        module.expect_success(1);
        module.run(2, change);
        module.expect_line(change);
        module.send(then(&["OK"]));
        module.expect_success(2);
        enter(&mut module, WITH_ECHO, 3, LIKE_AN_ANSWER);
        module.expect_success(3);
        module.expect_no_other_events();

        module.run(4, "ATE0");
        module.expect_line("ATE0");
        module.send(then(&["OK"]));
        module.expect_success(4);
        enter(&mut module, WITHOUT_ECHO, 5, LIKE_AN_ANSWER);
        module.wait_ms(300);
        module.expect_success(5);
        module.expect_no_other_events();
    }
}

/// A missing answer does not show if data is echoed.
#[test]
fn lost_entry_does_not_change_the_detection() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTTOPIC=0,5", b"plain");
    module.take_written();
    module.send("\r\n>");
    module.expect_data(b"plain");
    module.wait_ms(10_000);
    module.expect_failure(1);
    module.take_written();
    module.send(then(&["+CMQTTDISC: (0-1),(0, 60-180)", "OK", "+CMQTTUNSUB: (0-1),(1-1024),(0-1)", "OK"]));
    enter(&mut module, WITH_ECHO, 2, LIKE_AN_ANSWER);
    module.expect_success(2);
}

/// The input can be the echo of a few bytes, so it is not reported as lines.
#[test]
fn white_space_does_not_change_the_detection() {
    let mut module = ScriptedModule::new();
    let firmware = Firmware { prompt: "\r\n>\r\n", ..WITHOUT_ECHO };
    enter(&mut module, firmware, 1, b"\r\n");
    module.expect_success(1);
    enter(&mut module, firmware, 2, LIKE_AN_ANSWER);
    module.wait_ms(300);
    module.expect_success(2);
    module.expect_no_other_events();
}
