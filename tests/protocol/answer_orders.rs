//! Every order of final result code and result in an answer, for every command.

use crate::support::{ScriptedModule, at_every_split, result_line, then};

/// Name, line, data, client.
const OPERATIONS: [(&str, &str, Option<&str>, Option<u8>); 9] = [
    ("CMQTTSTART", "AT+CMQTTSTART", None, None),
    ("CMQTTSTOP", "AT+CMQTTSTOP", None, None),
    ("CMQTTCONNECT", "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1", None, Some(0)),
    ("CMQTTDISC", "AT+CMQTTDISC=1,60", None, Some(1)),
    ("CMQTTPUB", "AT+CMQTTPUB=0,1,60", None, Some(0)),
    ("CMQTTSUB", "AT+CMQTTSUB=1,3,1", Some("a/b"), Some(1)),
    ("CMQTTSUB", "AT+CMQTTSUB=0", None, Some(0)),
    ("CMQTTUNSUB", "AT+CMQTTUNSUB=1,3,0", Some("a/b"), Some(1)),
    ("CMQTTUNSUB", "AT+CMQTTUNSUB=0,0", None, Some(0)),
];

/// Name, line, data. These commands end with their final result code.
const PLAIN: [(&str, &str, Option<&str>); 8] = [
    ("CMQTTACCQ", "AT+CMQTTACCQ=0,\"id\"", None),
    ("CMQTTREL", "AT+CMQTTREL=0", None),
    ("CMQTTWILLTOPIC", "AT+CMQTTWILLTOPIC=0,3", Some("a/b")),
    ("CMQTTWILLMSG", "AT+CMQTTWILLMSG=0,3,1", Some("bye")),
    ("CMQTTTOPIC", "AT+CMQTTTOPIC=0,3", Some("a/b")),
    ("CMQTTPAYLOAD", "AT+CMQTTPAYLOAD=0,3", Some("abc")),
    ("CMQTTSSLCFG", "AT+CMQTTSSLCFG=0,1", None),
    ("CMQTTCFG", "AT+CMQTTCFG=\"version\",0,4", None),
];

fn begin(module: &mut ScriptedModule, line: &str, data: Option<&str>) {
    let Some(data) = data else {
        module.run(1, line);
        module.expect_line(line);
        return;
    };
    module.enter(1, line, data.as_bytes());
    module.expect_line(line);
    module.send("\r\n>");
    module.expect_data(data.as_bytes());
}

/// Asserts that the next command is written after this answer, and not before.
fn expect_channel_free_after(module: &mut ScriptedModule, answer: &str) {
    module.run(2, "AT");
    module.expect_nothing_written();
    module.send(then(&[answer]));
    module.expect_line("AT");
    module.send(then(&["OK"]));
    module.expect_success(2);
}

#[test]
fn ok_then_result_is_success() {
    for (name, line, data, client) in OPERATIONS {
        at_every_split(|module| {
            begin(module, line, data);
            expect_channel_free_after(module, "OK");
            module.expect_in_flight(1);
            module.send(then(&[&result_line(name, client, 0)]));
            assert_eq!(module.expect_success(1), [Vec::<Vec<u8>>::new()], "no information response: {line}");
            module.expect_no_other_events();
        });
    }
}

#[test]
fn ok_then_refusal_has_its_code() {
    for (name, line, data, client) in OPERATIONS {
        at_every_split(|module| {
            begin(module, line, data);
            expect_channel_free_after(module, "OK");
            module.expect_in_flight(1);
            module.send(then(&[&result_line(name, client, 11)]));
            assert_eq!(module.expect_refusal(1), Some(11), "{line}");
            module.expect_no_other_events();
        });
    }
}

#[test]
fn result_then_ok_is_success() {
    for (name, line, data, client) in OPERATIONS {
        at_every_split(|module| {
            begin(module, line, data);
            module.send(then(&[&result_line(name, client, 0)]));
            module.expect_in_flight(1);
            expect_channel_free_after(module, "OK");
            module.expect_success(1);
            module.expect_no_other_events();
        });
    }
}

#[test]
fn refusal_then_error_has_its_code() {
    for (name, line, data, client) in OPERATIONS {
        at_every_split(|module| {
            begin(module, line, data);
            module.send(then(&[&result_line(name, client, 19)]));
            expect_channel_free_after(module, "ERROR");
            assert_eq!(module.expect_refusal(1), Some(19), "{line}");
            module.expect_no_other_events();
        });
    }
}

#[test]
fn refusal_then_ok_has_its_code() {
    for (name, line, data, client) in OPERATIONS {
        at_every_split(|module| {
            begin(module, line, data);
            module.send(then(&[&result_line(name, client, 19), "OK"]));
            assert_eq!(module.expect_refusal(1), Some(19), "{line}");
            module.expect_no_other_events();
        });
    }
}

