//! Missing answers: the channel returns to command mode, and no late answer goes to another command.

use std::time::{Duration, Instant};

use simcom_mqtt::at::Command;
use simcom_mqtt::channel::{Awaited, Engine, Event, Failure, Settings, Transaction, UnknownReason};

use crate::support::{Block, Reads, ScriptedModule, failed, then};

fn expect_working(module: &mut ScriptedModule, id: u64) {
    module.run(id, "AT+CSQ");
    module.expect_line("AT+CSQ");
    module.send(then(&["+CSQ: 20,0", "OK"]));
    assert_eq!(module.expect_success(id), [[b"+CSQ: 20,0"]]);
}

#[test]
fn missing_prompt_is_followed_by_padding_and_sync_probe() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTTOPIC=0,5", b"topic");
    module.expect_line("AT+CMQTTTOPIC=0,5");
    module.wait_ms(8_999);
    module.expect_nothing_written();
    module.wait_ms(1);
    let expected = Failure::NoAnswer { command: failed("AT+CMQTTTOPIC=0,5"), awaited: Awaited::Prompt };
    assert_eq!(module.expect_failure(1), expected);
    module.expect_data(b"\r\r\r\r\r");
    module.run(2, "AT");
    module.answer_probe();
    module.expect_line("AT");
    module.send(then(&["OK"]));
    module.expect_success(2);
}

/// The late prompt gets the padding, never the data of the next command.
#[test]
fn late_prompt_gets_padding_only() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTTOPIC=0,5", b"topic");
    module.wait_ms(9_000);
    module.expect_failure(1);
    module.enter(2, "AT+CMQTTPAYLOAD=0,7", b"payload");
    module.send("\r\n>");
    module.send(then(&["OK"]));
    assert!(!module.take_written().windows(7).any(|window| window == b"payload"));
    module.send(then(&["+CMQTTDISC: (0-1),(0, 60-180)", "OK"]));
    module.wait_ms(1_000);
    if !module.take_written().starts_with(b"AT+CMQTTPAYLOAD") {
        module.send(then(&["+CMQTTUNSUB: (0-1),(1-1024),(0-1)", "OK"]));
        module.expect_line("AT+CMQTTPAYLOAD=0,7");
    }
    module.send("\r\n>");
    module.expect_data(b"payload");
    module.send(then(&["OK"]));
    module.expect_success(2);
}

/// Some data was lost on the line, so the module still waits for the rest.
#[test]
fn data_without_a_final_result_is_padded() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"topic", b"payload");
    module.expect_line("AT+CMQTTTOPIC=0,5");
    module.send("\r\n>");
    module.expect_data(b"topic");
    module.wait_ms(9_001);
    assert!(matches!(module.expect_failure(1), Failure::NoAnswer { awaited: Awaited::FinalResult, .. }));
    module.expect_data(b"\r\r\r\r\r");
    // An `OK` alone may belong to the padded entry.
    module.run(2, "AT");
    module.send(then(&["OK"]));
    assert!(!module.take_written().ends_with(b"AT\r"));
    module.send(then(&["+CMQTTDISC: (0-1),(0, 60-180)", "OK"]));
    module.wait_ms(1_000);
    let _ = module.take_written();
    module.outcome(2);
}

#[test]
fn next_command_waits_for_the_sync_probe() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CPSI?");
    module.expect_line("AT+CPSI?");
    module.run(2, "AT+CSQ");
    module.wait_ms(9_000);
    assert!(matches!(module.expect_failure(1), Failure::NoAnswer { awaited: Awaited::FinalResult, .. }));
    // The late answer comes now, and belongs to no command.
    module.send(then(&["+CPSI: LTE,Online", "OK"]));
    module.expect_in_flight(2);
    module.answer_probe();
    module.expect_line("AT+CSQ");
    module.send(then(&["+CSQ: 20,0", "OK"]));
    assert_eq!(module.expect_success(2), [[b"+CSQ: 20,0"]]);
}

