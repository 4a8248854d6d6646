//! The main job in one call: service, client, configuration, TLS, will and connection.

use std::time::{Duration, Instant};

use super::error::Error;
use super::mailbox::Request;
use super::modem::Modem;
use super::patience::Patience;
use crate::at::{ClientIndex, Command, ResultCode};
use crate::channel::Transaction;
use crate::commands::certificate::StoredFiles;
use crate::commands::client::{self, AcquiredClient, AcquiredClients};
use crate::commands::{
    ClientId, Credentials, Identity, KeepAlive, OperationTimeout, ProtocolVersion, Query, ServerAddress,
    TlsSettings, Will, client_configuration, connection, service,
};

/// All that a connection is made from, found legal beforehand.
#[derive(Clone, Debug)]
pub struct ConnectPlan {
    pub server: ServerAddress,
    /// `None`: the module's IMEI and the client index.
    pub client_id: Option<ClientId>,
    /// `None`: the first that is free.
    pub client: Option<ClientIndex>,
    pub credentials: Option<Credentials>,
    pub keep_alive: KeepAlive,
    pub clean_session: bool,
    pub will: Option<Will>,
    /// Given exactly if the server address asks for it.
    pub tls: Option<TlsSettings>,
    pub version: ProtocolVersion,
    pub check_utf8: bool,
    pub operation_timeout: OperationTimeout,
    pub timeout: Duration,
}

impl Modem {
    /// START if needed, ACCQ, CFG, SSLCFG, WILL, CONNECT. What was acquired for it is released again if it fails.
    ///
    /// # Errors
    ///
    /// Whatever the module, the broker, the line or time says.
    pub fn connect(
        &self,
        plan: &ConnectPlan,
        patience: &dyn Patience,
    ) -> Result<(ClientIndex, ClientId), Error> {
        let deadline = Instant::now() + plan.timeout;
        let preparing = self.begin_preparing(deadline, patience)?;
        self.start_if_needed(deadline, patience)?;
        let client = self.make_room(plan, deadline, patience)?;
        let client_id = match &plan.client_id {
            Some(client_id) => client_id.clone(),
            None => self.default_client_id(client, deadline, patience)?,
        };
        if let Some(tls) = &plan.tls {
            self.prepare_tls(tls, client, deadline, patience)?;
        }
        self.run_by(client::acquire(client, &client_id, plan.server.tls()), deadline, patience)
            .inspect_err(|error| self.take_down_unheard(client, error))?;
        drop(preparing);
        let connected = self.execute(connect_by(plan, client, deadline), patience);
        if let Err(error) = connected {
            // The client is of no use to the caller, who gets the reason and no object.
            self.give_back(client, &error, patience);
            return Err(error);
        }
        Ok((client, client_id))
    }

    /// An acquisition that nobody waited for to the end. One that another object holds is refused, and stays.
    fn take_down_unheard(&self, client: ClientIndex, error: &Error) {
        if !error.is_refusal() && self.facts().client(client).is_none() {
            self.take_down_later(client);
        }
    }

    /// Releases a client that did not get its connection.
    fn give_back(&self, client: ClientIndex, error: &Error, patience: &dyn Patience) {
        let may_be_connecting = !error.is_refusal();
        if may_be_connecting || self.run_soon(client::release(client), patience).is_err() {
            self.take_down_later(client);
        }
    }

    /// The service may run already: ours, or left over from an earlier process.
    pub(super) fn start_if_needed(&self, deadline: Instant, patience: &dyn Patience) -> Result<(), Error> {
        /// 12 s documented, and two for the line.
        const START: Duration = Duration::from_secs(14);
        if self.facts().started == Some(true) && self.is_started_by(deadline, patience)? {
            return Ok(());
        }
        let left = deadline.saturating_duration_since(Instant::now());
        self.start(START.min(left), patience)
    }

    /// Whether the service runs. One that is gone without a word went with a restart.
    ///
    /// # Errors
    ///
    /// The line or time says so.
    pub fn is_started(&self, patience: &dyn Patience) -> Result<bool, Error> {
        self.is_started_by(Instant::now() + self.usual_timeout(&service::query_started()), patience)
    }

    fn is_started_by(&self, deadline: Instant, patience: &dyn Patience) -> Result<bool, Error> {
        let started = match self.run_by(service::query_started(), deadline, patience) {
            Ok(_) => true,
            Err(Error::Refused { .. }) => false,
            Err(error) => return Err(error),
        };
        if !started && self.facts().started == Some(true) {
            self.request(Request::Restarted);
        }
        self.hub().change_facts(|facts| facts.started = Some(started));
        Ok(started)
    }

