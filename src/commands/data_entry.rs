//! Bytes entered at a `>` prompt, of a length that the module takes, and filters of messages.

use super::Invalid;
use super::query::{Lines, Query, UnexpectedAnswer, command, each};
use crate::at::Command;
use crate::inbound::is_filter;

/// A topic or topic filter: 1 to 1024 bytes. The module itself asks for UTF-8 unless `"checkUTF8"` is 0.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Topic(Vec<u8>);

impl Topic {
    pub const LONGEST: usize = 1024;

    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, Invalid> {
        let bytes = bytes.into();
        if bytes.is_empty() || bytes.len() > Self::LONGEST {
            return Err(Invalid::length("topic", bytes.len(), format!("1 to {} bytes", Self::LONGEST)));
        }
        Ok(Self(bytes))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Topic {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Topic(\"{}\")", self.0.escape_ascii())
    }
}

/// The body of a will: 1 to 1024 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WillMessage(Vec<u8>);

impl WillMessage {
    pub const LONGEST: usize = 1024;

    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, Invalid> {
        let bytes = bytes.into();
        if bytes.is_empty() || bytes.len() > Self::LONGEST {
            let expected = format!("1 to {} bytes in a will", Self::LONGEST);
            return Err(Invalid::length("payload", bytes.len(), expected));
        }
        Ok(Self(bytes))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for WillMessage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "WillMessage({} bytes)", self.0.len())
    }
}

/// The body of a message to publish: at most what the module allows, and it may be empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

impl Payload {
    pub fn parse(bytes: impl Into<Vec<u8>>, limit: PayloadLimit) -> Result<Self, Invalid> {
        let bytes = bytes.into();
        if bytes.len() > limit.0 {
            let expected = format!("at most {} bytes, the limit of this module", limit.0);
            return Err(Invalid::length("payload", bytes.len(), expected));
        }
        Ok(Self(bytes))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Payload({} bytes)", self.0.len())
    }
}

/// The longest payload the module takes, from its own `AT+CMQTTPAYLOAD=?`: 4096 on this family, 10240 on siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PayloadLimit(usize);

impl PayloadLimit {
    /// The limit of a module that reports none: no module of these families takes more.
    pub const LONGEST: Self = Self(10_240);

    pub fn bytes(self) -> usize {
        self.0
    }
}

/// `AT+CMQTTPAYLOAD=?`: the limit of this module.
pub struct LongestPayload;

impl Query for LongestPayload {
    type Answer = PayloadLimit;

    fn command(&self) -> Command {
        command("AT+CMQTTPAYLOAD=?")
    }

    /// Reads `+CMQTTPAYLOAD: (0-1),(1-4096)`.
    fn answer(&self, lines: &Lines) -> Result<PayloadLimit, UnexpectedAnswer> {
        each(lines, "CMQTTPAYLOAD", |values| end_of_range(values.get(1)?.text()?))
            .find(|longest| *longest > 0)
            .map(PayloadLimit)
            .ok_or_else(|| UnexpectedAnswer::new(self, "+CMQTTPAYLOAD: (0-1),(1-<longest>)", lines))
    }
}

/// 4096 in `(1-4096)`.
fn end_of_range(text: &str) -> Option<usize> {
    let (_, end) = text.trim().strip_prefix('(')?.strip_suffix(')')?.split_once('-')?;
    end.trim().parse().ok()
}

/// A filter of arriving messages: 1 to 1024 bytes, with wildcards where MQTT allows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Vec<u8>);

impl Filter {
    const LONGEST: usize = 1024;

    pub fn parse(filter: impl Into<Vec<u8>>) -> Result<Self, Invalid> {
        let filter = filter.into();
        if filter.is_empty() || filter.len() > Self::LONGEST {
            return Err(Invalid::length("filter", filter.len(), format!("1 to {} bytes", Self::LONGEST)));
        }
        if !is_filter(&filter) {
            let expected = "a topic filter: + alone in its level, # alone in the last";
            return Err(Invalid::text("filter", &String::from_utf8_lossy(&filter), expected));
        }
        Ok(Self(filter))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> Result<PayloadLimit, UnexpectedAnswer> {
        LongestPayload.answer(&[text.as_bytes().to_vec()])
    }

    #[test]
    fn topics_are_1_to_1024_bytes_of_any_value() {
        assert_eq!(Topic::parse("t").unwrap().bytes(), b"t");
        assert!(Topic::parse(vec![0xFF; 1024]).is_ok());
        assert_eq!(Topic::parse("").unwrap_err().to_string(), "topic of 0 bytes: must be 1 to 1024 bytes");
        assert_eq!(
            Topic::parse(vec![b'x'; 1025]).unwrap_err().to_string(),
            "topic of 1025 bytes: must be 1 to 1024 bytes"
        );
    }

    #[test]
    fn will_messages_are_1_to_1024_bytes() {
        assert!(WillMessage::parse("x").is_ok());
        assert!(WillMessage::parse(vec![0; 1024]).is_ok());
        for length in [0, 1025] {
            assert_eq!(
                WillMessage::parse(vec![0; length]).unwrap_err().to_string(),
                format!("payload of {length} bytes: must be 1 to 1024 bytes in a will")
            );
        }
    }

    #[test]
    fn payloads_go_up_to_the_limit_of_the_module() {
        let this_family = limit("+CMQTTPAYLOAD: (0-1),(1-4096)").unwrap();
        assert!(Payload::parse("", this_family).unwrap().is_empty());
        assert!(Payload::parse(vec![0; 4096], this_family).is_ok());
        assert_eq!(
            Payload::parse(vec![0; 4097], this_family).unwrap_err().to_string(),
            "payload of 4097 bytes: must be at most 4096 bytes, the limit of this module"
        );
        let sibling = limit("+CMQTTPAYLOAD:(0-1), ( 1 - 10240 )").unwrap();
        assert!(Payload::parse(vec![0; 10_240], sibling).is_ok());
        assert!(Payload::parse(vec![0; 10_241], sibling).is_err());
    }

    #[test]
    fn answer_without_a_limit_is_unexpected() {
        for odd in ["", "+CMQTTPAYLOAD: (0-1)", "+CMQTTPAYLOAD: (0-1),(1-0)", "+CMQTTPAYLOAD: (0-1),(1-x)"] {
            let message = limit(odd).unwrap_err().to_string();
            assert!(message.contains("AT+CMQTTPAYLOAD=?"), "{message}");
        }
    }

    #[test]
    fn filter_has_wildcards_where_mqtt_allows_them() {
        for filter in ["a", "#", "+", "a/+/b/#", "$share/group/#", "/", "a//b"] {
            assert_eq!(Filter::parse(filter).unwrap().bytes(), filter.as_bytes());
        }
        for filter in ["a/#/b", "a+", "+a/b", "a#", "##", "#/"] {
            assert_eq!(
                Filter::parse(filter).unwrap_err().to_string(),
                format!(
                    "filter = {filter:?}: must be a topic filter: + alone in its level, # alone in the last"
                )
            );
        }
        assert_eq!(Filter::parse("").unwrap_err().to_string(), "filter of 0 bytes: must be 1 to 1024 bytes");
        assert!(Filter::parse([b'x'; 1025]).is_err());
    }
}