/// All answers come late and together, in order.
#[test]
fn probes_answered_late_and_together_are_told_apart() {
    for outstanding in 1..4 {
        let mut module = ScriptedModule::new();
        module.run(1, "AT+CPSI?");
        module.run(2, "AT+CSQ");
        module.wait_ms(9_000 + 1_002 * (outstanding - 1));
        module.expect_failure(1);
        let written = String::from_utf8(module.take_written()).unwrap();
        let names: Vec<&str> = written.split('\r').filter_map(|line| line.strip_suffix("=?")).collect();
        assert_eq!(names.len() as u64, outstanding);
        module.send(then(&["+CPSI: LTE,Online", "OK"]));
        for (at, name) in names.iter().enumerate() {
            module.expect_nothing_written();
            module.send(then(&[&format!("{}: (0-1)", &name[2..]), "OK"]));
            assert_eq!(module.take_written().is_empty(), at + 1 < names.len());
        }
        module.send(then(&["+CSQ: 20,0", "OK"]));
        assert_eq!(module.expect_success(2), [[b"+CSQ: 20,0"]]);
        assert!(
            module.urcs().iter().all(|line| line.starts_with("+CPSI")),
            "late answers to probes are not reported"
        );
    }
}

/// The answer to an old probe is never taken for that of a new one, also across recoveries.
#[test]
fn answers_after_two_recoveries_go_to_their_probes() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CPSI?");
    module.wait_ms(20_000);
    module.expect_failure(1);
    let mut asked = module.take_written();
    module.run(2, "AT+CSQ");
    asked.extend(module.take_written());
    let lines: Vec<String> = String::from_utf8(asked)
        .unwrap()
        .split('\r')
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    assert!(lines.len() > 4, "{lines:?}");
    // The module answers all commands in order.
    for line in &lines {
        module.expect_nothing_written();
        match line.strip_prefix("AT").and_then(|rest| rest.strip_suffix("=?")) {
            Some(name) => module.send(then(&[&format!("{name}: (0-1)"), "OK"])),
            None => module.send(then(&["OK"])),
        }
    }
    module.expect_line("AT+CSQ");
    module.send(then(&["+CSQ: 20,0", "OK"]));
    assert_eq!(module.expect_success(2), [[b"+CSQ: 20,0"]]);
}

/// The probe must differ from a command that has just timed out.
#[test]
fn late_answer_to_a_test_form_is_not_that_of_the_probe() {
    for name in ["CMQTTDISC", "CMQTTUNSUB", "CMQTTTOPIC", "CMQTTREL", "CMQTTACCQ", "CMQTTPUB"] {
        let mut module = ScriptedModule::new();
        let line = format!("AT+{name}=?");
        module.run(1, &line);
        module.expect_line(&line);
        module.wait_ms(9_000);
        module.expect_failure(1);
        module.run(2, "AT+CSQ");
        module.send(then(&[&format!("+{name}: (0-1)"), "OK"]));
        module.expect_in_flight(2);
        assert_ne!(module.answer_probe(), name);
        module.expect_line("AT+CSQ");
    }
}

#[test]
fn mute_module_fails_queued_commands_and_is_probed_again() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CPSI?");
    module.run(2, "AT+CSQ");
    module.wait_ms(13_010);
    module.expect_failure(1);
    assert_eq!(module.expect_failure(2), Failure::Mute { command: failed("AT+CSQ") });
    assert!(matches!(module.take_events()[..], [Event::Mute]));
    module.take_written();
    assert_eq!(module.engine.poll_timeout(), None);
    module.run(3, "AT+CSQ");
    module.answer_probe();
    module.expect_line("AT+CSQ");
    module.send(then(&["+CSQ: 20,0", "OK"]));
    module.expect_success(3);
    expect_working(&mut module, 4);
}

