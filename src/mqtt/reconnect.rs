//! Reconnecting: port, module, service, client, connection and subscriptions come back, then the queued requests go out.

use std::time::{Duration, Instant};

use super::back_off::{BackOff, ReconnectPolicy};
use super::client_state::ClientState;
use super::connect_plan::ConnectPlan;
use super::error::Error;
use super::module_state::ModuleState;
use super::one_shot::OneShot;
use super::output::Output;
use super::reconnecting_client::ReconnectingClient;
use super::session::{Call, PortState, Session, Shared};
use super::stale_clients::TEARDOWN;
use crate::at::{ClientIndex, Command};
use crate::channel::{LostBy, Transaction};
use crate::commands::{ClientId, client, connection};

/// More than a module takes to say that the service runs.
const STARTING: Duration = Duration::from_secs(60);

impl Session {
    /// From now on this client reconnects after every loss.
    pub(super) fn enable_reconnect(
        &self,
        index: ClientIndex,
        client_id: ClientId,
        plan: ConnectPlan,
        policy: ReconnectPolicy,
    ) {
        self.disable_reconnect(index);
        let session = self.clone();
        let task = self.spawn(async move { session.stay_connected(index).await });
        self.with(|shared| {
            // The connection can be lost between its result and here.
            let has_trouble = !shared.state.has_connection(index);
            shared.reconnects[index.slot()] = Some(ReconnectingClient {
                plan,
                client_id,
                policy,
                subscriptions: Vec::new(),
                lacks_subscriptions: false,
                loss: None,
                task,
                has_trouble,
                waiting: None,
            });
        });
        self.change_state(|state| state.set_reconnects(index, true));
    }

    /// The client does not reconnect any more. Returns whether it did.
    pub(super) fn disable_reconnect(&self, index: ClientIndex) -> bool {
        // A connection that is only suspected takes what waits for it, before anything that ends it.
        let is_suspect =
            self.state(|state| *state.client_state(index) == ClientState::Suspect { is_mute: false });
        if is_suspect && self.state(|state| state.reconnects(index) && state.has_connection(index)) {
            self.change_state(|state| state.set_state(index, ClientState::Connected));
            self.with(|shared| shared.flush_queue(index));
        }
        self.with(|shared| shared.end_reconnect(index))
    }

    async fn stay_connected(&self, index: ClientIndex) {
        let mut back_off = BackOff::default();
        loop {
            self.trouble(index).await;
            self.bring_back(index, &mut back_off).await;
        }
    }

    /// Waits until something may be wrong with the connection.
    async fn trouble(&self, index: ClientIndex) {
        loop {
            let reported = OneShot::default();
            let is_due = self.with(|shared| {
                let Some(reconnect) = &mut shared.reconnects[index.slot()] else { return false };
                reconnect.waiting = Some(reported.clone());
                std::mem::take(&mut reconnect.has_trouble)
            });
            if is_due {
                return;
            }
            // Nothing cancels this task: it is dropped with the reconnect.
            let _ = self.wait(reported, None).await;
        }
    }

    /// Tries until the client is back or the policy ends it. New trouble meanwhile is no reason to hurry.
    async fn bring_back(&self, index: ClientIndex, back_off: &mut BackOff) {
        let policy = self.with(|shared| shared.reconnects[index.slot()].as_ref().map(|known| known.policy));
        let Some(policy) = policy else { return };
        let began = self.now();
        let end = policy.give_up_after.map(|time| began + time);
        let mut delay = back_off.before_first(&policy, began);
        for attempt in 0.. {
            self.show_attempt(index, attempt, Some(self.now() + delay));
            let _ = self.sleep(delay).await;
            self.show_attempt(index, attempt, None);
            let former = self.state(|state| state.client_state(index).clone());
            let Err(error) = self.attempt(index, end).await else {
                back_off.succeeded(self.now());
                return;
            };
            if self.state(|state| *state.client_state(index) == ClientState::Connecting) {
                self.change_state(|state| state.set_state(index, former));
            }
            let left = end.map(|end| self.time_until(end));
            if left.is_some_and(|left| left.is_zero()) {
                self.output(Output::ReconnectEnded { client: index, error });
                self.with(|shared| shared.end_reconnect(index));
                return;
            }
            delay = back_off.before_next(&policy);
            delay = left.map_or(delay, |left| left.min(delay));
            self.output(Output::ReconnectFailed { client: index, error, delay });
        }
    }

