//! A module that does not answer: its channel is brought back to command mode, and no answer goes astray.

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
fn no_prompt_then_the_data_is_filled_up_and_fenced() {
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
    module.answer_fence();
    module.expect_line("AT");
    module.send(then(&["OK"]));
    module.expect_success(2);
}

/// The late prompt is answered by the filling, never by the next command's data.
#[test]
fn a_late_prompt() {
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

/// A part of it was lost on its way, so the module still waits for the rest.
#[test]
fn data_without_a_final_result() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"topic", b"payload");
    module.expect_line("AT+CMQTTTOPIC=0,5");
    module.send("\r\n>");
    module.expect_data(b"topic");
    module.wait_ms(9_001);
    assert!(matches!(module.expect_failure(1), Failure::NoAnswer { awaited: Awaited::FinalResult, .. }));
    module.expect_data(b"\r\r\r\r\r");
    // A lone OK, of the filled entry, proves nothing.
    module.run(2, "AT");
    module.send(then(&["OK"]));
    assert!(!module.take_written().ends_with(b"AT\r"));
    module.send(then(&["+CMQTTDISC: (0-1),(0, 60-180)", "OK"]));
    module.wait_ms(1_000);
    let _ = module.take_written();
    module.outcome(2);
}

#[test]
fn the_next_command_waits_for_the_fence() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CPSI?");
    module.expect_line("AT+CPSI?");
    module.run(2, "AT+CSQ");
    module.wait_ms(9_000);
    assert!(matches!(module.expect_failure(1), Failure::NoAnswer { awaited: Awaited::FinalResult, .. }));
    // The late answer comes now, and is nobody's.
    module.send(then(&["+CPSI: LTE,Online", "OK"]));
    module.expect_under_way(2);
    module.answer_fence();
    module.expect_line("AT+CSQ");
    module.send(then(&["+CSQ: 20,0", "OK"]));
    assert_eq!(module.expect_success(2), [[b"+CSQ: 20,0"]]);
}

/// All answers come late and in a heap, each in its turn.
#[test]
fn fences_answered_late_and_all_at_once() {
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
            "late answers to fences are no news"
        );
    }
}

/// The same across recoveries: the answer to an old fence is never taken for that of a new one.
#[test]
fn a_module_that_wakes_up_after_two_recoveries() {
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
    // It answers everything it was asked, in order.
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

/// The fence must not be what was just asked for in vain.
#[test]
fn the_late_answer_to_a_test_form_is_not_the_fences() {
    for name in ["CMQTTDISC", "CMQTTUNSUB", "CMQTTTOPIC", "CMQTTREL", "CMQTTACCQ", "CMQTTPUB"] {
        let mut module = ScriptedModule::new();
        let line = format!("AT+{name}=?");
        module.run(1, &line);
        module.expect_line(&line);
        module.wait_ms(9_000);
        module.expect_failure(1);
        module.run(2, "AT+CSQ");
        module.send(then(&[&format!("+{name}: (0-1)"), "OK"]));
        module.expect_under_way(2);
        assert_ne!(module.answer_fence(), name);
        module.expect_line("AT+CSQ");
    }
}

#[test]
fn a_mute_module_fails_what_is_queued_and_is_asked_again_by_the_next() {
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
    module.answer_fence();
    module.expect_line("AT+CSQ");
    module.send(then(&["+CSQ: 20,0", "OK"]));
    module.expect_success(3);
    expect_working(&mut module, 4);
}

/// Without an MQTT stack every fence is refused.
#[test]
fn a_module_that_knows_no_fence() {
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

/// At 9600 baud the filling alone takes longer than the patience with one fence.
#[test]
fn a_slow_line_is_given_its_time() {
    let mut module = ScriptedModule::at_baudrate(9_600, Reads::Whole);
    module.enter(1, "AT+CMQTTPAYLOAD=0,4096", &[b'x'; 4096]);
    module.expect_line("AT+CMQTTPAYLOAD=0,4096");
    module.wait_ms(9_000);
    module.expect_failure(1);
    let filling = module.take_written();
    assert!(filling.starts_with(&[b'\r'; 4096]));
    module.run(2, "AT+CSQ");
    // 4,096 bytes take 4.3 s; only then can the fence be answered.
    module.wait_ms(5_000);
    module.expect_under_way(2);
    module.expect_nothing_written();
    module.send(then(&["OK"]));
    let name = filling[4096..].strip_suffix(b"=?\r").unwrap().strip_prefix(b"AT").unwrap();
    module.send(then(&[&format!("{}: (0-1)", std::str::from_utf8(name).unwrap()), "OK"]));
    module.expect_line("AT+CSQ");
}

#[test]
fn a_publish_without_ok_is_of_unknown_outcome_and_its_result_may_come() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CMQTTPUB=0,1,60");
    module.wait_ms(9_000);
    let command = failed("AT+CMQTTPUB=0,1,60");
    assert_eq!(module.expect_failure(1), Failure::ResultUnknown { command, reason: UnknownReason::Timeout });
    module.answer_fence();
    module.send(then(&["+CMQTTPUB: 0,0"]));
    assert_eq!(module.late(1), Some(Ok(())));
    expect_working(&mut module, 2);
}

/// Filled up, the entry subscribes to something: the result of that is not the next one's.
#[test]
fn the_result_of_a_filled_entry_is_nobodys() {
    let mut module = ScriptedModule::new();
    module.enter(1, "AT+CMQTTSUB=0,3,1", b"a/b");
    module.wait_ms(9_000);
    module.expect_failure(1);
    module.send("\r\n>");
    module.send(then(&["OK"]));
    module.answer_fence();
    module.enter(2, "AT+CMQTTSUB=0,3,1", b"c/d");
    module.expect_line("AT+CMQTTSUB=0,3,1");
    module.send(then(&["+CMQTTSUB: 0,0"]));
    module.send("\r\n>");
    module.expect_data(b"c/d");
    module.send(then(&["OK"]));
    module.expect_under_way(2);
    module.send(then(&["+CMQTTSUB: 0,1"]));
    assert_eq!(module.expect_refusal(2), Some(1));
}

/// Neither fence nor filling is written into a message.
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
    module.answer_fence();
    expect_working(&mut module, 2);
}

