//! Chapters 2.2.13 and 2.2.14: subscriptions.

use super::query::{Lines, Query, UnexpectedAnswer, command};
use super::{QoS, Topic};
use crate::at::{ClientIndex, Command};

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
