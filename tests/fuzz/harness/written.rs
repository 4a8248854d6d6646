use super::transactions::Wanted;

/// What the driver may write of its own accord.
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

/// Fills up the data entry of a topic filter: an empty line would be one.
const REFUSED: u8 = 0xFF;

/// All that was written is commands that somebody wanted, each with its own data or the beginning of it, and lines that
/// find the module or fill up a data entry.
pub fn expect_only(wanted: &[Wanted], written: &[u8]) {
    let mut lines: Vec<Wanted> = OWN_LINES.iter().map(|line| Wanted::bare(line)).collect();
    lines.extend_from_slice(wanted);
    lines.extend(wanted.iter().filter(|wanted| names_a_filter(wanted)).flat_map(filled_up));
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
        panic!("nobody wanted this written: {:?}", shown.escape_ascii().to_string());
    }
}

/// True if what was written ends in the middle of this.
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
        // What is missing of it was filled up.
        let is_filled_up = matches!(written[end + length], b'\r' | REFUSED);
        reached[end + length] |= length == line.data.len() || is_filled_up;
    }
    false
}

fn names_a_filter(wanted: &Wanted) -> bool {
    wanted.line.starts_with(b"AT+CMQTTSUB=") || wanted.line.starts_with(b"AT+CMQTTUNSUB=")
}

/// What a filter may be filled up with, and how the subscription to that is undone.
fn filled_up(wanted: &Wanted) -> [Wanted; 2] {
    let filling = vec![REFUSED; wanted.data.len()];
    let equals = wanted.line.iter().position(|byte| *byte == b'=').unwrap_or_default();
    let client = char::from(wanted.line[equals + 1]);
    let undoing = format!("AT+CMQTTUNSUB={client},{},0", filling.len()).into_bytes();
    [Wanted { line: filling.clone(), data: Vec::new() }, Wanted { line: undoing, data: filling }]
}
