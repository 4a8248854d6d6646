//! Chapters 2.2.10 to 2.2.14: topics, payloads and filters, publishing and subscribing.

use super::query::{Lines, Query, UnexpectedAnswer, command, each};
use super::{Invalid, PublishTimeout, QoS};
use crate::at::{ClientIndex, Command};
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

/// The flags of `AT+CMQTTPUB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublishFlags {
    pub retain: bool,
    pub dup: bool,
}

/// `AT+CMQTTTOPIC=<client_index>,<req_length>` and the topic; PUB clears it.
pub fn topic(client: ClientIndex, topic: &Topic) -> Command {
    command(format!("AT+CMQTTTOPIC={client},{}", topic.bytes().len())).with_data(topic.bytes())
}

/// `AT+CMQTTPAYLOAD=<client_index>,<req_length>` and the payload; PUB clears it. `None` for an empty payload, which the
/// module does not take: PUB without this command sends one.
pub fn payload(client: ClientIndex, payload: &Payload) -> Option<Command> {
    let bytes = payload.bytes();
    let command = || command(format!("AT+CMQTTPAYLOAD={client},{}", bytes.len())).with_data(bytes);
    (!bytes.is_empty()).then(command)
}

/// `AT+CMQTTPUB=<client_index>,<qos>,<pub_timeout>[,<retained>[,<dup>]]`
pub fn publish(client: ClientIndex, qos: QoS, timeout: PublishTimeout, flags: PublishFlags) -> Command {
    let flags = match (flags.retain, flags.dup) {
        (false, false) => "",
        (true, false) => ",1",
        (false, true) => ",0,1",
        (true, true) => ",1,1",
    };
    command(format!("AT+CMQTTPUB={client},{},{}{flags}", qos.number(), timeout.number()))
}

/// A whole message: TOPIC, PAYLOAD and PUB; no other command of the client may run between them.
pub fn publish_message(
    client: ClientIndex,
    message_topic: &Topic,
    message_payload: &Payload,
    qos: QoS,
    timeout: PublishTimeout,
    flags: PublishFlags,
) -> Vec<Command> {
    let mut commands = vec![topic(client, message_topic)];
    commands.extend(payload(client, message_payload));
    commands.push(publish(client, qos, timeout, flags));
    commands
}

/// `AT+CMQTTSUB=<client_index>,<reqLength>,<qos>[,<dup>]` and the topic.
pub fn subscribe(client: ClientIndex, topic: &Topic, qos: QoS, dup: bool) -> Command {
    let (length, qos, dup) = (topic.bytes().len(), qos.number(), if dup { ",1" } else { "" });
    command(format!("AT+CMQTTSUB={client},{length},{qos}{dup}")).with_data(topic.bytes())
}

/// `AT+CMQTTUNSUB=<client_index>,<reqLength>,<dup>` and the topic.
pub fn unsubscribe(client: ClientIndex, topic: &Topic, dup: bool) -> Command {
    let (length, dup) = (topic.bytes().len(), u8::from(dup));
    command(format!("AT+CMQTTUNSUB={client},{length},{dup}")).with_data(topic.bytes())
}

/// `AT+CMQTTSUB?`: the topic filters of both clients, which the module does not tell apart.
pub struct SubscribedTopics;

impl Query for SubscribedTopics {
    type Answer = Vec<Vec<u8>>;

    fn command(&self) -> Command {
        command("AT+CMQTTSUB?")
    }

