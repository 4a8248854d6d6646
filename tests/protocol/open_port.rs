//! Opening a port: finding the module in any state that its last user left.

use simcom_mqtt::channel::Failure;

use crate::support::{ScriptedModule, failed, then};

/// Plays the module: it counts bytes in data entry, and answers in command mode.
fn play_module(module: &mut ScriptedModule, mut waiting_for: usize, echo: bool) {
    let mut line = Vec::new();
    for _ in 0..100 {
        for byte in module.take_written() {
            if waiting_for > 0 {
                waiting_for -= 1;
                if waiting_for == 0 {
                    module.send(then(&["OK"]));
                }
                continue;
            }
            if byte != b'\r' {
                line.push(byte);
                continue;
            }
            let text = String::from_utf8(std::mem::take(&mut line)).unwrap();
            if echo {
                module.send(format!("{text}\r"));
            }
            match text.strip_prefix("AT").and_then(|rest| rest.strip_suffix("=?")) {
                _ if text.is_empty() => {}
                Some(name) => module.send(then(&[&format!("{name}: (0-1)"), "OK"])),
                None => module.send(then(&["OK"])),
            }
        }
        if module.outcome_is_known(1) {
            return;
        }
        module.wait_ms(100);
    }
}

/// The port is attached, and lost before the module is found.
#[test]
fn port_lost_while_opening_fails() {
    let mut module = ScriptedModule::new();
    module.lose_port("unplugged");
    module.open(1);
    module.wait_ms(60_000);
    assert!(matches!(module.expect_failure(1), Failure::ConnectionLost { .. }));
    module.expect_nothing_written();
}

#[test]
fn module_in_command_mode_is_opened() {
    for echo in [false, true] {
        let mut module = ScriptedModule::new();
        module.open(1);
        module.run(2, "AT+CGMM");
        play_module(&mut module, 0, echo);
        module.expect_success(1);
        module.expect_line("AT+CGMM");
        assert!(module.urcs().is_empty());
    }
}

#[test]
fn module_left_in_data_entry_is_opened() {
    for waiting_for in [1, 2, 17, 1024, 3072, 4096, 10_239, 10_240] {
        for echo in [false, true] {
            let mut module = ScriptedModule::new();
            module.open(1);
            play_module(&mut module, waiting_for, echo);
            module.expect_success(1);
            module.run(2, "AT+CSQ");
            module.expect_line("AT+CSQ");
            module.send(then(&["+CSQ: 20,0", "OK"]));
            module.expect_success(2);
        }
    }
}

#[test]
fn quiet_module_gets_an_at_every_half_second() {
    let mut module = ScriptedModule::new();
    module.open(1);
    for _ in 0..6 {
        module.expect_line("AT");
        module.expect_nothing_written();
        module.wait_ms(501);
    }
    assert!(module.take_written().starts_with(b"\r\r\r\r"), "then padding");
}

#[test]
fn garbage_or_error_before_the_first_answer_is_ignored() {
    for first in [
        &b"\xff\xfe\x00garbage"[..],
        b"\r\nERROR\r\n",
        b"\x00\x00\r\n\r\nERROR\r\n",
        b"\r\n+CME ERROR: 1\r\n",
    ] {
        let mut module = ScriptedModule::new();
        module.open(1);
        module.expect_line("AT");
        module.send(first);
        module.wait_ms(500);
        play_module(&mut module, 0, true);
        module.expect_success(1);
    }
}

#[test]
fn mute_port_fails_with_no_answer() {
    let mut module = ScriptedModule::new();
    module.open(1);
    module.wait_ms(15_000);
    assert_eq!(module.expect_failure(1), Failure::Mute { command: failed("ATE0") });
    assert_eq!(module.engine.poll_timeout(), None);
    assert!(module.take_written().len() > 10_240);
}

/// The module sends lines, but no answers.
#[test]
fn module_with_urcs_only_fails_with_no_answer() {
    let mut module = ScriptedModule::new();
    module.open(1);
    for _ in 0..150 {
        module.send(then(&["+CGEV: x", "nonsense"]));
        module.wait_ms(100);
    }
    module.expect_failure(1);
}

#[test]
fn echo_of_the_first_at_needs_no_sync_probe() {
    let mut module = ScriptedModule::new();
    module.open(1);
    module.expect_line("AT");
    module.send("AT\r\r\nOK\r\n");
    module.expect_line("ATE0");
    module.send("ATE0\r\r\nOK\r\n");
    module.expect_success(1);
    module.expect_no_other_events();
}

/// Commands submitted meanwhile wait for the opening.
#[test]
fn commands_wait_for_the_opening_and_echo_off() {
    let mut module = ScriptedModule::new();
    module.open(1);
    module.run(2, "AT+CGMM");
    module.expect_line("AT");
    // An `OK` without an echo may answer another command.
    module.send(then(&["OK"]));
    let probe = String::from_utf8(module.take_written()).unwrap();
    let name = probe.strip_prefix("AT").unwrap().strip_suffix("=?\r").unwrap();
    module.send(format!("{probe}\r\n{name}: (0-1)\r\n\r\nOK\r\n"));
    module.expect_line("ATE0");
    module.expect_nothing_written();
    module.send("ATE0\r\r\nOK\r\n");
    module.expect_success(1);
    module.expect_line("AT+CGMM");
    module.send(then(&["SIM7672E", "OK"]));
    assert_eq!(module.expect_success(2), [[b"SIM7672E"]]);
    module.expect_no_other_events();
}

/// A driver that reconnects opens again in every state of the channel.
#[test]
fn opening_again_ends_the_command_in_flight() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CSQ");
    module.expect_line("AT+CSQ");
    module.run(2, "AT+CPSI?");
    module.open(3);
    assert_eq!(module.expect_failure(1), Failure::Mute { command: failed("AT+CSQ") });
    module.expect_line("AT");
    module.send("AT\r\r\nOK\r\n");
    module.expect_line("ATE0");
    module.send(then(&["OK"]));
    module.expect_success(3);
    module.expect_line("AT+CPSI?");
}
