//! Connecting: service, client, configuration, TLS, will and connection, in one procedure.

use std::time::{Duration, Instant};

use super::back_off::ReconnectPolicy;
use super::client_state::ClientState;
use super::connect_plan::ConnectPlan;
use super::error::Error;
use super::output::Output;
use super::session::{Session, Shared};
use super::turn::Turn;
use super::unknown_settings::UnknownSettings;
use crate::at::ClientIndex;
use crate::channel::{Awaited, Transaction};
use crate::commands::client::{self, AcquiredClients};
use crate::commands::ssl_context::StoredFiles;
use crate::commands::{ClientId, Identity, TlsSettings, connection};

impl Session {
    /// START if needed, ACCQ, CFG, SSLCFG, WILL, CONNECT. A client that was acquired for it is released if it fails.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the module's or the broker's reason, [`Error::NoClientFree`], [`Error::NoAnswer`] if the
    /// plan's timeout is over, and the other failures of [`Session::execute`].
    pub async fn connect(
        self,
        plan: ConnectPlan,
        policy: Option<ReconnectPolicy>,
    ) -> Result<(ClientIndex, ClientId), Error> {
        let deadline = self.now() + plan.timeout;
        let preparing = self.begin_preparing(deadline).await?;
        self.start_if_needed(deadline).await?;
        let client = self.choose_client(&plan, deadline).await?;
        let client_id = match &plan.client_id {
            Some(client_id) => client_id.clone(),
            None => self.default_client_id(client, deadline).await?,
        };
        if let Some(tls) = &plan.tls {
            self.prepare_tls(tls, client, deadline).await?;
        }
        self.acquire_for(&plan, client, &client_id, deadline)
            .await
            .inspect_err(|error| self.drop_unheard_acquisition(client, error))?;
        drop(preparing);
        self.change_state(|state| state.set_state(client, ClientState::Connecting));
        if let Err(error) = self.establish(&plan, client, &client_id, deadline).await {
            // The caller gets the reason and no object, so the client is of no use.
            self.give_back(client, &error).await;
            return Err(error);
        }
        if let Some(policy) = policy {
            self.enable_reconnect(client, client_id.clone(), plan, policy);
            // Asked now: a publish that waits for the connection cannot ask. If this fails, the publish asks again.
            let _ = self.ask_payload_limit(self.now() + self.command_timeout()).await;
        }
        Ok((client, client_id))
    }

    /// Acquires the client of a plan, with the MQTT version if the firmware takes it there alone.
    pub(super) async fn acquire_for(
        &self,
        plan: &ConnectPlan,
        client: ClientIndex,
        client_id: &ClientId,
        deadline: Instant,
    ) -> Result<(), Error> {
        let tls = plan.server.tls();
        if self.with(|shared| shared.unknown_settings.version) {
            let acquire = client::acquire_with_version(client, client_id, tls, plan.version);
            match self.run_by(acquire, deadline).await {
                Err(error) if error.is_refusal() => self.output(Output::Warning(format!(
                    "client {client} connects with the firmware's own MQTT version: it takes none from AT+CMQTTCFG or AT+CMQTTACCQ"
                ))),
                acquired => return acquired.map(drop),
            }
        }
        self.run_by(client::acquire(client, client_id, tls), deadline).await.map(drop)
    }

    /// Configures and connects an acquired client. Settings that the firmware does not know are left out if the user did not
    /// ask for them.
    pub(super) async fn establish(
        &self,
        plan: &ConnectPlan,
        client: ClientIndex,
        client_id: &ClientId,
        deadline: Instant,
    ) -> Result<(), Error> {
        loop {
            let unknown = self.with(|shared| shared.unknown_settings);
            let commands = connection_commands(plan, client, unknown, self.time_until(deadline));
            let Err(error) = self.execute(commands).await else { return Ok(()) };
            let is_left_out = self.with(|shared| shared.unknown_settings.note(&error, plan));
            if !is_left_out {
                return Err(error);
            }
            if !unknown.version && self.with(|shared| shared.unknown_settings.version) {
                self.run_by(client::release(client), deadline).await?;
                self.acquire_for(plan, client, client_id, deadline).await?;
            }
        }
    }