#[test]
fn a_time_of_its_own_for_commands_that_need_it() {
    let mut module = ScriptedModule::new();
    let slow = Command::new("AT+CCERTLIST").with_limit(Duration::from_secs(120));
    module.submit(1, Transaction::single(slow, Duration::from_secs(200)));
    module.wait_ms(119_999);
    module.expect_under_way(1);
    module.wait_ms(1);
    module.expect_failure(1);
}

/// The caller's time ends the command's, not the other way round.
#[test]
fn no_longer_than_the_caller_waits() {
    let mut module = ScriptedModule::new();
    module.submit(1, Transaction::single(Command::new("AT+CSQ"), Duration::from_secs(2)));
    module.wait_ms(2_000);
    module.expect_failure(1);
}

#[test]
fn woken_late_it_still_recovers() {
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
    module.answer_fence();
    module.expect_line("AT+CSQ");
}

#[test]
fn a_prompt_for_a_command_without_data() {
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
        module.answer_fence();
        expect_working(&mut module, 2);
    }
}

#[test]
fn a_certificate_goes_in_pieces_with_the_line_drained_between() {
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
    // What comes next needs no draining.
    module.run(2, "AT");
    assert!(module.drains().is_empty());
}

/// A port that blocks in the middle of a line: what it took might be a command of its own.
#[test]
fn a_line_that_was_begun_is_ended() {
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

/// It waits for more data than the fences have bytes, and nobody knows: the caller had none, or an `ERROR` was false.
#[test]
fn a_mute_module_may_be_waiting_for_data() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CFTRANRX=\"c:/a\",5000");
    module.wait_ms(20_000);
    module.expect_failure(1);
    let mut missing = 5_000 - (module.take_written().len() - "AT+CFTRANRX=\"c:/a\",5000\r".len());
    module.run(2, "AT+CSQ");
    let written = module.take_written();
    missing -= missing.min(written.iter().take_while(|byte| **byte == b'\r').count());
    assert_eq!(missing, 0, "the data entry is filled up");
    module.send(then(&["OK"]));
    let fence = String::from_utf8(written.trim_ascii().to_vec()).unwrap();
    module.send(then(&[&format!("{}: (0-1)", &fence["AT".len()..fence.len() - "=?".len()]), "OK"]));
    module.expect_line("AT+CSQ");
    module.send(then(&["+CSQ: 20,0", "OK"]));
    module.expect_success(2);
}