    /// A free client: one that is acquired, but not by us, was left over by somebody who is gone.
    fn make_room(
        &self,
        plan: &ConnectPlan,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Result<ClientIndex, Error> {
        let acquired = self.ask_by(&AcquiredClients, deadline, patience)?;
        let facts = self.facts();
        let is_free = |client: ClientIndex| !acquired.iter().any(|found| found.client == client);
        // The network may have taken one with the service. One that is brought back stays taken meanwhile.
        let is_ours = |client: ClientIndex| {
            self.reconnect_policy(client).is_some() || (facts.client(client).is_some() && !is_free(client))
        };
        let not_ours = || ClientIndex::ALL.into_iter().filter(|client| !is_ours(*client));
        let client = plan
            .client
            .or_else(|| not_ours().find(|client| is_free(*client)))
            .or_else(|| not_ours().next())
            .ok_or_else(|| no_client_left(&acquired))?;
        if !is_free(client) && !is_ours(client) {
            self.tear_down(client, deadline, patience)?;
        }
        Ok(client)
    }

    fn default_client_id(
        &self,
        client: ClientIndex,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Result<ClientId, Error> {
        let imei = self.ask_by(&Identity::Imei, deadline, patience)?;
        Ok(ClientId::of_module(&imei.value, client)?)
    }

    /// Uploads what is missing, and sets the context up. A file goes up once: its name is made from its content.
    pub(super) fn prepare_tls(
        &self,
        tls: &TlsSettings,
        client: ClientIndex,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        if tls.files().next().is_some() {
            let stored = self.ask_by(&StoredFiles, deadline, patience)?;
            for file in tls.files() {
                if let Some(upload) = file.upload(&stored)? {
                    self.run_by(upload, deadline, patience)?;
                }
            }
        }
        let configure = tls.configure(client);
        let usual = self.command_timeout() * u32::try_from(configure.len()).unwrap_or(u32::MAX);
        let left = deadline.saturating_duration_since(Instant::now());
        self.execute(Transaction::new(configure, usual.min(left)), patience).map(drop)
    }

    /// Runs one command within the time that a module takes at most for it.
    ///
    /// # Errors
    ///
    /// Whatever the module, the line or time says.
    pub fn run_soon(&self, command: Command, patience: &dyn Patience) -> Result<Vec<Vec<u8>>, Error> {
        let timeout = self.usual_timeout(&command);
        self.run(command, timeout, patience)
    }

    /// As [`Modem::run_soon`], but no longer than the caller waits.
    pub(super) fn run_by(
        &self,
        command: Command,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = self.usual_timeout(&command).min(left);
        self.run(command, timeout, patience)
    }

    /// As [`Modem::ask`], but no longer than the caller waits.
    pub(super) fn ask_by<Q: Query>(
        &self,
        query: &Q,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Result<Q::Answer, Error> {
        Ok(query.answer(&self.run_by(query.command(), deadline, patience)?)?)
    }
}

/// CFG, SSLCFG, WILL and CONNECT of an acquired client.
pub(super) fn connect_by(plan: &ConnectPlan, client: ClientIndex, deadline: Instant) -> Transaction {
    let mut commands = vec![
        client_configuration::configure_version(client, plan.version),
        client_configuration::configure_utf8_check(client, plan.check_utf8),
        client_configuration::configure_operation_timeout(client, plan.operation_timeout),
    ];
    // A failed CONNECT and DISC clear it, and the context the module then takes may not verify.
    commands.extend(plan.tls.as_ref().map(|tls| client::use_ssl_context(client, tls.context(client))));
    commands.extend(plan.will.iter().flat_map(|will| will.enter(client)));
    let credentials = plan.credentials.as_ref();
    commands.push(connection::connect(
        client,
        &plan.server,
        plan.keep_alive,
        plan.clean_session,
        credentials,
    ));
    let left = deadline.saturating_duration_since(Instant::now());
    Transaction::new(commands, left).retrying_while_busy()
}

fn no_client_left(acquired: &[AcquiredClient]) -> Error {
    let held: Vec<_> =
        acquired.iter().map(|found| format!("client {} is {:?}", found.client, found.client_id)).collect();
    Error::Refused {
        command: "AT+CMQTTACCQ".to_owned(),
        response: format!("ERROR, since both clients of the module are in use ({})", held.join(", ")),
        code: Some(ResultCode::CLIENT_IS_USED.number()),
        client: None,
    }
}
