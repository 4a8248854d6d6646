//! The `<err>` of MQTT commands: chapter 4.1 of the application note.

use std::fmt;

/// A result code as the module sent it. A firmware may send a number that the note does not list, so any number is
/// kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResultCode(u16);

macro_rules! result_codes {
    ($($name:ident = $number:literal, $meaning:literal;)*) => {
        impl ResultCode {
            $(pub const $name: Self = Self($number);)*

            /// All codes that the note lists, in their order.
            pub const LISTED: &'static [Self] = &[$(Self::$name),*];

            /// The meaning in the note's words. `None` for a number that the note does not list.
            pub fn meaning(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($meaning),)*
                    _ => None,
                }
            }
        }
    };
}

result_codes! {
    SUCCEEDED = 0, "operation succeeded";
    FAILED = 1, "failed";
    BAD_UTF8_STRING = 2, "bad UTF-8 string";
    SOCK_CONNECT_FAIL = 3, "sock connect fail";
    SOCK_CREATE_FAIL = 4, "sock create fail";
    SOCK_CLOSE_FAIL = 5, "sock close fail";
    MESSAGE_RECEIVE_FAIL = 6, "message receive fail";
    NETWORK_OPEN_FAIL = 7, "network open fail";
    NETWORK_CLOSE_FAIL = 8, "network close fail";
    NETWORK_NOT_OPENED = 9, "network not opened";
    CLIENT_INDEX_ERROR = 10, "client index error";
    NO_CONNECTION = 11, "no connection";
    INVALID_PARAMETER = 12, "invalid parameter";
    NOT_SUPPORTED_OPERATION = 13, "not supported operation";
    CLIENT_IS_BUSY = 14, "client is busy";
    REQUIRE_CONNECTION_FAIL = 15, "require connection fail";
    SOCK_SENDING_FAIL = 16, "sock sending fail";
    TIMEOUT = 17, "timeout";
    TOPIC_IS_EMPTY = 18, "topic is empty";
    CLIENT_IS_USED = 19, "client is used";
    CLIENT_NOT_ACQUIRED = 20, "client not acquired";
    CLIENT_NOT_RELEASED = 21, "client not released";
    LENGTH_OUT_OF_RANGE = 22, "length out of range";
    NETWORK_IS_OPENED = 23, "network is opened";
    PACKET_FAIL = 24, "packet fail";
    DNS_ERROR = 25, "DNS error";
    SOCKET_CLOSED_BY_SERVER = 26, "socket is closed by server";
    REFUSED_PROTOCOL_VERSION = 27, "connection refused: unaccepted protocol version";
    REFUSED_IDENTIFIER_REJECTED = 28, "connection refused: identifier rejected";
    REFUSED_SERVER_UNAVAILABLE = 29, "connection refused: server unavailable";
    REFUSED_BAD_USER_NAME_OR_PASSWORD = 30, "connection refused: bad user name or password";
    REFUSED_NOT_AUTHORIZED = 31, "connection refused: not authorized";
    HANDSHAKE_FAIL = 32, "handshake fail";
    CERTIFICATE_NOT_SET = 33, "not set certificate";
    OPEN_SESSION_FAILED = 34, "Open session failed";
    DISCONNECT_FAILED = 35, "Disconnect from server failed";
}

impl ResultCode {
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    pub fn number(self) -> u16 {
        self.0
    }

    pub fn is_success(self) -> bool {
        self == Self::SUCCEEDED
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_36_codes_are_listed_by_their_number() {
        let numbers: Vec<u16> = ResultCode::LISTED.iter().map(|code| code.number()).collect();
        assert_eq!(numbers, (0..=35).collect::<Vec<_>>());
        assert_eq!(ResultCode::new(99).meaning(), None);
    }

    /// Python's `ResultCode` has the same numbers and meanings.
    #[test]
    fn python_enum_agrees() {
        let python = include_str!("../../python/simcom_mqtt/codes.py");
        for code in ResultCode::LISTED {
            let member = format!(" = {code}, \"{}\"", code.meaning().unwrap());
            assert!(python.contains(&member), "{member}");
        }
    }
}
