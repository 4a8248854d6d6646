//! Passwords and keys are in no trace, event or error, in whatever form they come back.

use std::time::Duration;

use simcom_mqtt::at::Command;
use simcom_mqtt::channel::Transaction;

use crate::support::{Reads, ScriptedModule, then};

const PASSWORD: &str = "hunter2secret";
const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA0123456789\nabcdefghijklmnopqrstuvwxyz\n-----END RSA PRIVATE KEY-----\n";

/// Returns all text that could be logged.
fn shown(module: &ScriptedModule) -> String {
    let events = module.history().0.join("\n");
    format!("{events}\n{}", String::from_utf8_lossy(module.traces()))
}

fn assert_hidden(module: &ScriptedModule, secret: &str) {
    let shown = shown(module);
    assert!(!shown.contains(secret), "{secret} in {shown}");
    let as_numbers = format!("{:?}", secret.as_bytes());
    assert!(!shown.contains(as_numbers.trim_matches(['[', ']'])), "{secret} as numbers in {shown}");
}

fn connect_line() -> String {
    format!("AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"{PASSWORD}\"")
}

#[test]
fn password_of_connect_is_hidden_in_every_answer() {
    for answer in [
        vec!["OK".to_owned(), "+CMQTTCONNECT: 0,0".to_owned()],
        vec!["OK".to_owned(), "+CMQTTCONNECT: 0,31".to_owned()],
        vec!["ERROR".to_owned()],
        // Echoes: whole, cut at either end, and twice in a line.
        vec![connect_line()[10..].to_owned(), "ERROR".to_owned()],
        vec![connect_line()[..connect_line().len() - 1].to_owned(), "ERROR".to_owned()],
        vec![format!("{PASSWORD}{PASSWORD}"), "ERROR".to_owned()],
        vec![format!("+UNKNOWN: \"{PASSWORD}\""), "ERROR".to_owned()],
        vec![format!("$GNRMC,,V{}", &connect_line()[30..]), "ERROR".to_owned()],
        vec![format!("+CME ERROR: {PASSWORD}")],
        vec![format!("{}{PASSWORD}", "x".repeat(4090)), "ERROR".to_owned()],
        vec![],
    ] {
        for reads in [Reads::Whole, Reads::Single] {
            let mut module = ScriptedModule::reading(reads);
            module.engine.set_tracing(true);
            module.run(1, &connect_line());
            module.expect_line(&connect_line());
            module.send(format!("{}\r", connect_line()));
            for line in &answer {
                module.send(then(&[line]));
            }
            module.wait_ms(70_000);
            module.take_written();
            module.send(then(&["+CMQTTDISC: (0-1)", "OK"]));
            assert_hidden(&module, PASSWORD);
            assert!(shown(&module).contains("*************"));
        }
    }
}

#[test]
fn password_in_the_read_form_is_hidden() {
    let mut module = ScriptedModule::reading(Reads::Single);
    module.engine.set_tracing(true);
    // The line also comes unsolicited, for a connect of another process.
    module.send(then(&[&format!("+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"{PASSWORD}\"")]));
    assert_hidden(&module, PASSWORD);
}

/// Bytes are lost, added or altered in the password itself.
#[test]
fn password_in_a_damaged_echo_is_hidden() {
    let line = connect_line();
    let begins = line.len() - PASSWORD.len() - 1;
    for at in begins..line.len() {
        for damaged in [
            [&line[7..at], &line[at + 1..]].concat(),
            [&line[7..at], "#", &line[at..]].concat(),
            [&line[7..at], "\r\n", &line[at..]].concat(),
            [&line[at - 8..at], "~", &line[at + 1..]].concat(),
        ] {
            let mut module = ScriptedModule::new();
            module.engine.set_tracing(true);
            module.run(1, &line);
            module.send(format!("{damaged}\r\r\n"));
            module.send(then(&["OK", "+CMQTTCONNECT: 0,0"]));
            module.expect_success(1);
            for piece in PASSWORD.as_bytes().windows(6) {
                assert_hidden(&module, std::str::from_utf8(piece).unwrap());
            }
        }
    }
}

fn enter_key(module: &mut ScriptedModule) {
    let line = format!("AT+CCERTDOWN=\"key.pem\",{}", KEY.len());
    let command = Command::new(line.clone()).with_secret_data(KEY, 3072);
    module.submit(1, Transaction::single(command, Duration::from_secs(60)));
    module.expect_line(&line);
    module.send("\r\n>");
    module.expect_data(KEY.as_bytes());
}

fn assert_key_hidden(module: &ScriptedModule) {
    for line in KEY.lines() {
        assert_hidden(module, line);
    }
}

#[test]
fn key_and_its_echo_are_hidden() {
    for reads in [Reads::Whole, Reads::Single] {
        for echoed in [0, KEY.len()] {
            let mut module = ScriptedModule::reading(reads.clone());
            module.engine.set_tracing(true);
            enter_key(&mut module);
            module.send(&KEY[..echoed]);
            module.send(then(&["OK"]));
            module.expect_success(1);
            module.expect_no_other_events();
            assert_key_hidden(&module);
        }
    }
}

/// Bytes of the key were lost, so it is read as lines.
#[test]
fn key_in_a_damaged_echo_is_hidden() {
    for lost in [0, 1, 20, 40, 60] {
        for reads in [Reads::Whole, Reads::Single] {
            let mut module = ScriptedModule::reading(reads);
            module.engine.set_tracing(true);
            enter_key(&mut module);
            module.send(&KEY[..lost]);
            module.send(&KEY[lost + 1..]);
            module.send(then(&["OK"]));
            module.expect_success(1);
            let shown = shown(&module);
            for from in 0..KEY.len() - 6 {
                let piece = &KEY[from..from + 6];
                assert!(piece.contains('\n') || !shown.contains(piece), "{piece} in {shown}");
            }
        }
    }
}

#[test]
fn key_echoed_after_the_timeout_is_hidden() {
    let mut module = ScriptedModule::new();
    module.engine.set_tracing(true);
    enter_key(&mut module);
    module.wait_ms(10_000);
    module.expect_failure(1);
    module.send(KEY);
    assert_key_hidden(&module);
}

#[test]
fn commands_and_data_do_not_show_their_secrets() {
    let command = Command::new(connect_line());
    assert!(!format!("{command:?}").contains(PASSWORD));
    let transaction = Transaction::single(command, Duration::from_secs(1));
    assert!(!format!("{transaction:?}").contains(PASSWORD));
    let data = Command::new("AT+CCERTDOWN=\"key.pem\",5").with_secret_data(*b"abcde", 3072);
    assert!(!format!("{data:?}").contains("97, 98"));
}