    /// Waits while another procedure starts the service or chooses a client.
    async fn begin_preparing(&self, deadline: Instant) -> Result<Turn, Error> {
        use super::session::WaitEnd;
        let began = self.now();
        let turn = self.turn(|shared: &mut Shared| &mut shared.preparation, Some(deadline)).await;
        turn.map_err(|end| match end {
            WaitEnd::TimedOut => Error::NoAnswer {
                command: "AT+CMQTTCONNECT".to_owned(),
                awaited: Awaited::Channel,
                seconds: self.now().duration_since(began).as_secs_f64(),
            },
            WaitEnd::Cancelled => Error::Interrupted,
        })
    }

    /// Takes down an acquisition whose answer was not heard. A client that another object holds is refused, and stays.
    fn drop_unheard_acquisition(&self, client: ClientIndex, error: &Error) {
        if !error.is_refusal() && self.state(|state| state.client(client).is_none()) {
            self.take_down_later(client);
        }
    }

    /// Releases a client that did not get its connection.
    async fn give_back(&self, client: ClientIndex, error: &Error) {
        let may_be_connecting = !error.is_refusal();
        if may_be_connecting || self.run_soon(client::release(client)).await.is_err() {
            self.take_down_later(client);
        }
    }

    /// Chooses a free client. One that is acquired, but not by this object, is stale.
    async fn choose_client(&self, plan: &ConnectPlan, deadline: Instant) -> Result<ClientIndex, Error> {
        let acquired = self.ask_by(&AcquiredClients, deadline).await?;
        let is_free = |client: ClientIndex| !acquired.iter().any(|found| found.client == client);
        // The network may have taken one with the service. A client that reconnects stays taken meanwhile.
        let is_ours = |client: ClientIndex| {
            self.state(|state| {
                state.reconnects(client) || (state.client(client).is_some() && !is_free(client))
            })
        };
        let not_ours = || ClientIndex::ALL.into_iter().filter(|client| !is_ours(*client));
        let client =
            plan.client.or_else(|| not_ours().find(|client| is_free(*client))).or_else(|| not_ours().next());
        let Some(client) = client else {
            let holders = acquired.iter().map(|found| (found.client, found.client_id.clone())).collect();
            return Err(Error::NoClientFree { holders });
        };
        if !is_free(client) && !is_ours(client) {
            self.tear_down(client, deadline).await?;
        }
        Ok(client)
    }

    async fn default_client_id(&self, client: ClientIndex, deadline: Instant) -> Result<ClientId, Error> {
        let imei = self.ask_by(&Identity::Imei, deadline).await?;
        Ok(ClientId::of_module(&imei.value, client)?)
    }

    /// Uploads the files that the module lacks, and sets the SSL context. A file goes up once: its name is made from its
    /// content.
    pub(super) async fn prepare_tls(
        &self,
        tls: &TlsSettings,
        client: ClientIndex,
        deadline: Instant,
    ) -> Result<(), Error> {
        if tls.files().next().is_some() {
            let stored = self.ask_by(&StoredFiles, deadline).await?;
            for file in tls.files() {
                if let Some(upload) = file.upload(&stored)? {
                    self.run_by(upload, deadline).await?;
                }
            }
        }
        let commands = tls.configure(client);
        let usual = self.command_timeout() * u32::try_from(commands.len()).unwrap_or(u32::MAX);
        self.execute(Transaction::new(commands, usual.min(self.time_until(deadline)))).await.map(drop)
    }
}

/// CFG, SSLCFG, WILL and CONNECT of an acquired client.
pub(super) fn connection_commands(
    plan: &ConnectPlan,
    client: ClientIndex,
    unknown: UnknownSettings,
    timeout: Duration,
) -> Transaction {
    let settings = [
        (unknown.version, client::configure_version(client, plan.version)),
        (unknown.check_utf8, client::configure_utf8_check(client, plan.check_utf8)),
        (unknown.operation_timeout, client::configure_operation_timeout(client, plan.operation_timeout)),
    ];
    let known = settings.into_iter().filter(|(is_unknown, _)| !is_unknown);
    let mut commands: Vec<_> = known.map(|(_, command)| command).collect();
    // A failed CONNECT and DISC clear it, and the context that the module then takes may not verify.
    commands.extend(plan.tls.as_ref().map(|tls| client::use_ssl_context(client, tls.context(client))));
    commands.extend(plan.will.iter().flat_map(|will| will.enter(client)));
    commands.push(connection::connect(
        client,
        &plan.server,
        plan.keep_alive,
        plan.clean_session,
        plan.credentials.as_ref(),
    ));
    Transaction::new(commands, timeout).retrying_while_busy()
}
