//! The kind of an AT command: its name, its form and its client, known from the moment the command is built.

use super::client_index::ClientIndex;

/// Everything the driver has to know about a command to read its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommandKind {
    pub name: CommandName,
    pub form: Form,
    /// The client that an MQTT command in its write form is for.
    pub client: Option<ClientIndex>,
}

/// The four forms of an AT command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    Execute,
    Write,
    Read,
    Test,
}

/// The commands that the driver tells apart. The note's names stand in [`CommandName::text`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandName {
    Start,
    Stop,
    Acquire,
    Release,
    UseSslContext,
    WillTopic,
    WillMessage,
    Connect,
    Disconnect,
    Topic,
    Payload,
    Publish,
    Subscribe,
    Unsubscribe,
    Configure,
    /// Any other `AT+CMQTT…`.
    OtherMqtt,
    UploadCertificate,
    /// A basic command such as `AT`, `ATE0` or `AT&F`: it has no name behind a plus sign.
    Basic,
    /// Any other `AT+…`.
    Other,
}

/// A command whose result the network owes after `OK`, as `+CMQTT…: <result>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Start,
    Stop,
    Connect,
    Disconnect,
    Publish,
    Subscribe,
    Unsubscribe,
}

impl CommandKind {
    /// The operation that the command begins; only its execute and write forms do.
    pub fn operation(self) -> Option<Operation> {
        if self.acts() { self.name.operation() } else { None }
    }

    /// The write and execute forms change something on the module; the others ask.
    pub fn acts(self) -> bool {
        matches!(self.form, Form::Execute | Form::Write)
    }

    /// `AT+CMQTTSUB?` answers with the topics of both clients as bare lines, which may look like anything.
    pub fn lists_topics(self) -> bool {
        self.form == Form::Read && self.name == CommandName::Subscribe
    }

    /// The operation whose result could be taken for an answer of this read form. The lines of `AT+CMQTTCONNECT?` hold a
    /// server address, or the client alone, and so look like no result.
    pub(crate) fn resembled_operation(self) -> Option<Operation> {
        let operation = if self.form == Form::Read { self.name.operation() } else { None };
        operation.filter(|operation| *operation != Operation::Connect)
    }

    /// The command carries a message or a topic filter to the broker, so it needs a connection.
    pub fn needs_connection(self) -> bool {
        let operation = self.operation();
        matches!(operation, Some(Operation::Publish | Operation::Subscribe | Operation::Unsubscribe))
    }
}

impl CommandName {
    /// The name behind `AT+`, for the commands that have one of their own.
    pub fn text(self) -> Option<&'static str> {
        Some(match self {
            Self::Start => "CMQTTSTART",
            Self::Stop => "CMQTTSTOP",
            Self::Acquire => "CMQTTACCQ",
            Self::Release => "CMQTTREL",
            Self::UseSslContext => "CMQTTSSLCFG",
            Self::WillTopic => "CMQTTWILLTOPIC",
            Self::WillMessage => "CMQTTWILLMSG",
            Self::Connect => "CMQTTCONNECT",
            Self::Disconnect => "CMQTTDISC",
            Self::Topic => "CMQTTTOPIC",
            Self::Payload => "CMQTTPAYLOAD",
            Self::Publish => "CMQTTPUB",
            Self::Subscribe => "CMQTTSUB",
            Self::Unsubscribe => "CMQTTUNSUB",
            Self::Configure => "CMQTTCFG",
            Self::UploadCertificate => "CCERTDOWN",
            Self::OtherMqtt | Self::Basic | Self::Other => return None,
        })
    }

    pub fn is_mqtt(self) -> bool {
        !matches!(self, Self::UploadCertificate | Self::Basic | Self::Other)
    }

    /// `name` is what stands behind `AT+`, in capitals or not.
    pub(crate) fn parse(name: &[u8]) -> Self {
        const MQTT: &[u8] = b"CMQTT";
        let Some(rest) = name.get(MQTT.len()..).filter(|_| name[..MQTT.len()].eq_ignore_ascii_case(MQTT))
        else {
            return match name {
                b"" => Self::Basic,
                _ if name.eq_ignore_ascii_case(b"CCERTDOWN") => Self::UploadCertificate,
                _ => Self::Other,
            };
        };
        let all = [
            (&b"TOPIC"[..], Self::Topic),
            (b"PAYLOAD", Self::Payload),
            (b"PUB", Self::Publish),
            (b"SUB", Self::Subscribe),
            (b"UNSUB", Self::Unsubscribe),
            (b"START", Self::Start),
            (b"STOP", Self::Stop),
            (b"ACCQ", Self::Acquire),
            (b"REL", Self::Release),
            (b"SSLCFG", Self::UseSslContext),
            (b"WILLTOPIC", Self::WillTopic),
            (b"WILLMSG", Self::WillMessage),
            (b"CONNECT", Self::Connect),
            (b"DISC", Self::Disconnect),
            (b"CFG", Self::Configure),
        ];
        let known = all.into_iter().find(|(text, _)| rest.eq_ignore_ascii_case(text));
        known.map_or(Self::OtherMqtt, |(_, name)| name)
    }

    pub(crate) fn operation(self) -> Option<Operation> {
        Some(match self {
            Self::Start => Operation::Start,
            Self::Stop => Operation::Stop,
            Self::Connect => Operation::Connect,
            Self::Disconnect => Operation::Disconnect,
            Self::Publish => Operation::Publish,
            Self::Subscribe => Operation::Subscribe,
            Self::Unsubscribe => Operation::Unsubscribe,
            _ => return None,
        })
    }
}

impl Operation {
    /// Some firmware answers a rejected CONNECT with `ERROR` first and the result code after it.
    pub(crate) fn result_may_follow_error(self) -> bool {
        self == Self::Connect
    }

    /// Some firmware gives the result of these before `OK`.
    pub(crate) fn result_may_precede_ok(self) -> bool {
        matches!(self, Self::Start | Self::Stop | Self::Disconnect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_parsed_from_its_own_text() {
        use CommandName::{
            Acquire, Configure, Connect, Disconnect, Payload, Publish, Release, Start, Stop, Subscribe,
            Topic, Unsubscribe, UploadCertificate, UseSslContext, WillMessage, WillTopic,
        };
        for name in [
            Start,
            Stop,
            Acquire,
            Release,
            UseSslContext,
            WillTopic,
            WillMessage,
            Connect,
            Disconnect,
            Topic,
            Payload,
            Publish,
            Subscribe,
            Unsubscribe,
            Configure,
            UploadCertificate,
        ] {
            let text = name.text().unwrap();
            assert_eq!(CommandName::parse(text.as_bytes()), name);
            assert_eq!(CommandName::parse(text.to_ascii_lowercase().as_bytes()), name);
            assert_eq!(name.is_mqtt(), text.starts_with("CMQTT"));
        }
        assert_eq!(CommandName::parse(b"CMQTTSUBTOPIC"), CommandName::OtherMqtt);
        assert_eq!(CommandName::parse(b"CSQ"), CommandName::Other);
        assert_eq!(CommandName::parse(b""), CommandName::Basic);
    }
}