    fn show_attempt(&self, index: ClientIndex, attempt: u32, retry_at: Option<Instant>) {
        let Some(reason) = self.state(|state| state.lost_by(index).cloned()) else { return };
        self.change_state(|state| {
            state.set_state(index, ClientState::Disconnected { reason, attempt, retry_at });
        });
    }

    /// One attempt at all of it. `end`: the policy waits no longer.
    async fn attempt(&self, index: ClientIndex, end: Option<Instant>) -> Result<(), Error> {
        let turn = self.turn(|shared: &mut Shared| &mut shared.preparation, None).await?;
        self.restore_service().await?;
        drop(turn);
        self.restore_client(index, end).await
    }

    async fn restore_service(&self) -> Result<(), Error> {
        self.open_port().await?;
        let was_known_to_run = self.state(ModuleState::started) == Some(true);
        if self.is_started().await? {
            return Ok(());
        }
        if !was_known_to_run {
            self.change_state(ModuleState::service_is_gone);
        }
        self.start_if_needed(self.now() + STARTING).await
    }

    /// Opens the port unless it is open, and finds the module behind it.
    ///
    /// # Errors
    ///
    /// [`Error::PortUnavailable`] if the port cannot be opened, [`Error::Mute`] if nothing answers.
    pub async fn open_port(&self) -> Result<(), Error> {
        let opened = OneShot::default();
        let is_open = self.with(|shared| {
            let wait = (shared.current_task(), opened.clone());
            match &mut shared.port {
                PortState::Open => return true,
                PortState::Opening(waiting) => waiting.push(wait),
                PortState::Lost => {
                    shared.port = PortState::Opening(vec![wait]);
                    shared.outputs.push_back(Output::OpenPort);
                }
            }
            false
        });
        if is_open {
            return Ok(());
        }
        self.wait(opened, None).await?.map_err(Error::PortUnavailable)?;
        self.find_module().await
    }

    /// Finds the module and switches its echo off.
    async fn find_module(&self) -> Result<(), Error> {
        match self.open_module().await {
            Ok(_) | Err(Error::Refused { .. }) => Ok(()),
            Err(Error::NoAnswer { .. }) => Err(self.with(|shared| Error::Mute {
                port: shared.settings.port.clone(),
                baudrate: shared.settings.baudrate,
            })),
            Err(error) => Err(error),
        }
    }

    async fn restore_client(&self, index: ClientIndex, end: Option<Instant>) -> Result<(), Error> {
        let Some((plan, client_id, lacks_subscriptions)) = self.with(|shared| {
            let reconnect = shared.reconnects[index.slot()].as_ref()?;
            Some((reconnect.plan.clone(), reconnect.client_id.clone(), reconnect.lacks_subscriptions))
        }) else {
            return Err(Error::Interrupted);
        };
        let acquired = self.ask(&client::AcquiredClients).await?;
        let found = acquired.into_iter().find(|found| found.client == index);
        let is_ours = found
            .as_ref()
            .is_some_and(|found| found.client_id == client_id.as_str() && found.tls == plan.server.tls());
        let was_connected = self.state(|state| state.has_connection(index));
        let says_connected = self.ask(&connection::ConnectedClients).await?.contains(&(index, true));
        // A loss that was reported while the module was asked is newer than its answer.
        let is_lost_since = was_connected && !self.state(|state| state.has_connection(index));
        let is_connected = says_connected && !is_lost_since;
        self.with(|shared| shared.trouble_is_over(index));
        if is_ours {
            let tls = plan.server.tls();
            self.change_state(|state| {
                state.restore_record(index, client_id.as_str(), tls);
                state.set_has_connection(index, is_connected);
            });
        }
        if is_ours && is_connected && (was_connected || self.is_same_connection(index, &plan).await?) {
            // An earlier attempt may have connected it, and have come no further.
            if lacks_subscriptions {
                self.restore_subscriptions(index).await?;
            }
            return self.come_back(index, lacks_subscriptions);
        }
        if !is_ours || is_connected {
            if found.is_some() {
                self.tear_down_for_reconnect(index).await?;
            }
            self.acquire_for(&plan, index, &client_id, self.now() + TEARDOWN).await?;
        }
        if let Some(tls) = &plan.tls {
            self.prepare_tls(tls, index, self.now() + plan.timeout).await?;
        }
        let connected_by = self.now() + plan.timeout;
        let connected_by = end.map_or(connected_by, |end| end.min(connected_by));
        self.with(|shared| {
            let loss = shared.state.lost_by(index).cloned();
            if let Some(reconnect) = &mut shared.reconnects[index.slot()] {
                reconnect.loss = loss;
            }
        });
        self.change_state(|state| state.set_state(index, ClientState::Connecting));
        // Before CONNECT is written: it may succeed after this attempt has failed.
        self.with(|shared| {
            if let Some(reconnect) = &mut shared.reconnects[index.slot()] {
                reconnect.lacks_subscriptions = true;
            }
        });
        self.establish(&plan, index, &client_id, connected_by).await?;
        self.with(|shared| shared.trouble_is_over(index));
        self.restore_subscriptions(index).await?;
        self.come_back(index, true)
    }

