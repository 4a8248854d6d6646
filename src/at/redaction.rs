use std::borrow::Cow;

use super::connection_parameters::ConnectionParameters;

const CONNECTION: &[u8] = b"+CMQTTCONNECT";
/// Commands that carry a secret, which of their parameters it is, and whether their answers carry it too.
const SECRET_PARAMETERS: &[(&[u8], usize, bool)] = &[
    (b"+CPIN", 0, false),
    (b"+CPIN", 1, false),
    (b"+CGAUTH", 3, true),
    (b"+CGAUTH", 2, true),
    (b"+CLCK", 2, false),
    (b"+CPWD", 1, false),
    (b"+CPWD", 2, false),
];

/// `line` with its secrets replaced by asterisks of the same length.
pub fn redacted(line: &[u8]) -> Cow<'_, [u8]> {
    let mut shown = Cow::Borrowed(line);
    for (from, to) in secrets_in(line) {
        shown.to_mut()[from..to].fill(b'*');
    }
    shown
}

/// Where the secrets of a command or its answer are. The command may stand behind others in its line.
pub(crate) fn secrets_in(line: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let named = memchr::memchr_iter(b'+', line)
        .flat_map(move |at| secrets_of_command_at(line, at).chain(password_of_connection_at(line, at)));
    named.chain(password_behind_address(line)).chain(password_of_a_rest(line))
}

/// The secrets of the command or answer whose name begins at `at`, in capitals or not.
fn secrets_of_command_at(line: &[u8], at: usize) -> impl Iterator<Item = (usize, usize)> {
    SECRET_PARAMETERS.iter().filter_map(move |(name, parameter, comes_back)| {
        let end = at + name.len();
        line.get(at..end).filter(|found| found.eq_ignore_ascii_case(name))?;
        let values = end + line[end..].iter().take_while(|byte| **byte == b' ').count();
        let carries_it = match line.get(values)? {
            b'=' => true,
            b':' => *comes_back,
            _ => false,
        };
        carries_it.then(|| parameter_at(line, values + 1, *parameter))?
    })
}

/// The password of a connection, and all that is not what stands before it in a line that came whole.
fn password_of_connection_at(line: &[u8], at: usize) -> Option<(usize, usize)> {
    let end = at + CONNECTION.len();
    line.get(at..end).filter(|found| found.eq_ignore_ascii_case(CONNECTION))?;
    let from = ConnectionParameters::new(line, end).end_of_readable()?;
    Some(without_quotes(line, from, line.len()))
}

/// The password of a line that lost its beginning: its last string, behind another one.
fn password_of_a_rest(line: &[u8]) -> Option<(usize, usize)> {
    let is_named = line.first().is_some_and(|first| matches!(first, b'+' | b'A' | b'a'));
    if is_named || !line.trim_ascii_end().ends_with(b"\"") {
        return None;
    }
    let separator = memchr::memmem::find(line, b"\",\"")?;
    Some(without_quotes(line, separator + 1, line.len()))
}

/// The password of a connection whose line lost or gained bytes on its way, so that its parameters cannot be counted:
/// what stands behind the broker's address and two more strings. Where a quote is missing, the user name is hidden too.
fn password_behind_address(line: &[u8]) -> Option<(usize, usize)> {
    // Most lines have no strings, and so no address, which is dearer to look for.
    memchr::memchr(b'"', line)?;
    let beginnings = [&b"tcp"[..], b"//"];
    let address = beginnings.iter().filter_map(|beginning| memchr::memmem::find(line, beginning)).min()?;
    let quotes: Vec<usize> = memchr::memchr_iter(b'"', &line[address..]).map(|at| address + at + 1).collect();
    let from = match quotes.len() {
        0..4 => return None,
        odd if odd % 2 == 1 => quotes[2],
        _ => quotes[1],
    };
    let opened = line[from..].iter().take_while(|byte| matches!(byte, b',' | b' ')).count();
    Some(without_quotes(line, from + opened, line.len()))
}

