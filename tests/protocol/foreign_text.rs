//! Text of other features, a text message or the answer to a service code, is never an answer.

use std::time::Duration;

use simcom_mqtt::at::Command;
use simcom_mqtt::channel::Transaction;

use crate::support::{Block, Firmware, Gap, Reads, ScriptedModule, at_every_split, then};

const MESSAGE: &str = "+CMT: \"+6421123456\",\"\",\"25/04/10,18:45:46+48\"";
/// Texts that read like something else.
const TEXTS: [&str; 10] = [
    "OK",
    "ERROR",
    ">",
    "> ",
    "+CME ERROR: 100",
    "+CMQTTPUB: 0,0",
    "+CMQTTCONNLOST: 0,1",
    "+CMQTTRXSTART: 0,1,1",
    "RDY",
    "first line\r\nOK\r\n>",
];

fn text_message(header: &str, text: &str) -> String {
    format!("\r\n{header}\r\n{text}\r\n")
}

fn publish_with(text: &str, gap: Gap, firmware: Firmware, reads: Reads) -> ScriptedModule {
    let mut module = ScriptedModule::reading(reads);
    module.publish(1, 0, b"t", b"payload");
    firmware.play_publish(&mut module, b"t", b"payload", &|at| {
        if at == gap { text.as_bytes().to_vec() } else { Vec::new() }
    });
    module.expect_success(1);
    module
}

#[test]
fn publish_succeeds_when_a_text_message_comes_in_any_gap() {
    for header in [MESSAGE, "+CBM: 24", "+CDS: 25"] {
        for text in TEXTS {
            for gap in Gap::ALL {
                let lines = text_message(header, text);
                for firmware in Firmware::all() {
                    let mut module = publish_with(&lines, gap, firmware, Reads::Whole);
                    let urcs = module.urcs();
                    // Each exchange of the publish has this gap.
                    let expected: Vec<&str> = lines.trim_matches(['\r', '\n']).lines().collect();
                    assert_eq!(urcs[..expected.len()], expected, "{gap:?} {firmware:?}");
                    assert!(module.messages().is_empty() && module.losses().is_empty(), "{text}");
                }
            }
        }
    }
}

#[test]
fn publish_succeeds_when_a_service_answer_comes_in_any_gap() {
    let answer = "\r\n+CUSD: 1,\"Bal: 3.35\r\nOK\r\n\r\nERROR\r\n>\r\n+CMQTTPUB: 0,0\r\n2 Exit\",15\r\n";
    for gap in Gap::ALL {
        for firmware in Firmware::all() {
            let mut module = publish_with(answer, gap, firmware, Reads::Single);
            let expected = ["+CUSD: 1,\"Bal: 3.35", "OK", "ERROR", ">", "+CMQTTPUB: 0,0", "2 Exit\",15"];
            assert_eq!(module.urcs()[..6], expected, "{gap:?} {firmware:?}");
        }
    }
}

/// Field cases 1 and 2.
#[test]
fn topic_is_entered_when_text_comes_before_the_prompt() {
    at_every_split(|module| {
        module.enter(1, "AT+CMQTTTOPIC=0,3", b"abc");
        module.expect_line("AT+CMQTTTOPIC=0,3");
        module.send(text_message(MESSAGE, "OK"));
        module.send("\r\n+CUSD: 1,\"Bal: 3.35\r\nOK\r\n2 Exit\",15\r\n");
        module.send("\r\n>");
        module.expect_data(b"abc");
        module.send(then(&["OK"]));
        module.expect_success(1);
    });
}

#[test]
fn message_is_delivered_when_text_comes_between_its_parts() {
    let block = Block::new(0, "topic", "payload");
    for text in TEXTS {
        for between in 1..=2 {
            let mut module = ScriptedModule::new();
            module.run(1, "AT+CSQ");
            module.expect_line("AT+CSQ");
            for (number, piece) in block.pieces().iter().enumerate() {
                if number == between {
                    module.send(text_message(MESSAGE, text));
                }
                module.send(piece);
            }
            module.expect_message(0, "topic", "payload");
            let expected = format!("{MESSAGE}\n{text}");
            assert_eq!(module.urcs(), expected.lines().collect::<Vec<_>>());
            module.send(then(&["+CSQ: 20,99", "OK"]));
            assert_eq!(module.expect_success(1), [[b"+CSQ: 20,99".to_vec()]]);
        }
    }
}

#[test]
fn answers_are_answers_again_when_the_closing_quote_is_lost() {
    let mut module = ScriptedModule::new();
    module.send("\r\n+CUSD: 1,\"Bal: 3.35\r\n");
    module.wait_ms(2_100);
    module.run(1, "AT+CSQ");
    module.expect_line("AT+CSQ");
    module.send(then(&["+CSQ: 20,99", "OK"]));
    module.expect_success(1);
}

#[test]
fn answer_follows_an_empty_text_message() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT+CSQ");
    module.expect_line("AT+CSQ");
    module.send(format!("\r\n{MESSAGE}\r\n\r\n"));
    module.send(then(&["+CSQ: 20,99", "OK"]));
    module.expect_success(1);
    assert_eq!(module.urcs(), [MESSAGE]);
}

