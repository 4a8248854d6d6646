//! A command that a user types.

use super::query;
use super::{Invalid, ssl_context};
use crate::at::{Command, CommandName, Form};

/// The longest line the module takes.
pub const LONGEST_LINE: usize = 3071;

/// Makes a command of `line` unchanged; `data` answers its `>` prompt.
///
/// If the line announces a number of bytes, as `AT+CMQTTTOPIC=0,9` does, the data must have this length: with fewer bytes
/// the module stays in data entry, and takes the next command for data.
///
/// # Errors
///
/// [`Invalid`] for a line that is no AT command, and for data of another length than announced.
pub fn raw(line: &str, data: Option<Vec<u8>>) -> Result<Command, Invalid> {
    if line.len() > LONGEST_LINE {
        return Err(Invalid::length("command", line.len(), format!("at most {LONGEST_LINE} bytes")));
    }
    for (character, what) in [('\r', "a carriage return"), ('\n', "a line feed"), ('\0', "a NUL")] {
        if line.contains(character) {
            return Err(Invalid::with("command", what, "one line without CR, LF or NUL; the driver ends it"));
        }
    }
    if !line.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("AT")) {
        // The value is not shown: it may be a secret that was typed in the wrong place.
        return Err(Invalid::length("command", line.len(), "an AT command, beginning with AT"));
    }
    let command = query::command(line);
    check_data(&command, data.as_deref())?;
    Ok(match data {
        None => command,
        Some(data) if command.kind().name == CommandName::UploadCertificate => {
            command.with_secret_data(data, ssl_context::LONGEST_PACKET)
        }
        Some(data) => command.with_data(data),
    })
}

fn check_data(command: &Command, data: Option<&[u8]>) -> Result<(), Invalid> {
    let announced = announced_length(command);
    match (announced, data) {
        (Some(announced), Some(data)) if data.len() != announced => {
            let expected = format!("the {announced} bytes that {} announces", command.line.shown());
            Err(Invalid::length("data", data.len(), expected))
        }
        (Some(announced), None) if announced > 0 => {
            let expected =
                format!("{announced} bytes: {} asks for them with its > prompt", command.line.shown());
            Err(Invalid::value("data", "None", expected))
        }
        (None, Some([])) => {
            Err(Invalid::length("data", 0, "at least 1 byte; leave it out for a command without a prompt"))
        }
        _ => Ok(()),
    }
}

/// The `<req_length>` of a command that is known to have it.
fn announced_length(command: &Command) -> Option<usize> {
    let line = &command.line;
    if line.form() != Form::Write {
        return None;
    }
    let fewest_parameters = match line.kind().name {
        CommandName::WillTopic
        | CommandName::Topic
        | CommandName::Payload
        | CommandName::UploadCertificate => 2,
        CommandName::WillMessage | CommandName::Subscribe | CommandName::Unsubscribe => 3,
        _ => return None,
    };
    let values = line.parameters();
    if values.count() < fewest_parameters { None } else { values.get(1)?.number() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn refused(line: &str, data: Option<&[u8]>) -> String {
        raw(line, data.map(<[u8]>::to_vec)).unwrap_err().to_string()
    }

    #[test]
    fn at_commands_stay_unchanged() {
        for line in ["AT", "ate0", "AT+CSQ", "at+cgmr", "AT+CMQTTSUB=0,1", "AT$QCSIMSTAT?", "AT+X=\"é\""] {
            let command = raw(line, None).unwrap();
            assert_eq!(command.line.bytes(), line.as_bytes());
            assert!(command.data.is_none());
        }
    }

    #[test]
    fn command_is_one_line_that_begins_with_at() {
        assert!(refused("AT\rAT", None).starts_with("command with a carriage return: must be one line"));
        assert!(refused("AT\n", None).starts_with("command with a line feed"));
        assert!(refused("AT\0", None).starts_with("command with a NUL"));
        for wrong in ["", "A", "+CSQ", "é", "hunter2"] {
            let message = refused(wrong, None);
            assert!(message.ends_with("must be an AT command, beginning with AT"), "{message}");
            assert!(!message.contains("hunter2"));
        }
    }

    #[test]
    fn lines_hold_at_most_3071_bytes() {
        let longest = format!("AT{}", "x".repeat(3069));
        assert!(raw(&longest, None).is_ok());
        assert_eq!(
            refused(&format!("{longest}x"), None),
            "command of 3072 bytes: must be at most 3071 bytes"
        );
    }

    #[test]
    fn data_has_the_announced_length() {
        for line in [
            "AT+CMQTTTOPIC=0,3",
            "at+cmqttwilltopic=0, 3",
            "AT+CMQTTPAYLOAD=1,3",
            "AT+CMQTTWILLMSG=0,3,1",
            "AT+CMQTTSUB=0,3,1",
            "AT+CMQTTSUB=0,3,1,1",
            "AT+CMQTTUNSUB=0,3,0",
            "AT+CCERTDOWN=\"a,b.pem\",3",
        ] {
            assert_eq!(raw(line, Some(b"abc".to_vec())).unwrap().data.unwrap().bytes, b"abc");
            assert!(refused(line, Some(b"ab")).starts_with("data of 2 bytes: must be the 3 bytes"), "{line}");
            assert!(refused(line, Some(b"")).starts_with("data of 0 bytes: must be the 3 bytes"), "{line}");
            assert!(refused(line, None).starts_with("data = None: must be 3 bytes"), "{line}");
        }
    }

    #[test]
    fn forms_without_a_prompt_take_no_data() {
        for line in ["AT+CMQTTSUB=0,1", "AT+CMQTTUNSUB=0,1", "AT+CMQTTTOPIC=?", "AT+CMQTTTOPIC=0,0"] {
            assert!(raw(line, None).is_ok(), "{line}");
        }
    }

    #[test]
    fn other_commands_may_ask_for_any_data() {
        assert_eq!(raw("AT+CMGS=\"1\"", Some(vec![26])).unwrap().data.unwrap().bytes, [26]);
        assert!(refused("AT+CMGS=\"1\"", Some(b"")).starts_with("data of 0 bytes: must be at least 1 byte"));
    }

    #[test]
    fn typed_certificate_is_as_secret_as_an_uploaded_one() {
        let command = raw("at+ccertdown=\"a.pem\",4000", Some(vec![b'k'; 4000])).unwrap();
        assert_eq!(command.limit, Some(Duration::from_secs(120)));
        let data = command.data.unwrap();
        assert!(data.secret);
        assert_eq!(data.piece, 3072);
    }
}