/// Without an MQTT stack, the module refuses every probe.
#[test]
fn module_that_refuses_every_probe_recovers() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CPSI?");
    module.run(2, "AT+CSQ");
    module.wait_ms(9_000);
    module.expect_failure(1);
    for _ in 0..4 {
        module.take_written();
        module.send(then(&["ERROR"]));
        module.wait_ms(1_002);
    }
    module.expect_line("AT+CSQ");
}

/// At 9600 baud the padding alone takes longer than the timeout of one probe.
#[test]
fn slow_line_gets_time_for_the_padding() {
    let mut module = ScriptedModule::at_baudrate(9_600, Reads::Whole);
    module.enter(1, "AT+CMQTTPAYLOAD=0,4096", &[b'x'; 4096]);
    module.expect_line("AT+CMQTTPAYLOAD=0,4096");
    module.wait_ms(9_000);
    module.expect_failure(1);
    let padding = module.take_written();
    assert!(padding.starts_with(&[b'\r'; 4096]));
    module.run(2, "AT+CSQ");
    // 4,096 bytes take 4.3 s; only then can the probe be answered.
    module.wait_ms(5_000);
    module.expect_in_flight(2);
    module.expect_nothing_written();
    module.send(then(&["OK"]));
    let name = padding[4096..].strip_suffix(b"=?\r").unwrap().strip_prefix(b"AT").unwrap();
    module.send(then(&[&format!("{}: (0-1)", std::str::from_utf8(name).unwrap()), "OK"]));
    module.expect_line("AT+CSQ");
}

#[test]
fn publish_without_ok_has_unknown_outcome_and_a_late_result() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CMQTTPUB=0,1,60");
    module.wait_ms(9_000);
    let command = failed("AT+CMQTTPUB=0,1,60");
    assert_eq!(module.expect_failure(1), Failure::ResultUnknown { command, reason: UnknownReason::Timeout });
    module.answer_probe();
    module.send(then(&["+CMQTTPUB: 0,0"]));
    assert_eq!(module.late(1), Some(Ok(())));
    expect_working(&mut module, 2);
}

/// The padded entry subscribes to a topic: its result does not belong to the next command.
#[test]
fn result_of_a_padded_entry_belongs_to_no_command() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTSUB=0,3,1", b"a/b");
    module.wait_ms(9_000);
    module.expect_failure(1);
    module.send("\r\n>");
    module.send(then(&["OK"]));
    module.answer_probe();
    module.enter(2, "AT+CMQTTSUB=0,3,1", b"c/d");
    module.expect_line("AT+CMQTTSUB=0,3,1");
    module.send(then(&["+CMQTTSUB: 0,0"]));
    module.send("\r\n>");
    module.expect_data(b"c/d");
    module.send(then(&["OK"]));
    module.expect_in_flight(2);
    module.send(then(&["+CMQTTSUB: 0,1"]));
    assert_eq!(module.expect_refusal(2), Some(1));
}

/// Neither probe nor padding is written during a message.
#[test]
fn recovery_waits_for_the_end_of_a_message() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CPSI?");
    module.expect_line("AT+CPSI?");
    module.wait_ms(8_500);
    let block = Block::new(0, "topic", "payload").pieces();
    module.send(&block[0]);
    module.wait_ms(1_500);
    module.expect_failure(1);
    module.expect_nothing_written();
    module.send(block[1..].concat());
    module.expect_message(0, "topic", "payload");
    module.answer_probe();
    expect_working(&mut module, 2);
}

#[test]
fn slow_commands_have_their_own_timeout() {
    let mut module = ScriptedModule::new();
    let slow = Command::new("AT+CCERTLIST").with_limit(Duration::from_secs(120));
    module.submit(1, Transaction::single(slow, Duration::from_secs(200)));
    module.wait_ms(119_999);
    module.expect_in_flight(1);
    module.wait_ms(1);
    module.expect_failure(1);
}

/// The timeout of the caller limits that of the command.
#[test]
fn timeout_of_the_caller_ends_the_command() {
    let mut module = ScriptedModule::new();
    module.submit(1, Transaction::single(Command::new("AT+CSQ"), Duration::from_secs(2)));
    module.wait_ms(2_000);
    module.expect_failure(1);
}

