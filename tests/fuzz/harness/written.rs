use super::transactions::Wanted;

/// Lines that the driver may write on its own.
const OWN_LINES: [&str; 13] = [
    "AT",
    "ATE0",
    "AT+CMQTTREL?",
    "AT+CMQTTDISC=?",
    "AT+CMQTTUNSUB=?",
    "AT+CMQTTTOPIC=?",
    "AT+CMQTTREL=?",
    "AT+CMQTTACCQ=?",
    "AT+CMQTTPAYLOAD=?",
    "AT+CMQTTSUB=?",
    "AT+CMQTTPUB=?",
    "AT+CCERTDELE=\"ca.pem\"",
    "",
];

/// Padding of a topic filter: an empty line would be a valid filter.
const REFUSED: u8 = 0xFF;

/// Asserts that only submitted commands with their data, or the beginning of it, and lines that find the module or pad
/// a data entry were written.
pub fn expect_only(wanted: &[Wanted], written: &[u8]) {
    let mut lines: Vec<Wanted> = OWN_LINES.iter().map(|line| Wanted::bare(line)).collect();
    lines.extend_from_slice(wanted);
    lines.extend(wanted.iter().filter(|wanted| names_a_filter(wanted)).flat_map(padded));
    lines.dedup();
    let mut reached = vec![false; written.len() + 1];
    reached[0] = true;
    for at in 0..written.len() {
        if !reached[at] {
            continue;
        }
        for line in &lines {
            if reach_by(line, at, written, &mut reached) {
                return;
            }
        }
    }
    if !reached[written.len()] {
        let last = reached.iter().rposition(|reached| *reached).unwrap_or_default();
        let shown = &written[last..written.len().min(last + 200)];
        panic!("unexpected bytes written: {:?}", shown.escape_ascii().to_string());
    }
}

/// Returns true if the written bytes end in the middle of this line.
fn reach_by(line: &Wanted, at: usize, written: &[u8], reached: &mut [bool]) -> bool {
    let end = at + line.line.len() + 1;
    let rest = &written[at..];
    if rest.len() <= line.line.len() {
        return line.line.starts_with(rest);
    }
    if !rest.starts_with(&line.line) || written[end - 1] != b'\r' {
        return false;
    }
    reached[end] = true;
    let came = written[end..].iter().zip(&line.data).take_while(|(left, right)| left == right).count();
    if end + came == written.len() {
        return true;
    }
    for length in 1..=came {
        // The missing data was padded.
        let is_padded = matches!(written[end + length], b'\r' | REFUSED);
        reached[end + length] |= length == line.data.len() || is_padded;
    }
    false
}

fn names_a_filter(wanted: &Wanted) -> bool {
    wanted.line.starts_with(b"AT+CMQTTSUB=") || wanted.line.starts_with(b"AT+CMQTTUNSUB=")
}

/// Returns the padding of a filter, and the command that undoes the subscription to it.
fn padded(wanted: &Wanted) -> [Wanted; 2] {
    let padding = vec![REFUSED; wanted.data.len()];
    let equals = wanted.line.iter().position(|byte| *byte == b'=').unwrap_or_default();
    let client = char::from(wanted.line[equals + 1]);
    let undo = format!("AT+CMQTTUNSUB={client},{},0", padding.len()).into_bytes();
    [Wanted { line: padding.clone(), data: Vec::new() }, Wanted { line: undo, data: padding }]
}