#[test]
fn bare_error_is_a_refusal_without_code() {
    for (name, line, data, _) in OPERATIONS {
        for error in ["ERROR", "+CME ERROR: operation not allowed"] {
            at_every_split(|module| {
                begin(module, line, data);
                expect_channel_free_after(module, error);
                if name == "CMQTTCONNECT" {
                    module.expect_in_flight(1);
                    module.wait_ms(500);
                }
                assert_eq!(module.expect_refusal(1), None, "{line}");
                module.expect_no_other_events();
            });
        }
    }
}

#[test]
fn error_in_place_of_the_prompt_is_a_refusal() {
    let with_prompt = OPERATIONS.map(|(name, line, data, _)| (name, line, data)).into_iter().chain(PLAIN);
    for (name, line, data) in with_prompt {
        let Some(data) = data else { continue };
        for code in [None, Some(11)] {
            at_every_split(|module| {
                module.enter(1, line, data.as_bytes());
                module.expect_line(line);
                let client = line.as_bytes()[line.find('=').unwrap() + 1] - b'0';
                if let Some(code) = code {
                    module.send(then(&[&result_line(name, Some(client), code)]));
                }
                expect_channel_free_after(module, "ERROR");
                assert_eq!(module.expect_refusal(1), code, "{line}");
                module.expect_nothing_written();
                module.expect_no_other_events();
            });
        }
    }
}

#[test]
fn code_after_error_is_the_code_of_the_refusal() {
    at_every_split(|module| {
        begin(module, "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1", None);
        expect_channel_free_after(module, "ERROR");
        module.run(3, "AT+CMQTTREL=0");
        module.expect_nothing_written();
        module.wait_ms(499);
        module.send(then(&["+CMQTTCONNECT: 0,25"]));
        assert_eq!(module.expect_refusal(1), Some(25));
        module.expect_line("AT+CMQTTREL=0");
        module.send(then(&["OK"]));
        module.expect_success(3);
        module.expect_no_other_events();
    });
}

/// Meanwhile the channel is free, but the client is not.
#[test]
fn client_waits_half_a_second_for_a_code_after_error() {
    let mut module = ScriptedModule::new();
    begin(&mut module, "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1", None);
    module.send(then(&["ERROR"]));
    module.run(2, "AT+CMQTTREL=0");
    module.run(3, "AT+CMQTTREL=1");
    module.expect_line("AT+CMQTTREL=1");
    module.send(then(&["OK"]));
    module.wait_ms(499);
    module.expect_in_flight(1);
    module.expect_nothing_written();
    module.wait_ms(1);
    assert_eq!(module.expect_refusal(1), None);
    module.expect_line("AT+CMQTTREL=0");
    // Too late: the result belongs to no command.
    module.send(then(&["+CMQTTCONNECT: 0,25", "OK"]));
    module.expect_success(2);
    assert_eq!(module.urcs(), ["+CMQTTCONNECT: 0,25"]);
}

#[test]
fn plain_commands_end_with_their_final_result() {
    for (name, line, data) in PLAIN {
        let refusal = format!("+{name}: 0,20");
        for (answer, outcome) in [
            (vec!["OK"], Ok(())),
            (vec![&refusal, "ERROR"], Err(Some(20))),
            (vec!["ERROR"], Err(None)),
            (vec!["+CME ERROR: 3"], Err(None)),
        ] {
            at_every_split(|module| {
                begin(module, line, data);
                module.send(then(&answer[..answer.len() - 1]));
                expect_channel_free_after(module, answer[answer.len() - 1]);
                match outcome {
                    Ok(()) => assert!(module.expect_success(1).len() == 1),
                    Err(code) => assert_eq!(module.expect_refusal(1), code, "{line} {answer:?}"),
                }
                module.expect_no_other_events();
            });
        }
    }
}

#[test]
fn read_and_test_forms_that_look_like_results_are_answers() {
    for (line, answer) in [
        ("AT+CMQTTDISC?", vec!["+CMQTTDISC: 0,0", "+CMQTTDISC: 1,1"]),
        ("AT+CMQTTCONNECT?", vec!["+CMQTTCONNECT: 0,\"tcp://h:1883\",20,1", "+CMQTTCONNECT: 1"]),
        ("AT+CMQTTACCQ?", vec!["+CMQTTACCQ: 0,\"a12mmmm\",0", "+CMQTTACCQ: 1,\"\",0"]),
        ("AT+CMQTTPUB=?", vec!["+CMQTTPUB: (0-1),(0-2),(60-180),(0-1),(0-1)"]),
        ("AT+CMQTTCFG?", vec!["+CMQTTCFG: 0,1,120", "+CMQTTCFG: 1,1,120"]),
        ("AT+CGSN", vec!["351602000330570"]),
        ("ATI", vec!["Manufacturer: SIMCOM INCORPORATED", "Model: SIM7672E"]),
    ] {
        at_every_split(|module| {
            module.run(1, line);
            module.expect_line(line);
            module.send(then(&answer));
            module.expect_in_flight(1);
            module.send(then(&["OK"]));
            assert_eq!(
                module.expect_success(1),
                [answer.iter().map(|line| line.as_bytes()).collect::<Vec<_>>()]
            );
            module.expect_no_other_events();
        });
    }
}

