use super::client_state::ClientState;
use crate::at::{ClientIndex, CommandLine, CommandName};
use crate::channel::{Event, LostBy};
use crate::commands::{OperationTimeout, SslContextIndex};

/// The driver's knowledge of the module's MQTT stack: from the commands that succeeded, whichever caller sent them, and from
/// URCs.
#[derive(Clone, Debug, Default)]
pub struct ModuleState {
    /// True if the service runs; `None`: not known yet.
    started: Option<bool>,
    /// This object started the service, and so stops it.
    started_here: bool,
    clients: [Client; 2],
}

#[derive(Clone, Debug, Default)]
struct Client {
    state: ClientState,
    record: Option<ClientSnapshot>,
    reconnects: bool,
}

/// The module's settings of an acquired client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSnapshot {
    pub client_id: String,
    pub tls: bool,
    /// The module has a connection. While a client reconnects, that is so before the client's state is `Connected`.
    pub has_connection: bool,
    /// Acquired by this object, and so released by it.
    pub acquired_here: bool,
    /// From `AT+CMQTTSSLCFG`. The module clears it with each failed CONNECT and each DISC; the driver sets it again.
    pub ssl_context: Option<SslContextIndex>,
    pub operation_timeout: OperationTimeout,
    /// The module may hold a part of a will whose entry broke off.
    pub will_is_partial: bool,
}

impl ClientSnapshot {
    /// A client found on the module.
    pub fn found(client_id: String, tls: bool, has_connection: bool) -> Self {
        Self {
            client_id,
            tls,
            has_connection,
            acquired_here: false,
            ssl_context: None,
            operation_timeout: OperationTimeout::DEFAULT,
            will_is_partial: false,
        }
    }
}

impl ModuleState {
    pub fn started(&self) -> Option<bool> {
        self.started
    }

    pub fn started_here(&self) -> bool {
        self.started_here
    }

    pub fn client(&self, client: ClientIndex) -> Option<&ClientSnapshot> {
        self.clients[client.slot()].record.as_ref()
    }

    pub fn client_state(&self, client: ClientIndex) -> &ClientState {
        &self.clients[client.slot()].state
    }

    pub fn is_connected(&self, client: ClientIndex) -> bool {
        self.client_state(client).is_connected()
    }

    pub fn has_connection(&self, client: ClientIndex) -> bool {
        self.client(client).is_some_and(|record| record.has_connection)
    }

    pub fn reconnects(&self, client: ClientIndex) -> bool {
        self.clients[client.slot()].reconnects
    }

    /// A restart of the module took the client, which was not acquired again since.
    pub fn is_gone_with_restart(&self, client: ClientIndex) -> bool {
        self.client(client).is_none() && self.lost_by(client) == Some(&LostBy::Restart)
    }

    /// The network took the service, and with it the client's connection.
    pub fn is_gone_with_network(&self, client: ClientIndex) -> bool {
        self.started == Some(false) && self.client(client).is_some_and(|record| !record.has_connection)
    }

    /// The reason of the loss, if the client is disconnected by one.
    pub fn lost_by(&self, client: ClientIndex) -> Option<&LostBy> {
        match self.client_state(client) {
            ClientState::Disconnected { reason, .. } => Some(reason),
            _ => None,
        }
    }

    pub(super) fn set_state(&mut self, client: ClientIndex, state: ClientState) {
        self.clients[client.slot()].state = state;
    }

    pub(super) fn set_reconnects(&mut self, client: ClientIndex, reconnects: bool) {
        self.clients[client.slot()].reconnects = reconnects;
    }

    pub(super) fn set_started(&mut self, started: bool) {
        self.started = Some(started);
    }

    /// A client that another process acquired was found on the module.
    pub(super) fn found(&mut self, client: ClientIndex, record: ClientSnapshot) {
        let state = if record.has_connection { ClientState::Connected } else { ClientState::Acquired };
        let known = &mut self.clients[client.slot()];
        known.record = Some(record);
        if !known.reconnects {
            known.state = state;
        }
    }

