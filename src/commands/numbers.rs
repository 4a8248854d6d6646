//! Numeric parameters, legal by construction.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Invalid;
use crate::at::ClientIndex;

/// `index`, the `<client_index>` of every MQTT command: 0 or 1.
pub fn client_index(number: i64) -> Result<ClientIndex, Invalid> {
    u64::try_from(number)
        .ok()
        .and_then(ClientIndex::from_number)
        .ok_or_else(|| Invalid::value("index", number, "0 or 1"))
}

/// `<qos>`: how surely a message is delivered.
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

            pub fn parse(number: i64) -> Result<Self, crate::commands::Invalid> {
                let legal = <$type>::try_from(number).ok().filter(|number| Self::RANGE.contains(number));
                legal.map(Self).ok_or_else(|| {
                    let (least, most) = (Self::RANGE.start(), Self::RANGE.end());
                    crate::commands::Invalid::value($argument, number, format!("{least} to {most}{}", $unit))
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
    /// What the module takes where none was set.
    pub const DEFAULT: Self = Self(120);
}

impl SslContextIndex {
    /// What the module takes where none was set.
    pub fn numbered_as(client: ClientIndex) -> Self {
        Self(client.number())
    }
}

impl PublishTimeout {
    /// What covers a caller's wait best: rounded up, within the module's range.
    pub fn covering(wait: Duration) -> Self {
        Self(covering(wait, &Self::RANGE))
    }
}

/// `<timeout>` of `AT+CMQTTDISC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DisconnectTimeout(u8);

impl DisconnectTimeout {
    pub const RANGE: RangeInclusive<u8> = 60..=180;

    pub fn parse(number: i64) -> Result<Self, Invalid> {
        let legal = u8::try_from(number).ok().filter(|number| *number == 0 || Self::RANGE.contains(number));
        legal.map(Self).ok_or_else(|| Invalid::value("timeout", number, "0, or 60 to 180 seconds"))
    }

    /// What covers a caller's wait best: rounded up, within the module's range.
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

/// A caller's wait or delay in seconds: positive and finite.
pub fn seconds(argument: &'static str, seconds: f64) -> Result<Duration, Invalid> {
    // No clock reaches further than this from now on every system, and nobody waits 30 years.
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
    fn ranges_hold_at_both_edges() {
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
    fn disconnecting_takes_0_too() {
        for legal in [0, 60, 180] {
            assert_eq!(i64::from(DisconnectTimeout::parse(legal).unwrap().number()), legal);
        }
        for wrong in [-1, 1, 59, 181, 256] {
            assert_eq!(
                message(DisconnectTimeout::parse(wrong)),
                format!("timeout = {wrong}: must be 0, or 60 to 180 seconds")
            );
        }
    }

    #[test]
    fn waits_are_covered_by_the_next_whole_second_in_range() {
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