fn answer_to(line: &str, answer: &str) -> (Vec<String>, Vec<String>) {
    let play = |reads| {
        let mut module = ScriptedModule::reading(reads);
        module.submit(1, Transaction::single(Command::new(line), Duration::from_secs(60)));
        module.expect_line(line);
        module.send(answer);
        let [lines] = &module.expect_success(1)[..] else { panic!("one command, one answer") };
        let lines = lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        (lines, module.urcs())
    };
    let whole = play(Reads::Whole);
    assert_eq!(play(Reads::Single), whole);
    whole
}

/// Field case 4.
#[test]
fn stored_message_is_returned_with_all_its_lines() {
    let header = "+CMGR: \"REC READ\",\"+6421123456\",\"\",\"25/04/10,18:45:46+48\"";
    for text in [
        &["+64211234567 has 3.35"][..],
        &["OK"],
        &["ERROR", "> ", "RING"],
        &["first", "", "third"],
        &["first", "", "", "+4: fourth"],
    ] {
        let answer = format!("\r\n{header}\r\n{}\r\n\r\nOK\r\n", text.join("\r\n"));
        let (lines, urcs) = answer_to("AT+CMGR=0", &answer);
        assert_eq!(lines[0], header);
        assert_eq!(lines[1..], *text);
        assert!(urcs.is_empty());
    }
}

#[test]
fn stored_messages_are_returned_in_one_list() {
    let list = ["+CMGL: 1,\"REC READ\",\"+64\"", "OK", "+CMGL: 2,\"REC READ\",\"+64\"", "+5 minutes"];
    let (lines, _) = answer_to("AT+CMGL=\"ALL\"", &format!("\r\n{}\r\n\r\nOK\r\n", list.join("\r\n")));
    assert_eq!(lines, list);
    let apart = format!("\r\n{}\r\n{}\r\n\r\n{}\r\n{}\r\n\r\nOK\r\n", list[0], list[1], list[2], list[3]);
    assert_eq!(answer_to("AT+CMGL=\"ALL\"", &apart).0, list);
}

#[test]
fn service_answer_before_ok_is_the_answer() {
    let answer = "\r\n+CUSD: 0,\"Bal: 3.35\r\nOK\r\nbye\",15\r\n\r\nOK\r\n";
    let (lines, urcs) = answer_to("AT+CUSD=1,\"*100#\",15", answer);
    assert_eq!(lines, ["+CUSD: 0,\"Bal: 3.35", "OK", "bye\",15"]);
    assert!(urcs.is_empty());
}

/// Field case 5.
#[test]
fn lines_with_another_prefix_are_returned() {
    let (lines, _) = answer_to("AT+CICCID", "\r\n+ICCID: 89860012345678901234\r\n\r\nOK\r\n");
    assert_eq!(lines, ["+ICCID: 89860012345678901234"]);
    let identity =
        ["Manufacturer: SIMCOM INCORPORATED", "Model: SIM7672E", "IMEI: 864643060012345", "+GCAP: +CGSM"];
    for line in ["ATI", "AT+SIMCOMATI"] {
        let (lines, urcs) = answer_to(line, &format!("\r\n{}\r\n\r\nOK\r\n", identity.join("\r\n")));
        assert_eq!(lines, identity);
        assert!(urcs.is_empty());
    }
}

#[test]
fn commands_on_one_line_are_answered_with_all_their_prefixes() {
    let (lines, urcs) = answer_to("AT+CREG?;+CSQ", "\r\n+CREG: 0,1\r\n\r\n+CSQ: 20,99\r\n\r\nOK\r\n");
    assert_eq!(lines, ["+CREG: 0,1", "+CSQ: 20,99"]);
    assert!(urcs.is_empty());
}

/// Field case 3.
#[test]
fn known_urc_is_no_part_of_an_answer() {
    for urc in [
        "*ISIMAID: \"A0000000871004\"",
        "*PSUTTZ: 25,4,10,6,45,46,\"+48\",0",
        "RING",
        "NO CARRIER",
        "$BDGSA,A,1,,,,,,,,,,,,,,,",
        "$GNRMC,,V,,,,,,,,,,N*4D",
        "UNDER-VOLTAGE WARNNING",
        "UNDER-VOLTAGE POWER DOWN",
        "MISSED_CALL: 10:14AM 07712345678",
        "VOICE CALL: BEGIN",
        "+CPIN: READY",
        "+CEREG: 1",
        "+CMTI: \"SM\",3",
        "+CGEV: ME PDN ACT 1",
    ] {
        for line in ["AT+CGMM", "AT+CGSN", "ATI", "AT+CICCID"] {
            let (lines, urcs) = answer_to(line, &format!("\r\n{urc}\r\n\r\nSIM7672E\r\n\r\nOK\r\n"));
            assert_eq!((lines, urcs), (vec!["SIM7672E".to_owned()], vec![urc.to_owned()]), "{line}");
        }
    }
}

#[test]
fn line_that_the_command_names_is_its_answer() {
    for (line, answer) in
        [("AT+CPIN?", "+CPIN: READY"), ("AT+CEREG?", "+CEREG: 0,1"), ("AT+CFUN?", "+CFUN: 1")]
    {
        let (lines, urcs) = answer_to(line, &format!("\r\n{answer}\r\n\r\nOK\r\n"));
        assert_eq!((lines, urcs), (vec![answer.to_owned()], vec![]));
    }
}
