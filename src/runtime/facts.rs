use crate::at::{ClientIndex, CommandLine, CommandName};
use crate::commands::{OperationTimeout, SslContextIndex};

/// What the driver knows of the module's MQTT stack: from the commands that succeeded, whoever sent them, and from URCs.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// `None`: not known yet.
    pub started: Option<bool>,
    /// Started by this object, and so stopped by it.
    pub started_here: bool,
    clients: [Option<ClientFacts>; 2],
    /// Clients that a restart of the module took, until they are acquired again.
    gone_with_restart: [bool; 2],
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientFacts {
    pub client_id: String,
    pub tls: bool,
    pub connected: bool,
    /// Acquired by this object, and so released by it.
    pub acquired_here: bool,
    /// From `AT+CMQTTSSLCFG`. The module forgets it with each failed CONNECT and each DISC; this is what it should be.
    pub ssl_context: Option<SslContextIndex>,
    pub operation_timeout: OperationTimeout,
    /// The module may hold a part of a will that broke off.
    pub will_is_partial: bool,
}

impl ClientFacts {
    pub fn found(client_id: String, tls: bool, connected: bool) -> Self {
        let operation_timeout = OperationTimeout::DEFAULT;
        Self {
            client_id,
            tls,
            connected,
            acquired_here: false,
            ssl_context: None,
            operation_timeout,
            will_is_partial: false,
        }
    }
}

impl Facts {
    pub fn client(&self, client: ClientIndex) -> Option<&ClientFacts> {
        self.clients[client.slot()].as_ref()
    }

    pub fn is_gone_with_restart(&self, client: ClientIndex) -> bool {
        self.gone_with_restart[client.slot()]
    }

    /// The network took the service, and with it what the client was connected to.
    pub fn is_gone_with_network(&self, client: ClientIndex) -> bool {
        self.started == Some(false) && self.client(client).is_some_and(|facts| !facts.connected)
    }

    pub fn is_connected(&self, client: ClientIndex) -> bool {
        self.client(client).is_some_and(|facts| facts.connected)
    }

    /// A client found on the module, acquired by somebody before us.
    pub fn found(&mut self, client: ClientIndex, facts: ClientFacts) {
        self.clients[client.slot()] = Some(facts);
    }

    pub(super) fn succeeded(&mut self, line: &CommandLine) {
        if !line.kind().acts() {
            return;
        }
        match (line.kind().name, line.client()) {
            (CommandName::Start, _) => (self.started, self.started_here) = (Some(true), true),
            (CommandName::Stop, _) => *self = Self { started: Some(false), ..Self::default() },
            (CommandName::Acquire, Some(client)) => {
                self.gone_with_restart[client.slot()] = false;
                self.clients[client.slot()] = acquired(line);
            }
            (CommandName::Release, Some(client)) => self.clients[client.slot()] = None,
            (CommandName::Connect, Some(client)) => self.set_connected(client, true),
            (CommandName::Disconnect, Some(client)) => self.set_connected(client, false),
            (CommandName::WillMessage, Some(client)) => {
                self.change(client, |facts| facts.will_is_partial = false);
            }
            (CommandName::UseSslContext, Some(client)) => self.change(client, |facts| {
                facts.ssl_context = number_at(line, 1).and_then(|number| SslContextIndex::parse(number).ok());
            }),
            (CommandName::Configure, Some(client)) if names_operation_timeout(line) => {
                self.change(client, |facts| {
                    let timeout = number_at(line, 2).and_then(|number| OperationTimeout::parse(number).ok());
                    facts.operation_timeout = timeout.unwrap_or(facts.operation_timeout);
                });
            }
            _ => {}
        }
    }

    /// A data entry broke off.
    pub(super) fn half_entered(&mut self, line: &CommandLine) {
        if let (CommandName::WillTopic | CommandName::WillMessage, Some(client)) =
            (line.kind().name, line.client())
        {
            self.change(client, |facts| facts.will_is_partial = true);
        }
    }

    pub(super) fn connection_lost(&mut self, client: ClientIndex) {
        self.set_connected(client, false);
    }

    pub(super) fn network_lost(&mut self) {
        self.started = Some(false);
        self.started_here = false;
        for client in ClientIndex::ALL {
            self.set_connected(client, false);
        }
    }