/// The bytes of the numbered parameter, without its quotes. Commas between quotes do not separate.
fn parameter_at(line: &[u8], start: usize, wanted: usize) -> Option<(usize, usize)> {
    let mut number = 0;
    let mut quoted = false;
    let mut from = start;
    for at in start..=line.len() {
        let byte = line.get(at).copied();
        match byte {
            Some(b'"') => quoted = !quoted,
            Some(b',') if !quoted => {}
            None => {}
            _ => continue,
        }
        if byte == Some(b'"') {
            continue;
        }
        if number == wanted {
            return Some(without_quotes(line, from, at));
        }
        number += 1;
        from = at + 1;
    }
    None
}

fn without_quotes(line: &[u8], mut from: usize, mut to: usize) -> (usize, usize) {
    while from < to && matches!(line[from], b' ' | b'"' | b',') {
        from += 1;
    }
    while to > from && matches!(line[to - 1], b' ' | b'"' | b'\r' | b'\n') {
        to -= 1;
    }
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_the_password_both_ways() {
        let sent = b"AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"s,cret\"";
        assert_eq!(&*redacted(sent), b"AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"******\"");
        let read = b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"secret\"";
        assert_eq!(&*redacted(read), b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"******\"");
    }

    #[test]
    fn hides_the_password_of_a_command_among_others() {
        for line in [
            "AT+CSQ;+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"secret\"",
            "at+cmqttconnect = 0,\"tcp://h:1883\",60,1,\"user\",\"secret\"",
            "$GNRMC,,VAT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"secret\"",
            "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",secret",
            "AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"se\"c,ret\"",
            "AT+CSQ;+CPIN=\"secret\"",
        ] {
            let shown = String::from_utf8(redacted(line.as_bytes()).into_owned()).unwrap();
            assert!(!shown.contains("sec") && !shown.contains("ret"), "{shown}");
        }
    }

    #[test]
    fn hides_the_password_whatever_byte_is_lost_added_or_altered() {
        let line = b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"secret\"";
        let password = line.len() - "secret\"".len();
        let mut damaged = Vec::new();
        for at in 0..password {
            damaged.push([&line[..at], &line[at + 1..]].concat());
            for byte in *b"x\",:" {
                damaged.push([&line[..at], &[byte], &line[at..]].concat());
                damaged.push([&line[..at], &[byte], &line[at + 1..]].concat());
            }
        }
        for line in damaged {
            let shown = redacted(&line);
            assert!(memchr::memmem::find(&shown, b"secret").is_none(), "{}", shown.escape_ascii());
        }
    }

    #[test]
    fn hides_the_password_whatever_two_bytes_are_lost() {
        let line = b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"secret\"";
        let password = line.len() - "secret\"".len();
        for first in 0..password - 1 {
            for second in first + 1..password {
                let damaged = [&line[..first], &line[first + 1..second], &line[second + 1..]].concat();
                let shown = redacted(&damaged);
                assert!(memchr::memmem::find(&shown, b"secret").is_none(), "{}", shown.escape_ascii());
            }
        }
    }

    #[test]
    fn hides_the_password_of_a_line_whose_beginning_was_lost() {
        let line = b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"secret\"";
        for from in 0..line.len() - "secret\"".len() - 2 {
            let shown = redacted(&line[from..]);
            assert!(memchr::memmem::find(&shown, b"secret").is_none(), "{}", shown.escape_ascii());
        }
    }

    #[test]
    fn leaves_other_lines_alone() {
        for line in [
            &b"+CMQTTCONNECT: 0,0"[..],
            b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1",
            b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\"",
            b"AT",
            b"",
            b"OK",
            b"+CPIN: READY",
            b"+CMQTTCONNECT: 1",
            b"+CMQTTCONNECT: 0,31",
            b"AT+CMQTTCONNECT?",
            b"AT+CMQTTCONNECT=?",
            b"+CMQTTCONNECT: (0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]",
            b"+COPS: 0,0,\"CHN-UNICOM\",7",
            b"+CGDCONT: 1,\"IP\",\"internet\",\"0.0.0.0\",0,0",
        ] {
            assert!(matches!(redacted(line), Cow::Borrowed(_)), "{}", line.escape_ascii());
        }
    }
}
