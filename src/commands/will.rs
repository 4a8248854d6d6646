//! Chapters 2.2.6 and 2.2.7: the will, entered before CONNECT.

use super::query::command;
use super::{QoS, Topic, WillMessage};
use crate::at::{ClientIndex, Command};

/// What the broker publishes if the connection breaks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Will {
    pub topic: Topic,
    pub message: WillMessage,
    pub qos: QoS,
}

impl Will {
    /// WILLTOPIC and WILLMSG, to run with nothing of that client in between.
    pub fn enter(&self, client: ClientIndex) -> Vec<Command> {
        vec![will_topic(client, &self.topic), will_message(client, &self.message, self.qos)]
    }
}

/// `AT+CMQTTWILLTOPIC=<client_index>,<req_length>` and the topic.
pub fn will_topic(client: ClientIndex, topic: &Topic) -> Command {
    command(format!("AT+CMQTTWILLTOPIC={client},{}", topic.bytes().len())).with_data(topic.bytes())
}

/// `AT+CMQTTWILLMSG=<client_index>,<req_length>,<qos>` and the message.
pub fn will_message(client: ClientIndex, message: &WillMessage, qos: QoS) -> Command {
    let length = message.bytes().len();
    command(format!("AT+CMQTTWILLMSG={client},{length},{}", qos.number())).with_data(message.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_in_the_note() {
        let topic = Topic::parse("dut/status").unwrap();
        let command = will_topic(ClientIndex::Zero, &topic);
        assert_eq!(command.line.bytes(), b"AT+CMQTTWILLTOPIC=0,10");
        assert_eq!(command.data.unwrap().bytes, b"dut/status");

        let message = WillMessage::parse("éteint").unwrap();
        let will = Will { topic, message: message.clone(), qos: QoS::AtMostOnce };
        let lines: Vec<_> = will.enter(ClientIndex::One).iter().map(|command| command.line.shown()).collect();
        assert_eq!(lines, ["AT+CMQTTWILLTOPIC=1,10", "AT+CMQTTWILLMSG=1,7,0"]);

        let command = will_message(ClientIndex::One, &message, QoS::AtLeastOnce);
        assert_eq!(command.line.bytes(), b"AT+CMQTTWILLMSG=1,7,1");
        assert_eq!(command.data.unwrap().bytes, "éteint".as_bytes());
    }
}
