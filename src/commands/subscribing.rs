//! Chapters 2.2.13 and 2.2.14: subscriptions.

use super::limits::command;
use super::{QoS, Topic};
use crate::at::{ClientIndex, Command};
use crate::commands::information::Lines;

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

/// `AT+CMQTTSUB?`: both clients, it names no index.
pub fn query_subscribed() -> Command {
    command("AT+CMQTTSUB?")
}

/// The topics behind the header `+CMQTTSUB:`, as they stand: a topic may look like anything.
pub fn subscribed_topics(lines: &Lines) -> Vec<Vec<u8>> {
    let header = lines.iter().position(|line| !line.is_empty()).filter(|first| {
        let line = lines[*first].trim_ascii();
        line.eq_ignore_ascii_case(b"+CMQTTSUB:")
    });
    let topics = header.map_or(lines, |header| &lines[header + 1..]);
    topics.iter().filter(|line| !line.is_empty()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::super::information::tests::lines;
    use super::*;

    fn text(command: &Command) -> &str {
        std::str::from_utf8(command.line.bytes()).unwrap()
    }

    #[test]
    fn each_optional_argument() {
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
    fn topics_are_taken_as_they_stand() {
        assert_eq!(
            subscribed_topics(&lines("+CMQTTSUB: \nsimcommsg\nOK\n spaced ")),
            [&b"simcommsg"[..], b"OK", b" spaced "]
        );
        assert_eq!(subscribed_topics(&lines("+CMQTTSUB:\n+CMQTTSUB:")), [b"+CMQTTSUB:"]);
        assert_eq!(subscribed_topics(&lines("\n+CMQTTSUB:\n\na")), [b"a"]);
        assert!(subscribed_topics(&lines("+CMQTTSUB:")).is_empty());
        assert!(subscribed_topics(&[]).is_empty());
    }
}
