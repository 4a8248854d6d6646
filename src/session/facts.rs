use crate::protocol::{ClientIndex, CommandLine, Form};

/// What the driver knows of the module's MQTT stack: from the commands that succeeded, whoever sent them, and from URCs.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `None`: not known yet.
    pub started: Option<bool>,
    clients: [Option<ClientFacts>; 2],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFacts {
    pub client_id: String,
    pub tls: bool,
    pub connected: bool,
}

impl Facts {
    pub fn client(&self, client: ClientIndex) -> Option<&ClientFacts> {
        self.clients[client.slot()].as_ref()
    }

    pub fn is_connected(&self, client: ClientIndex) -> bool {
        self.client(client).is_some_and(|facts| facts.connected)
    }

    /// A client found on the module, acquired by somebody before us.
    pub fn found(&mut self, client: ClientIndex, facts: ClientFacts) {
        self.clients[client.slot()] = Some(facts);
    }

    pub(super) fn succeeded(&mut self, line: &CommandLine) {
        if line.form() == Form::Read || line.form() == Form::Test {
            return;
        }
        match (line.name(), line.client()) {
            (b"CMQTTSTART", _) => self.started = Some(true),
            (b"CMQTTSTOP", _) => *self = Self { started: Some(false), ..Self::default() },
            (b"CMQTTACCQ", Some(client)) => self.clients[client.slot()] = acquired(line.bytes()),
            (b"CMQTTREL", Some(client)) => self.clients[client.slot()] = None,
            (b"CMQTTCONNECT", Some(client)) => self.set_connected(client, true),
            (b"CMQTTDISC", Some(client)) => self.set_connected(client, false),
            _ => {}
        }
    }

    pub(super) fn connection_lost(&mut self, client: ClientIndex) {
        self.set_connected(client, false);
    }

    pub(super) fn network_lost(&mut self) {
        self.started = Some(false);
        for client in ClientIndex::ALL {
            self.set_connected(client, false);
        }
    }

    pub(super) fn restarted(&mut self) {
        *self = Self { started: Some(false), ..Self::default() };
    }

    pub(super) fn port_lost(&mut self) {
        *self = Self::default();
    }

    fn set_connected(&mut self, client: ClientIndex, connected: bool) {
        if let Some(facts) = &mut self.clients[client.slot()] {
            facts.connected = connected;
        }
    }
}

/// From `AT+CMQTTACCQ=<client_index>,"<clientID>"[,<server_type>]`. A client id holds no quote.
fn acquired(line: &[u8]) -> Option<ClientFacts> {
    let mut parts = line.split(|byte| *byte == b'"');
    let client_id = String::from_utf8_lossy(parts.nth(1)?).into_owned();
    let tls = parts.next().is_some_and(|rest| rest.trim_ascii() == b",1");
    Some(ClientFacts { client_id, tls, connected: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Command;

    fn after(lines: &[&str]) -> Facts {
        let mut facts = Facts::default();
        for line in lines {
            facts.succeeded(&Command::new(*line).line);
        }
        facts
    }

    #[test]
    fn follows_the_life_of_a_client() {
        let facts = after(&["AT+CMQTTSTART", "AT+CMQTTACCQ=1,\"a,b\",1", "AT+CMQTTCONNECT=1,\"tcp://h:1\",60,1"]);
        let expected = ClientFacts { client_id: "a,b".to_owned(), tls: true, connected: true };
        assert_eq!(facts.client(ClientIndex::One), Some(&expected));
        assert_eq!(facts.started, Some(true));
        assert!(facts.client(ClientIndex::Zero).is_none());
    }

    #[test]
    fn stop_ends_everything() {
        let facts = after(&["AT+CMQTTSTART", "AT+CMQTTACCQ=0,\"a\"", "AT+CMQTTSTOP"]);
        assert_eq!(facts.started, Some(false));
        assert!(facts.client(ClientIndex::Zero).is_none());
    }

    #[test]
    fn read_forms_change_nothing() {
        assert_eq!(after(&["AT+CMQTTSTART?"]).started, None);
    }
}
