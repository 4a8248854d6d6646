//! A module that refuses in words of its own fails one command, not the line.

use simcom_mqtt::channel::{Failure, Refusal};

use crate::support::{ScriptedModule, then};

/// Field case 23.
#[test]
fn command_is_refused_and_the_next_one_works() {
    for refusal in ["ERROR: Unknown command", "ERROR 3", "+CIS ERROR: 4", "COMMAND NOT SUPPORT"] {
        let mut module = ScriptedModule::new();
        for (id, line) in [(1, "AT+CMQTTTOPIC=?"), (2, "AT+CMQTTSTART"), (3, "AT+CGMM"), (4, "AT+CMQTTSUB?")]
        {
            module.run(id, line);
            module.expect_line(line);
            module.send(then(&[refusal]));
            let Failure::Refused { refusal: Refusal::FinalResult(found), code: None, .. } =
                module.expect_failure(id)
            else {
                panic!("{line} was not refused");
            };
            assert_eq!(found, refusal);
        }
        module.expect_to_work();
        module.expect_no_other_events();
    }
}

#[test]
fn data_is_not_entered_when_the_command_is_refused() {
    let mut module = ScriptedModule::new();
    module.publish(1, 0, b"t", b"payload");
    module.expect_line("AT+CMQTTTOPIC=0,1");
    module.send(then(&["ERROR: Unknown command"]));
    assert!(matches!(module.expect_failure(1), Failure::Refused { .. }));
    module.expect_to_work();
}

/// The port opens: `AT` is answered, and the sync probes are unknown.
#[test]
fn module_is_found_when_it_refuses_sync_probes_in_its_own_words() {
    for refusal in ["ERROR: Unknown command", "Unknown command", "command not supported"] {
        let mut module = ScriptedModule::new();
        module.open(1);
        module.expect_line("AT");
        module.send(then(&["OK"]));
        for _ in 0..10 {
            let written = module.take_written();
            if written == b"ATE0\r" {
                module.send(then(&["OK"]));
                break;
            }
            if written.ends_with(b"=?\r") {
                module.send(then(&[refusal]));
            }
            module.wait_ms(500);
        }
        module.expect_success(1);
        module.expect_to_work();
    }
}
