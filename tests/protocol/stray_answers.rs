//! Output before a command is written is not an answer to it.

use simcom_mqtt::at::Command;

use super::support::{ScriptedModule, then};

const STRAYS: [&[u8]; 5] =
    [b"\r\nOK\r\n", b"\r\nERROR\r\n", b"\r\n+CME ERROR: 3\r\n", b"\r\n>", b"\r\n+CMQTTPUB: 0,0\r\n"];

#[test]
fn answer_before_the_line_is_written_does_not_count() {
    for stray in STRAYS {
        for written in 0.."AT+CSQ\r".len() {
            let mut module = ScriptedModule::new();
            module.run_half_written(1, Command::new("AT+CSQ"), written, stray);
            module.expect_data(&b"AT+CSQ\r"[written..]);
            module.expect_in_flight(1);
            module.send(then(&["+CSQ: 23,0", "OK"]));
            assert_eq!(module.expect_success(1), [[b"+CSQ: 23,0".to_vec()]]);
        }
    }
}

#[test]
fn answer_before_a_data_command_is_written_does_not_count() {
    for stray in STRAYS {
        let mut module = ScriptedModule::new();
        module.run_half_written(1, Command::new("AT+CMQTTTOPIC=0,3").with_data(b"a/b"), 0, stray);
        module.expect_line("AT+CMQTTTOPIC=0,3");
        module.expect_nothing_written();
        module.send("\r\n>");
        module.expect_data(b"a/b");
        module.send(then(&["OK"]));
        module.expect_success(1);
    }
}

/// The stray answer is in one read with the answer to the previous command.
#[test]
fn answer_between_the_commands_of_a_publish_does_not_count() {
    for stray in STRAYS {
        for gap in 0..3 {
            let behind = |number: usize| if number == gap { stray } else { b"" };
            let mut module = ScriptedModule::new();
            module.publish(1, 0, b"t", b"p");
            module.expect_line("AT+CMQTTTOPIC=0,1");
            module.send("\r\n>");
            module.expect_data(b"t");
            module.send([&then(&["OK"]), behind(0)].concat());
            module.expect_line("AT+CMQTTPAYLOAD=0,1");
            module.expect_nothing_written();
            module.send("\r\n>");
            module.expect_data(b"p");
            module.send([&then(&["OK"]), behind(1)].concat());
            module.expect_line("AT+CMQTTPUB=0,1,60");
            module.expect_in_flight(1);
            module.send(then(&["OK", "+CMQTTPUB: 0,0"]));
            module.expect_success(1);
            module.send(behind(2));
            module.run(2, "AT+CSQ");
            module.send(then(&["+CSQ: 23,0", "OK"]));
            assert_eq!(module.expect_success(2), [[b"+CSQ: 23,0".to_vec()]]);
        }
    }
}
