//! Whether the firmware echoes entered data is learned, and forgotten where it may have changed.

use crate::support::{Firmware, Gap, ScriptedModule, then};

const NOTHING: &dyn Fn(Gap) -> Vec<u8> = &|_| Vec::new();
const SILENT: Firmware = Firmware { echo: false, data_echo: false, prompt: "\r\n>" };
const ECHOING: Firmware = Firmware { echo: true, data_echo: true, prompt: "\r\n>" };
const LIKE_AN_ANSWER: &[u8] = b"\r\nOK\r\n";

fn enter(module: &mut ScriptedModule, firmware: Firmware, id: u64, data: &[u8]) {
    let line = format!("AT+CMQTTPAYLOAD=0,{}", data.len());
    module.enter(id, &line, data);
    firmware.play_entry(module, &line, data, NOTHING);
}

#[test]
fn a_silent_firmware_is_answered_at_once() {
    let mut module = ScriptedModule::new();
    enter(&mut module, SILENT, 1, b"plain");
    enter(&mut module, SILENT, 2, LIKE_AN_ANSWER);
    module.expect_success(2);
}

#[test]
fn while_nothing_is_known_an_answer_like_the_data_waits_for_a_moment() {
    let mut module = ScriptedModule::new();
    enter(&mut module, SILENT, 1, LIKE_AN_ANSWER);
    module.expect_under_way(1);
    module.wait_ms(299);
    module.expect_under_way(1);
    module.wait_ms(1);
    module.expect_success(1);
}

#[test]
fn data_that_begins_like_an_answer_does_not_stall_a_silent_firmware() {
    let mut module = ScriptedModule::new();
    enter(&mut module, SILENT, 1, b"\r\nOK\r\nand more");
    module.wait_ms(300);
    module.expect_success(1);
    module.expect_no_news();
}

#[test]
fn an_echoing_firmware_never_waits() {
    let mut module = ScriptedModule::new();
    enter(&mut module, ECHOING, 1, b"plain");
    module.expect_success(1);
    enter(&mut module, ECHOING, 2, LIKE_AN_ANSWER);
    module.expect_success(2);
    module.expect_no_news();
}

#[test]
fn a_change_of_ate_is_a_new_start() {
    for change in ["ATE1", "ATZ", "AT&F", "ate1"] {
        let mut module = ScriptedModule::new();
        enter(&mut module, SILENT, 1, b"plain");
        module.expect_success(1);
        module.run(2, change);
        module.expect_line(change);
        module.send(then(&["OK"]));
        module.expect_success(2);
        enter(&mut module, ECHOING, 3, LIKE_AN_ANSWER);
        module.expect_success(3);
        module.expect_no_news();

        module.run(4, "ATE0");
        module.expect_line("ATE0");
        module.send(then(&["OK"]));
        module.expect_success(4);
        enter(&mut module, SILENT, 5, LIKE_AN_ANSWER);
        module.wait_ms(300);
        module.expect_success(5);
        module.expect_no_news();
    }
}

/// Silence says nothing about echoes.
#[test]
fn a_lost_entry_teaches_nothing() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTTOPIC=0,5", b"plain");
    module.take_written();
    module.send("\r\n>");
    module.expect_data(b"plain");
    module.wait_ms(10_000);
    module.expect_failure(1);
    module.take_written();
    module.send(then(&["+CMQTTDISC: (0-1),(0, 60-180)", "OK", "+CMQTTUNSUB: (0-1),(1-1024),(0-1)", "OK"]));
    enter(&mut module, ECHOING, 2, LIKE_AN_ANSWER);
    module.expect_success(2);
}

/// All that came back may be the echo of a few bytes: it does not become lines.
#[test]
fn white_space_alone_teaches_nothing() {
    let mut module = ScriptedModule::new();
    let firmware = Firmware { prompt: "\r\n>\r\n", ..SILENT };
    enter(&mut module, firmware, 1, b"\r\n");
    module.expect_success(1);
    enter(&mut module, firmware, 2, LIKE_AN_ANSWER);
    module.wait_ms(300);
    module.expect_success(2);
    module.expect_no_news();
}
