use std::borrow::Cow;

/// Commands that carry a secret, which of their parameters it is, and whether their answers carry it too.
const SECRET_PARAMETERS: &[(&[u8], usize, bool)] = &[
    (b"+CMQTTCONNECT", 5, true),
    (b"+CPIN", 0, false),
    (b"+CPIN", 1, false),
    (b"+CGAUTH", 3, true),
    (b"+CGAUTH", 2, true),
    (b"+CLCK", 2, false),
    (b"+CPWD", 1, false),
    (b"+CPWD", 2, false),
];

/// `line` with its secrets replaced by asterisks of the same length.
pub fn masked(line: &[u8]) -> Cow<'_, [u8]> {
    let mut shown = Cow::Borrowed(line);
    for (from, to) in secrets_in(line) {
        shown.to_mut()[from..to].fill(b'*');
    }
    shown
}

/// Where the secrets of a command or its answer are.
pub(crate) fn secrets_in(line: &[u8]) -> impl Iterator<Item = (usize, usize)> {
    let body = line.get(..2).filter(|start| start.eq_ignore_ascii_case(b"AT")).map_or(0, |_| 2);
    SECRET_PARAMETERS.iter().filter_map(move |(name, parameter, comes_back)| {
        let start = body + name.len();
        if !line.get(body..start)?.eq_ignore_ascii_case(name) {
            return None;
        }
        let carries_it = match line.get(start)? {
            b'=' => true,
            b':' => *comes_back,
            _ => false,
        };
        if !carries_it {
            return None;
        }
        parameter_at(line, start + 1, *parameter)
    })
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
    while from < to && matches!(line[from], b' ' | b'"') {
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
        assert_eq!(&*masked(sent), b"AT+CMQTTCONNECT=0,\"tcp://h:1883\",60,1,\"user\",\"******\"");
        let read = b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"secret\"";
        assert_eq!(&*masked(read), b"+CMQTTCONNECT: 0,\"tcp://h:1883\",60,1,\"user\",\"******\"");
    }

    #[test]
    fn leaves_other_lines_alone() {
        for line in [&b"+CMQTTCONNECT: 0,0"[..], b"AT", b"", b"OK", b"+CPIN: READY"] {
            assert!(matches!(masked(line), Cow::Borrowed(_)), "{}", line.escape_ascii());
        }
    }
}
