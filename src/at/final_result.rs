//! Final result codes: the lines that end the answer of a command.

/// `OK`, `ERROR`, `+CME ERROR: <err>`, and what other firmware says instead: `ERROR: Unknown command`,
/// `+CIS ERROR: <err>`, `COMMAND NOT SUPPORT`.
pub(crate) fn is_final_result(line: &[u8]) -> bool {
    match line {
        b"OK" | b"ERROR" | [b'E', b'R', b'R', b'O', b'R', b':' | b' ', ..] => true,
        [b'+', rest @ ..] => {
            let letters = rest.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
            letters >= 3 && rest[letters..].starts_with(b" ERROR")
        }
        _ => line.starts_with(b"COMMAND NOT SUPPORT"),
    }
}

/// The line is nothing but a final result code: of `+CME ERROR: <err>`, `<err>` is a number.
pub(crate) fn is_bare_final_result(line: &[u8]) -> bool {
    let error = line.strip_prefix(b"+CME ERROR:").or_else(|| line.strip_prefix(b"+CMS ERROR:"));
    let is_number = |text: &[u8]| text.trim_ascii().iter().all(u8::is_ascii_digit);
    line == b"OK" || line == b"ERROR" || error.is_some_and(is_number)
}

/// The line reads like an error to a person: a module that says it answers, in words of its own.
pub(crate) fn reads_like_error(line: &[u8]) -> bool {
    let lower = line.to_ascii_lowercase();
    let words: [&[u8]; 5] = [b"error", b"unknown", b"not support", b"invalid", b"unrecogni"];
    words.iter().any(|word| memchr::memmem::find(&lower, word).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn final_results_end_an_answer() {
        for line in [
            "OK",
            "ERROR",
            "ERROR: Unknown command",
            "ERROR 3",
            "+CME ERROR: SIM busy",
            "+CMS ERROR: 500",
            "+CIS ERROR: 4",
            "COMMAND NOT SUPPORT",
        ] {
            assert!(is_final_result(line.as_bytes()), "{line}");
        }
        for line in ["", "OKAY", "ERRORS", "+ ERROR", "+CSQ: 20,99", "NO ERROR", "+CMQTTPUB: 0,0"] {
            assert!(!is_final_result(line.as_bytes()), "{line}");
        }
    }
}
