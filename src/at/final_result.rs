//! Final result codes: the lines that end the answer of a command.

pub(crate) fn is_final_result(line: &[u8]) -> bool {
    line == b"OK" || line == b"ERROR" || line.starts_with(b"+CME ERROR") || line.starts_with(b"+CMS ERROR")
}

/// The line is nothing but a final result code: of `+CME ERROR: <err>`, `<err>` is a number.
pub(crate) fn is_bare_final_result(line: &[u8]) -> bool {
    let error = line.strip_prefix(b"+CME ERROR:").or_else(|| line.strip_prefix(b"+CMS ERROR:"));
    let is_number = |text: &[u8]| text.trim_ascii().iter().all(u8::is_ascii_digit);
    line == b"OK" || line == b"ERROR" || error.is_some_and(is_number)
}