    pub(super) fn restarted(&mut self) {
        let gone = [0, 1].map(|slot| self.gone_with_restart[slot] || self.clients[slot].is_some());
        *self = Self { started: Some(false), gone_with_restart: gone, ..Self::default() };
    }

    /// Its clients went with it.
    pub(super) fn service_is_gone(&mut self) {
        let gone_with_restart = self.gone_with_restart;
        *self = Self { started: Some(false), gone_with_restart, ..Self::default() };
    }

    /// A client of ours that the module has kept, though what is known of it may be forgotten.
    pub(super) fn remember(&mut self, client: ClientIndex, client_id: &str, tls: bool) {
        let facts =
            || ClientFacts { acquired_here: true, ..ClientFacts::found(client_id.to_owned(), tls, false) };
        self.clients[client.slot()].get_or_insert_with(facts);
    }

    /// Whoever finds it on the module may take it down.
    pub(super) fn disown(&mut self, client: ClientIndex) {
        self.clients[client.slot()] = None;
    }

    pub(super) fn is_back(&mut self, client: ClientIndex) {
        self.set_connected(client, true);
    }

    /// Whether the service outlives it shows when the port is back.
    pub(super) fn port_lost(&mut self) {
        *self = Self { started: self.started, started_here: self.started_here, ..Self::default() };
    }

    fn set_connected(&mut self, client: ClientIndex, connected: bool) {
        self.change(client, |facts| facts.connected = connected);
    }

    fn change(&mut self, client: ClientIndex, change: impl FnOnce(&mut ClientFacts)) {
        if let Some(facts) = &mut self.clients[client.slot()] {
            change(facts);
        }
    }
}

/// From `AT+CMQTTACCQ=<client_index>,"<clientID>"[,<server_type>]`.
fn acquired(line: &CommandLine) -> Option<ClientFacts> {
    let client_id = String::from_utf8_lossy(line.parameters().get(1)?.bytes()).into_owned();
    let tls = number_at(line, 2) == Some(1);
    Some(ClientFacts { acquired_here: true, ..ClientFacts::found(client_id, tls, false) })
}

fn number_at(line: &CommandLine, position: usize) -> Option<i64> {
    line.parameters().get(position)?.number()
}

/// `AT+CMQTTCFG="optimeout",<index>,<optimeout_val>`
fn names_operation_timeout(line: &CommandLine) -> bool {
    line.parameters().get(0).is_some_and(|name| name.bytes().eq_ignore_ascii_case(b"optimeout"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::Command;

    fn after(lines: &[&str]) -> Facts {
        let mut facts = Facts::default();
        for line in lines {
            facts.succeeded(&Command::new(*line).line);
        }
        facts
    }

    #[test]
    fn follows_the_life_of_a_client() {
        let facts =
            after(&["AT+CMQTTSTART", "AT+CMQTTACCQ=1,\"a,b\",1", "AT+CMQTTCONNECT=1,\"tcp://h:1\",60,1"]);
        let client = facts.client(ClientIndex::One).unwrap();
        assert_eq!((client.client_id.as_str(), client.tls, client.connected), ("a,b", true, true));
        assert_eq!(facts.started, Some(true));
        assert!(facts.client(ClientIndex::Zero).is_none());
    }

    #[test]
    fn remembers_what_the_module_forgets() {
        let facts = after(&["AT+CMQTTACCQ=0,\"a\"", "AT+CMQTTSSLCFG=0,3", "AT+CMQTTCFG=\"optimeout\",0,24"]);
        let client = facts.client(ClientIndex::Zero).unwrap();
        assert_eq!(client.ssl_context.map(SslContextIndex::number), Some(3));
        assert_eq!(client.operation_timeout.number(), 24);
    }

    #[test]
    fn a_will_that_broke_off_is_partial_until_it_is_entered_again() {
        let mut facts = after(&["AT+CMQTTACCQ=0,\"a\""]);
        let is_partial = |facts: &Facts| facts.client(ClientIndex::Zero).unwrap().will_is_partial;
        facts.half_entered(&Command::new("AT+CMQTTWILLTOPIC=0,5").line);
        assert!(is_partial(&facts));
        facts.succeeded(&Command::new("AT+CMQTTWILLTOPIC=0,5").line);
        assert!(is_partial(&facts), "its message is missing");
        facts.succeeded(&Command::new("AT+CMQTTWILLMSG=0,5,0").line);
        assert!(!is_partial(&facts));
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