    /// The module still has a client of this object, though the driver may have dropped its record.
    pub(super) fn restore_record(&mut self, client: ClientIndex, client_id: &str, tls: bool) {
        let record = || ClientSnapshot {
            acquired_here: true,
            ..ClientSnapshot::found(client_id.to_owned(), tls, false)
        };
        self.clients[client.slot()].record.get_or_insert_with(record);
    }

    /// The client belongs to no object any more, and may be taken down by whatever finds it on the module.
    pub(super) fn disown(&mut self, client: ClientIndex) {
        let known = &mut self.clients[client.slot()];
        known.record = None;
        if !known.reconnects {
            known.state = ClientState::Free;
        }
    }

    /// The service does not run, and its clients went with it.
    pub(super) fn service_is_gone(&mut self) {
        (self.started, self.started_here) = (Some(false), false);
        for client in ClientIndex::ALL {
            let was_lost = self.lost_by(client).is_some();
            let known = &mut self.clients[client.slot()];
            known.record = None;
            if !known.reconnects && !was_lost {
                known.state = ClientState::Free;
            }
        }
    }

    pub(super) fn set_has_connection(&mut self, client: ClientIndex, has_connection: bool) {
        if let Some(record) = &mut self.clients[client.slot()].record {
            record.has_connection = has_connection;
        }
    }

    /// The client's connection is lost, as the answer to a command says.
    pub(super) fn lost(&mut self, client: ClientIndex, reason: LostBy) {
        self.set_has_connection(client, false);
        let known = &mut self.clients[client.slot()];
        if known.record.is_some() || known.reconnects {
            known.state = ClientState::Disconnected { reason, attempt: 0, retry_at: None };
        }
    }

    /// Takes note of an event of the AT channel. Returns whether it concerns the state.
    pub(super) fn observe(&mut self, event: &Event) -> bool {
        match event {
            Event::CommandSucceeded(line) => return self.succeeded(line),
            Event::DataEntryAborted(line) => self.half_entered(line),
            Event::ConnectionLost { client, cause } => self.lost(*client, LostBy::Connection(*cause)),
            Event::NetworkLost => {
                (self.started, self.started_here) = (Some(false), false);
                for client in ClientIndex::ALL {
                    if self.has_connection(client) || self.reconnects(client) {
                        self.lost(client, LostBy::Network);
                    }
                }
            }
            Event::Restarted => {
                (self.started, self.started_here) = (Some(false), false);
                self.all_gone(&LostBy::Restart);
            }
            // The service may outlive it: that shows when the port is back.
            Event::PortLost(reason) => self.all_gone(&LostBy::Port(reason.clone())),
            Event::Mute => {
                for known in self.clients.iter_mut().filter(|known| known.state.is_connected()) {
                    known.state = ClientState::Suspect { is_mute: true };
                }
            }
            _ => return false,
        }
        true
    }

    fn all_gone(&mut self, reason: &LostBy) {
        for client in ClientIndex::ALL {
            self.lost(client, reason.clone());
            self.clients[client.slot()].record = None;
        }
    }

    fn succeeded(&mut self, line: &CommandLine) -> bool {
        if !line.kind().acts() {
            return false;
        }
        match (line.kind().name, line.client()) {
            (CommandName::Start, _) => (self.started, self.started_here) = (Some(true), true),
            (CommandName::Stop, _) => {
                self.service_is_gone();
                for client in ClientIndex::ALL {
                    self.enter(client, ClientState::Free);
                }
            }
            (CommandName::Acquire, Some(client)) => {
                self.clients[client.slot()].record = acquired(line);
                self.enter(client, ClientState::Acquired);
            }
            (CommandName::Release, Some(client)) => {
                self.clients[client.slot()].record = None;
                self.enter(client, ClientState::Free);
            }
            (CommandName::Connect, Some(client)) => {
                self.set_has_connection(client, true);
                self.enter(client, ClientState::Connected);
            }
            (CommandName::Disconnect, Some(client)) => {
                self.set_has_connection(client, false);
                self.enter(client, ClientState::Acquired);
            }
            (CommandName::WillMessage, Some(client)) => {
                self.change(client, |record| record.will_is_partial = false);
            }
            (CommandName::UseSslContext, Some(client)) => self.change(client, |record| {
                record.ssl_context =
                    number_at(line, 1).and_then(|number| SslContextIndex::parse(number).ok());
            }),
            (CommandName::Configure, Some(client)) if names_operation_timeout(line) => {
                self.change(client, |record| {
                    let timeout = number_at(line, 2).and_then(|number| OperationTimeout::parse(number).ok());
                    record.operation_timeout = timeout.unwrap_or(record.operation_timeout);
                });
            }
            _ => return false,
        }
        true
    }