#[test]
fn late_wake_still_recovers() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CPSI?");
    module.run(2, "AT+CSQ");
    for _ in 0..20 {
        module.oversleep(Duration::from_secs(30));
    }
    module.expect_failure(1);
    module.expect_failure(2);
    module.take_written();
    module.run(3, "AT+CSQ");
    module.answer_probe();
    module.expect_line("AT+CSQ");
}

#[test]
fn prompt_for_a_command_without_data_is_padded() {
    for (line, owed) in
        [("AT+CMQTTTOPIC=0,12", 12), ("AT+CUNKNOWN=1", 10_240), ("AT+CUNKNOWN=1,99999", 10_240)]
    {
        let mut module = ScriptedModule::new();
        module.run(1, line);
        module.expect_line(line);
        module.send("\r\n>");
        let failure = module.expect_failure(1);
        assert!(matches!(failure, Failure::Refused { code: None, .. }), "{failure:?}");
        module.expect_data(&vec![b'\r'; owed]);
        module.send(then(&["OK"]));
        module.answer_probe();
        expect_working(&mut module, 2);
    }
}

#[test]
fn certificate_is_sent_in_packets_with_drains_between() {
    let mut module = ScriptedModule::new();
    let certificate = vec![b'c'; 7_000];
    let command = Command::new("AT+CCERTDOWN=\"ca.pem\",7000").with_secret_data(certificate.clone(), 3072);
    module.submit(1, Transaction::single(command, Duration::from_secs(120)));
    module.expect_line("AT+CCERTDOWN=\"ca.pem\",7000");
    module.send("\r\n>");
    assert_eq!(module.drains(), [3072, 6144]);
    module.expect_data(&certificate);
    module.expect_nothing_written();
    module.send(then(&["OK"]));
    module.expect_success(1);
    // The next bytes need no drain.
    module.run(2, "AT");
    assert!(module.drains().is_empty());
}

/// A port blocks in the middle of a line: the written part could be a command.
#[test]
fn partly_written_line_is_ended() {
    const TIMEOUT: Duration = Duration::from_secs(9);
    let (begun, rest) = ("AT+CMQTTDISC=0", ",60\r");
    let mut now = Instant::now();
    let mut engine = Engine::new(Settings { command_timeout: TIMEOUT, baudrate: 115_200 });
    let command = Command::new("AT+CMQTTDISC=0,60");
    engine.submit(1, Transaction::single(command, Duration::from_secs(60)), now);
    engine.handle_written(begun.len(), now);
    now += TIMEOUT;
    engine.handle_timeout(now);
    let unwritten = String::from_utf8(engine.unwritten().to_vec()).unwrap();
    assert!(unwritten.starts_with(rest), "{unwritten}");
    assert!(unwritten.ends_with("=?\r"), "{unwritten}");
}

/// The module waits for more data than the probes have bytes: the caller had no data, or an `ERROR` was false.
#[test]
fn mute_module_that_waits_for_data_is_padded() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CFTRANRX=\"c:/a\",5000");
    module.wait_ms(20_000);
    module.expect_failure(1);
    let mut missing = 5_000 - (module.take_written().len() - "AT+CFTRANRX=\"c:/a\",5000\r".len());
    module.run(2, "AT+CSQ");
    let written = module.take_written();
    missing -= missing.min(written.iter().take_while(|byte| **byte == b'\r').count());
    assert_eq!(missing, 0, "the data entry is padded");
    module.send(then(&["OK"]));
    let probe = String::from_utf8(written.trim_ascii().to_vec()).unwrap();
    module.send(then(&[&format!("{}: (0-1)", &probe["AT".len()..probe.len() - "=?".len()]), "OK"]));
    module.expect_line("AT+CSQ");
    module.send(then(&["+CSQ: 20,0", "OK"]));
    module.expect_success(2);
}