    /// Reads the lines behind the header `+CMQTTSUB:` unchanged: a topic may look like anything.
    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        let mut lines = lines.iter().filter(|line| !line.is_empty()).peekable();
        lines.next_if(|line| line.trim_ascii().eq_ignore_ascii_case(b"+CMQTTSUB:"));
        Ok(lines.cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::tests::lines;
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

    fn some_payload(bytes: &[u8]) -> Payload {
        let limit = LongestPayload.answer(&lines("+CMQTTPAYLOAD: (0-1),(1-4096)")).unwrap();
        Payload::parse(bytes, limit).unwrap()
    }

    #[test]
    fn publish_has_each_optional_argument() {
        let bytes = |retain, dup| {
            let timeout = PublishTimeout::parse(60).unwrap();
            let command = publish(ClientIndex::Zero, QoS::AtLeastOnce, timeout, PublishFlags { retain, dup });
            String::from_utf8(command.line.bytes().to_vec()).unwrap()
        };
        assert_eq!(bytes(false, false), "AT+CMQTTPUB=0,1,60");
        assert_eq!(bytes(true, false), "AT+CMQTTPUB=0,1,60,1");
        assert_eq!(bytes(false, true), "AT+CMQTTPUB=0,1,60,0,1");
        assert_eq!(bytes(true, true), "AT+CMQTTPUB=0,1,60,1,1");
    }

    #[test]
    fn message_is_topic_payload_and_pub() {
        let topic = Topic::parse("simcommsg").unwrap();
        let timeout = PublishTimeout::parse(180).unwrap();
        let commands = |payload: &[u8]| {
            let payload = some_payload(payload);
            publish_message(
                ClientIndex::One,
                &topic,
                &payload,
                QoS::ExactlyOnce,
                timeout,
                PublishFlags::default(),
            )
        };
        let full = commands(b"\r\nOK\r\n\x1a");
        assert_eq!(full.len(), 3);
        assert_eq!(full[0].line.bytes(), b"AT+CMQTTTOPIC=1,9");
        assert_eq!(full[0].data.as_ref().unwrap().bytes, b"simcommsg");
        assert_eq!(full[1].line.bytes(), b"AT+CMQTTPAYLOAD=1,7");
        assert_eq!(full[1].data.as_ref().unwrap().bytes, b"\r\nOK\r\n\x1a");
        assert_eq!(full[2].line.bytes(), b"AT+CMQTTPUB=1,2,180");
        assert!(full[2].data.is_none());

        let empty = commands(b"");
        assert_eq!(empty.len(), 2);
        assert_eq!(empty[1].line.bytes(), b"AT+CMQTTPUB=1,2,180");
    }

    fn text(command: &Command) -> &str {
        std::str::from_utf8(command.line.bytes()).unwrap()
    }

    #[test]
    fn subscribe_and_unsubscribe_have_each_optional_argument() {
        let topic = Topic::parse("simcommsg").unwrap();
        let command = subscribe(ClientIndex::Zero, &topic, QoS::AtLeastOnce, false);
        assert_eq!(text(&command), "AT+CMQTTSUB=0,9,1");
        assert_eq!(command.data.unwrap().bytes, b"simcommsg");
        let command = subscribe(ClientIndex::One, &topic, QoS::AtMostOnce, true);
        assert_eq!(text(&command), "AT+CMQTTSUB=1,9,0,1");

        let command = unsubscribe(ClientIndex::Zero, &topic, false);
        assert_eq!(text(&command), "AT+CMQTTUNSUB=0,9,0");
        assert_eq!(command.data.unwrap().bytes, b"simcommsg");
        assert_eq!(text(&unsubscribe(ClientIndex::Zero, &topic, true)), "AT+CMQTTUNSUB=0,9,1");
    }

    #[test]
    fn topics_are_taken_unchanged() {
        let topics = |text: &str| SubscribedTopics.answer(&lines(text)).unwrap();
        assert_eq!(topics("+CMQTTSUB: \nsimcommsg\nOK\n spaced "), [&b"simcommsg"[..], b"OK", b" spaced "]);
        assert_eq!(topics("+CMQTTSUB:\n+CMQTTSUB:"), [b"+CMQTTSUB:"]);
        assert_eq!(topics("\n+CMQTTSUB:\n\na"), [b"a"]);
        assert!(topics("+CMQTTSUB:").is_empty());
        assert!(topics("").is_empty());
    }
}