    fn half_entered(&mut self, line: &CommandLine) {
        if let (CommandName::WillTopic | CommandName::WillMessage, Some(client)) =
            (line.kind().name, line.client())
        {
            self.change(client, |record| record.will_is_partial = true);
        }
    }

    /// The steps of a reconnect do not show in the client's state: its procedure sets that when all of them are done.
    fn enter(&mut self, client: ClientIndex, state: ClientState) {
        let known = &mut self.clients[client.slot()];
        if !known.reconnects {
            known.state = state;
        }
    }

    fn change(&mut self, client: ClientIndex, change: impl FnOnce(&mut ClientSnapshot)) {
        if let Some(record) = &mut self.clients[client.slot()].record {
            change(record);
        }
    }
}

/// From `AT+CMQTTACCQ=<client_index>,"<clientID>"[,<server_type>]`.
fn acquired(line: &CommandLine) -> Option<ClientSnapshot> {
    let client_id = String::from_utf8_lossy(line.parameters().get(1)?.bytes()).into_owned();
    let tls = number_at(line, 2) == Some(1);
    Some(ClientSnapshot { acquired_here: true, ..ClientSnapshot::found(client_id, tls, false) })
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

    fn after(lines: &[&str]) -> ModuleState {
        let mut state = ModuleState::default();
        for line in lines {
            state.observe(&Event::CommandSucceeded(Command::new(*line).line));
        }
        state
    }

    #[test]
    fn a_client_is_connected_after_acquire_and_connect() {
        let state =
            after(&["AT+CMQTTSTART", "AT+CMQTTACCQ=1,\"a,b\",1", "AT+CMQTTCONNECT=1,\"tcp://h:1\",60,1"]);
        let client = state.client(ClientIndex::One).unwrap();
        assert_eq!((client.client_id.as_str(), client.tls, client.has_connection), ("a,b", true, true));
        assert_eq!(state.started(), Some(true));
        assert!(state.client(ClientIndex::Zero).is_none());
    }

    #[test]
    fn settings_that_the_module_clears_are_kept() {
        let state = after(&["AT+CMQTTACCQ=0,\"a\"", "AT+CMQTTSSLCFG=0,3", "AT+CMQTTCFG=\"optimeout\",0,24"]);
        let client = state.client(ClientIndex::Zero).unwrap();
        assert_eq!(client.ssl_context.map(SslContextIndex::number), Some(3));
        assert_eq!(client.operation_timeout.number(), 24);
    }

    #[test]
    fn a_will_whose_entry_broke_off_is_partial_until_it_is_entered_again() {
        let mut state = after(&["AT+CMQTTACCQ=0,\"a\""]);
        let is_partial = |state: &ModuleState| state.client(ClientIndex::Zero).unwrap().will_is_partial;
        state.observe(&Event::DataEntryAborted(Command::new("AT+CMQTTWILLTOPIC=0,5").line));
        assert!(is_partial(&state));
        state.observe(&Event::CommandSucceeded(Command::new("AT+CMQTTWILLTOPIC=0,5").line));
        assert!(is_partial(&state), "its message is missing");
        state.observe(&Event::CommandSucceeded(Command::new("AT+CMQTTWILLMSG=0,5,0").line));
        assert!(!is_partial(&state));
    }

    #[test]
    fn stop_frees_all_clients() {
        let state = after(&["AT+CMQTTSTART", "AT+CMQTTACCQ=0,\"a\"", "AT+CMQTTSTOP"]);
        assert_eq!(state.started(), Some(false));
        assert!(state.client(ClientIndex::Zero).is_none());
    }

    #[test]
    fn read_forms_change_nothing() {
        assert_eq!(after(&["AT+CMQTTSTART?"]).started(), None);
    }
}
