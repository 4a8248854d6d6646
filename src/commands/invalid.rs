/// An argument outside what the module takes: names the argument, its value and the range. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{argument} {value}: must be {expected}")]
pub struct Invalid {
    argument: &'static str,
    value: String,
    expected: String,
}

impl Invalid {
    /// `qos = 3: must be 0, 1 or 2`.
    pub fn value(argument: &'static str, value: impl std::fmt::Display, expected: impl Into<String>) -> Self {
        Self { argument, value: format!("= {value}"), expected: expected.into() }
    }

    /// `url = "ftp://host": must be …`, cut where it grows too long to be read.
    pub fn text(argument: &'static str, text: &str, expected: impl Into<String>) -> Self {
        const LONGEST_SHOWN: usize = 80;
        let shown: String = text.chars().take(LONGEST_SHOWN).collect();
        let dots = if shown.len() < text.len() { "…" } else { "" };
        Self::value(argument, format!("{shown:?}{dots}"), expected)
    }

    /// `topic of 1025 bytes: must be 1 to 1024 bytes`. Also for secrets: only the length is shown.
    pub fn length(argument: &'static str, length: usize, expected: impl Into<String>) -> Self {
        let plural = if length == 1 { "" } else { "s" };
        Self { argument, value: format!("of {length} byte{plural}"), expected: expected.into() }
    }

    /// `password with a quote: must be …`.
    pub fn with(argument: &'static str, what: impl std::fmt::Display, expected: impl Into<String>) -> Self {
        Self { argument, value: format!("with {what}"), expected: expected.into() }
    }

    /// The name of the argument, as it is called in Python.
    pub fn argument(&self) -> &'static str {
        self.argument
    }
}

#[cfg(test)]
mod tests {
    use super::Invalid;

    #[test]
    fn names_argument_value_and_range() {
        assert_eq!(Invalid::value("qos", 3, "0, 1 or 2").to_string(), "qos = 3: must be 0, 1 or 2");
        assert_eq!(
            Invalid::length("topic", 1025, "1 to 1024 bytes").to_string(),
            "topic of 1025 bytes: must be 1 to 1024 bytes"
        );
        assert_eq!(
            Invalid::length("password", 1, "longer").to_string(),
            "password of 1 byte: must be longer"
        );
        assert_eq!(Invalid::text("url", "a\"b", "x").to_string(), "url = \"a\\\"b\": must be x");
    }

    #[test]
    fn cuts_long_text_between_characters() {
        let message = Invalid::text("url", &"é".repeat(1000), "short").to_string();
        assert_eq!(message, format!("url = \"{}\"…: must be short", "é".repeat(80)));
    }
}