    /// Asks whether a connection that the module still has is the one of the plan. How an unknown
    /// TLS connection was verified is not known, so none is taken over.
    async fn is_same_connection(&self, index: ClientIndex, plan: &ConnectPlan) -> Result<bool, Error> {
        if plan.server.tls() {
            return Ok(false);
        }
        let connections = self.ask(&connection::Connections).await?;
        Ok(connections.iter().any(|found| {
            found.client == index
                && found.server_address == plan.server.wire()
                && found.keep_alive == Some(plan.keep_alive.number())
                && found.clean_session == Some(plan.clean_session)
        }))
    }

    /// The client is connected and subscribed: what waits goes out. `is_new`: the connection is not the one of before.
    fn come_back(&self, index: ClientIndex, is_new: bool) -> Result<(), Error> {
        if !self.state(|state| state.has_connection(index)) {
            // Lost again on the way; the loss is new trouble.
            let reason = self.state(|state| state.lost_by(index).cloned());
            let cause = reason.unwrap_or(LostBy::Network);
            return Err(Error::ConnectionLost { command: "AT+CMQTTCONNECT".to_owned(), cause });
        }
        let was_lost = is_new || self.state(|state| state.lost_by(index).is_some());
        self.change_state(|state| state.set_state(index, ClientState::Connected));
        if was_lost {
            self.output(Output::Reconnected(index));
        }
        self.with(|shared| shared.flush_queue(index));
        Ok(())
    }

    /// DISC and REL of a client that stands in the way.
    async fn tear_down_for_reconnect(&self, index: ClientIndex) -> Result<(), Error> {
        match self.run_for_reconnect(connection::disconnect(index, None)).await {
            Err(error) if !error.is_refusal() => Err(error),
            _ => self.run_for_reconnect(client::release(index)).await,
        }
    }

    async fn run_for_reconnect(&self, command: Command) -> Result<(), Error> {
        let time = self.usual_timeout(&command).max(TEARDOWN);
        self.execute(Transaction::single(command, time)).await.map(drop)
    }
}

impl Shared {
    /// Something may be wrong with the connection of a client that reconnects.
    pub(super) fn note_trouble(&mut self, index: ClientIndex) {
        let Some(reconnect) = &mut self.reconnects[index.slot()] else { return };
        reconnect.has_trouble = true;
        if let Some(waiting) = reconnect.waiting.take() {
            waiting.fill(());
            self.ready.push(reconnect.task);
        }
    }

    /// The module has just said that the connection stands: earlier signs of trouble are of no interest any more.
    fn trouble_is_over(&mut self, index: ClientIndex) {
        if let Some(reconnect) = &mut self.reconnects[index.slot()] {
            reconnect.has_trouble = false;
        }
    }

    /// The loss from which a client has not come back yet.
    pub(super) fn loss_of(&self, index: ClientIndex) -> Option<LostBy> {
        if *self.state.client_state(index) == ClientState::Connecting {
            return self.reconnects[index.slot()].as_ref()?.loss.clone();
        }
        self.state.lost_by(index).cloned()
    }

    fn end_reconnect(&mut self, index: ClientIndex) -> bool {
        let reason = self.loss_of(index);
        let Some(reconnect) = self.reconnects[index.slot()].take() else { return false };
        self.calls.push_back(Call::Drop(reconnect.task));
        for (id, failure) in self.queues[index.slot()].fail_waiting(reason.as_ref()) {
            self.calls.push_back(Call::Finish(id, Err(failure)));
        }
        self.state.set_reconnects(index, false);
        if *self.state.client_state(index) == ClientState::Connecting {
            let state = match self.state.client(index) {
                Some(record) if record.has_connection => ClientState::Connected,
                Some(_) => ClientState::Acquired,
                None => ClientState::Free,
            };
            self.state.set_state(index, state);
        }
        if let Some(cause) = reason {
            self.outputs.push_back(Output::MessagesEnded(index, cause));
        }
        self.publish_state();
        true
    }
}
