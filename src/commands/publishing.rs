//! Chapters 2.2.10 to 2.2.12: topic, payload and PUB.

use super::query::command;
use super::{Payload, PublishTimeout, QoS, Topic};
use crate::at::{ClientIndex, Command};

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

#[cfg(test)]
mod tests {
    use super::super::{LongestPayload, Query, query::tests::lines};
    use super::*;

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
}
