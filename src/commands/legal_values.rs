//! Arguments that are legal by construction: a value that the module does not take is an [`Invalid`].

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::at::ClientIndex;

/// An argument that the module does not take: names the argument, its value and the range. Nothing was written.
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
}

/// The characters that end the quotes or the command, or (backspace) remove the character before.
const FORBIDDEN: &[(char, &str)] = &[
    ('"', "a quote"),
    ('\r', "a carriage return"),
    ('\n', "a line feed"),
    ('\0', "a NUL"),
    ('\u{8}', "a backspace"),
];

/// Returns `text` if a command line can carry it between quotes.
pub(super) fn quotable<'t>(argument: &'static str, text: &'t str) -> Result<&'t str, Invalid> {
    match FORBIDDEN.iter().find(|(character, _)| text.contains(*character)) {
        None => Ok(text),
        Some((_, what)) => Err(Invalid::with(
            argument,
            what,
            "free of quotes, CR, LF, NUL and backspace, which end a parameter",
        )),
    }
}

/// Returns `text` if it has 1 to `most` bytes and a command line can carry it between quotes.
pub(super) fn sized<'t>(argument: &'static str, text: &'t str, most: usize) -> Result<&'t str, Invalid> {
    if text.is_empty() || text.len() > most {
        return Err(Invalid::length(argument, text.len(), format!("1 to {most} bytes")));
    }
    quotable(argument, text)
}

/// `index`, the `<client_index>` of every MQTT command: 0 or 1.
pub fn client_index(number: i64) -> Result<ClientIndex, Invalid> {
    u64::try_from(number)
        .ok()
        .and_then(ClientIndex::from_number)
        .ok_or_else(|| Invalid::value("index", number, "0 or 1"))
}

/// `<qos>`: the delivery guarantee of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QoS {
    AtMostOnce,
    AtLeastOnce,
    ExactlyOnce,
}

impl QoS {
    pub fn parse(number: i64) -> Result<Self, Invalid> {
        match number {
            0 => Ok(Self::AtMostOnce),
            1 => Ok(Self::AtLeastOnce),
            2 => Ok(Self::ExactlyOnce),
            _ => Err(Invalid::value("qos", number, "0, 1 or 2")),
        }
    }

    pub fn number(self) -> u8 {
        self as u8
    }
}

/// `"version"` of `AT+CMQTTCFG`: the module's own default is 3.1, which some brokers refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProtocolVersion {
    V3_1,
    V3_1_1,
}

impl ProtocolVersion {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "3.1" => Ok(Self::V3_1),
            "3.1.1" => Ok(Self::V3_1_1),
            _ => Err(Invalid::text("version", text, "\"3.1\" or \"3.1.1\"")),
        }
    }

    /// The protocol level, as CONNECT packets carry it.
    pub fn number(self) -> u8 {
        match self {
            Self::V3_1 => 3,
            Self::V3_1_1 => 4,
        }
    }
}