#[test]
fn start_and_stop_accept_a_context_number() {
    for (line, result) in [("AT+CMQTTSTART=1", "+CMQTTSTART: 0,1"), ("AT+CMQTTSTOP=1", "+CMQTTSTOP: 0,1")] {
        at_every_split(|module| {
            begin(module, line, None);
            module.send(then(&["OK", result]));
            module.expect_success(1);
            module.expect_no_other_events();
        });
    }
}

#[test]
fn urcs_between_ok_and_result_are_delivered() {
    for (name, line, data, client) in OPERATIONS {
        at_every_split(|module| {
            begin(module, line, data);
            module.send(then(&["+CGEV: 1", "OK", "+CGEV: 2", "+UNKNOWN", &result_line(name, client, 0)]));
            module.expect_success(1);
            assert_eq!(module.urcs(), ["+CGEV: 1", "+CGEV: 2", "+UNKNOWN"]);
            module.expect_no_other_events();
        });
    }
}

/// While client 0 waits for its result, commands of other lanes are not delayed.
#[test]
fn other_lanes_continue_while_a_result_is_pending() {
    at_every_split(|module| {
        begin(module, "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1", None);
        module.send(then(&["OK"]));
        module.publish(2, 0, b"t", b"zero");
        for id in 10..13 {
            module.publish(id, 1, b"t", b"one");
            for (line, data) in [("AT+CMQTTTOPIC=1,1", "t"), ("AT+CMQTTPAYLOAD=1,3", "one")] {
                module.expect_line(line);
                module.send("\r\n>");
                module.expect_data(data.as_bytes());
                module.send(then(&["OK"]));
            }
            module.expect_line("AT+CMQTTPUB=1,1,60");
            module.send(then(&["OK"]));
            module.run(id + 10, "AT+CSQ");
            module.expect_line("AT+CSQ");
            module.send(then(&["+CSQ: 20,0", "OK", "+CMQTTPUB: 1,0"]));
            module.expect_success(id);
            module.expect_success(id + 10);
        }
        module.expect_nothing_written();
        module.send(then(&["+CMQTTCONNECT: 0,0"]));
        module.expect_success(1);
        module.expect_line("AT+CMQTTTOPIC=0,1");
        module.expect_no_other_events();
    });
}

/// The results of both clients arrive together, in reverse order.
#[test]
fn each_client_gets_its_own_result() {
    at_every_split(|module| {
        for (id, line) in [(1, "AT+CMQTTPUB=0,1,60"), (2, "AT+CMQTTPUB=1,1,60")] {
            module.run(id, line);
            module.expect_line(line);
            module.send(then(&["OK"]));
        }
        module.send(then(&["+CMQTTPUB: 1,17", "+CMQTTPUB: 0,0"]));
        module.expect_success(1);
        assert_eq!(module.expect_refusal(2), Some(17));
        module.expect_no_other_events();
    });
}

#[test]
fn lanes_take_turns_in_order_of_arrival() {
    let mut module = ScriptedModule::new();
    module.run(1, "AT");
    for (id, line) in [(2, "AT+CMQTTREL=1"), (3, "AT+CSQ"), (4, "AT+CMQTTREL=0"), (5, "AT+CMQTTREL=1")] {
        module.run(id, line);
    }
    for line in ["AT", "AT+CMQTTREL=1", "AT+CSQ", "AT+CMQTTREL=0", "AT+CMQTTREL=1"] {
        module.expect_line(line);
        module.expect_nothing_written();
        module.send(then(&["OK"]));
    }
}

#[test]
fn first_failure_ends_a_transaction() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"p");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.send(then(&["+CMQTTTOPIC: 0,11", "ERROR"]));
    assert_eq!(module.expect_refusal(1), Some(11));
    module.expect_nothing_written();
}

#[test]
fn ok_in_place_of_the_prompt_is_a_failure() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"p");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.send(then(&["OK"]));
    assert_eq!(module.expect_refusal(1), None);
    module.expect_nothing_written();
}

/// A satellite sentence has no line end before it, and the echo has none after it.
#[test]
fn sentence_directly_after_the_echo_is_a_urc() {
    at_every_split(|module| {
        module.run(1, "AT+CSQ");
        module.expect_line("AT+CSQ");
        module.send("AT+CSQ\r$GNRMC,,V,,,,,,,,,,N,V*37\r\n\r\n+CSQ: 20,0\r\n\r\nOK\r\n");
        assert_eq!(module.expect_success(1), [[b"+CSQ: 20,0"]]);
        assert_eq!(module.urcs(), ["$GNRMC,,V,,,,,,,,,,N,V*37"]);
    });
}