/// Declares a number with its legal range.
macro_rules! ranged {
    ($(#[$doc:meta])* $name:ident($type:ty), $argument:literal, $range:expr, $unit:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name($type);

        impl $name {
            pub const RANGE: std::ops::RangeInclusive<$type> = $range;

            pub fn parse(number: i64) -> Result<Self, $crate::commands::Invalid> {
                let legal = <$type>::try_from(number).ok().filter(|number| Self::RANGE.contains(number));
                legal.map(Self).ok_or_else(|| {
                    let (least, most) = (Self::RANGE.start(), Self::RANGE.end());
                    $crate::commands::Invalid::value($argument, number, format!("{least} to {most}{}", $unit))
                })
            }

            pub fn number(self) -> $type {
                self.0
            }
        }
    };
}

pub(super) use ranged;

ranged! {
    /// `<keepalive_time>` of `AT+CMQTTCONNECT`.
    KeepAlive(u16), "keepalive", 1..=64_800, " seconds"
}

ranged! {
    /// `"optimeout"` of `AT+CMQTTCFG`: how long sending or receiving may take the module.
    OperationTimeout(u8), "operation_timeout", 20..=120, " seconds"
}

ranged! {
    /// `<ssl_ctx_index>` of `AT+CSSLCFG` and `AT+CMQTTSSLCFG`.
    SslContextIndex(u8), "context", 0..=9, ""
}

ranged! {
    /// `<pub_timeout>` of `AT+CMQTTPUB`: how long the module waits for the broker's acknowledgement.
    PublishTimeout(u8), "timeout", 60..=180, " seconds"
}

impl OperationTimeout {
    /// The timeout of the module if none was set.
    pub const DEFAULT: Self = Self(120);
}

impl SslContextIndex {
    /// The context that the module uses if none was set.
    pub fn numbered_as(client: ClientIndex) -> Self {
        Self(client.number())
    }
}

impl PublishTimeout {
    /// The timeout nearest to a caller's wait: rounded up, within the range of the module.
    pub fn covering(wait: Duration) -> Self {
        Self(covering(wait, &Self::RANGE))
    }
}

/// `<timeout>` of `AT+CMQTTDISC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DisconnectTimeout(u8);

impl DisconnectTimeout {
    pub const RANGE: RangeInclusive<u8> = 60..=180;

    /// The timeout nearest to a caller's wait: rounded up, within the range of the module.
    pub fn covering(wait: Duration) -> Self {
        Self(covering(wait, &Self::RANGE))
    }

    pub fn number(self) -> u8 {
        self.0
    }
}

fn covering(wait: Duration, range: &RangeInclusive<u8>) -> u8 {
    let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    u8::try_from(seconds).unwrap_or(u8::MAX).clamp(*range.start(), *range.end())
}

/// Reads a caller's wait or delay in seconds.
///
/// # Errors
///
/// [`Invalid`] for a number that is not positive and finite.
pub fn seconds(argument: &'static str, seconds: f64) -> Result<Duration, Invalid> {
    // No clock reaches further than 30 years from now on every system.
    const LONGEST: f64 = 1e9;
    if !(seconds.is_finite() && seconds > 0.0) {
        return Err(Invalid::value(argument, seconds, "a positive, finite number of seconds"));
    }
    Ok(Duration::from_secs_f64(seconds.min(LONGEST)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message<T: std::fmt::Debug>(result: Result<T, Invalid>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn message_names_argument_value_and_range() {
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
    fn long_text_is_cut_between_characters() {
        let message = Invalid::text("url", &"é".repeat(1000), "short").to_string();
        assert_eq!(message, format!("url = \"{}\"…: must be short", "é".repeat(80)));
    }

    #[test]
    fn client_indices_are_0_and_1() {
        assert_eq!(client_index(0), Ok(ClientIndex::Zero));
        assert_eq!(client_index(1), Ok(ClientIndex::One));
        assert_eq!(message(client_index(2)), "index = 2: must be 0 or 1");
        assert_eq!(message(client_index(-1)), "index = -1: must be 0 or 1");
        assert_eq!(message(client_index(1 << 32)), "index = 4294967296: must be 0 or 1");
    }

    #[test]
    fn qos_is_0_1_or_2() {
        for number in 0..=2 {
            assert_eq!(i64::from(QoS::parse(number).unwrap().number()), number);
        }
        assert_eq!(message(QoS::parse(3)), "qos = 3: must be 0, 1 or 2");
        assert_eq!(message(QoS::parse(-1)), "qos = -1: must be 0, 1 or 2");
        assert_eq!(message(QoS::parse(256)), "qos = 256: must be 0, 1 or 2");
    }

    #[test]
    fn versions_are_named_as_in_the_standard() {
        assert_eq!(ProtocolVersion::parse("3.1").unwrap().number(), 3);
        assert_eq!(ProtocolVersion::parse("3.1.1").unwrap().number(), 4);
        assert_eq!(message(ProtocolVersion::parse("5")), "version = \"5\": must be \"3.1\" or \"3.1.1\"");
    }

    #[test]
    fn numbers_are_legal_up_to_both_ends_of_their_range() {
        assert_eq!(KeepAlive::parse(1).unwrap().number(), 1);
        assert_eq!(KeepAlive::parse(64_800).unwrap().number(), 64_800);
        assert_eq!(message(KeepAlive::parse(0)), "keepalive = 0: must be 1 to 64800 seconds");
        assert_eq!(message(KeepAlive::parse(64_801)), "keepalive = 64801: must be 1 to 64800 seconds");
        assert_eq!(message(KeepAlive::parse(65_537)), "keepalive = 65537: must be 1 to 64800 seconds");

        assert_eq!(OperationTimeout::parse(20).unwrap().number(), 20);
        assert_eq!(OperationTimeout::parse(120).unwrap().number(), 120);
        assert_eq!(message(OperationTimeout::parse(19)), "operation_timeout = 19: must be 20 to 120 seconds");
        assert_eq!(
            message(OperationTimeout::parse(121)),
            "operation_timeout = 121: must be 20 to 120 seconds"
        );

        assert_eq!(SslContextIndex::parse(0).unwrap().number(), 0);
        assert_eq!(SslContextIndex::parse(9).unwrap().number(), 9);
        assert_eq!(message(SslContextIndex::parse(10)), "context = 10: must be 0 to 9");
        assert_eq!(message(SslContextIndex::parse(-1)), "context = -1: must be 0 to 9");

        assert_eq!(PublishTimeout::parse(60).unwrap().number(), 60);
        assert_eq!(PublishTimeout::parse(180).unwrap().number(), 180);
        assert!(PublishTimeout::parse(59).is_err());
        assert!(PublishTimeout::parse(181).is_err());
    }

    #[test]
    fn timeout_is_the_next_whole_second_in_range() {
        for (wait, expected) in
            [(0.5, 60), (60.0, 60), (60.001, 61), (179.5, 180), (180.0, 180), (181.0, 180), (1e6, 180)]
        {
            let wait = Duration::from_secs_f64(wait);
            assert_eq!(PublishTimeout::covering(wait).number(), expected);
            assert_eq!(DisconnectTimeout::covering(wait).number(), expected);
        }
        assert_eq!(PublishTimeout::covering(Duration::MAX).number(), 180);
    }

    #[test]
    fn seconds_are_positive_and_finite() {
        assert_eq!(seconds("timeout", 0.25), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("timeout", f64::MAX), Ok(Duration::from_secs(1_000_000_000)));
        for wrong in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let message = message(seconds("timeout", wrong));
            assert_eq!(message, format!("timeout = {wrong}: must be a positive, finite number of seconds"));
        }
    }
}
