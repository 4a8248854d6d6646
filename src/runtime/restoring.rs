//! The way back: port, module, service, client, connection, subscriptions, and what was to be sent meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connecting::{ConnectPlan, connect_by};
use super::error::Error;
use super::facts::Facts;
use super::keeper::ReconnectPolicy;
use super::keeping::ResendPolicy;
use super::left_over::TEARDOWN;
use super::mailbox::Request;
use super::modem::Modem;
use super::patience::{Endless, Patience};
use crate::at::{ClientIndex, Command};
use crate::channel::Transaction;
use crate::commands::{ClientId, QoS, Topic, Will, client, connection, subscribing};

/// More than a module takes to say that the service runs.
const STARTING: Duration = Duration::from_secs(60);
/// What a module says to SUB when asking again is of no use: `failed` (the broker's refusal), `bad UTF-8 string`,
/// `invalid parameter`, `not supported operation`, `length out of range`.
const REFUSED_FOR_GOOD: [u16; 5] = [1, 2, 12, 13, 22];

/// All that is needed to bring a client back to where it was.
#[derive(Clone, Debug)]
pub(super) struct KeptClient {
    plan: ConnectPlan,
    client_id: ClientId,
    policy: ReconnectPolicy,
    subscriptions: Vec<(Topic, QoS)>,
    /// The connection that stands, or that an attempt may have left behind, lacks some of them.
    is_unsubscribed: bool,
}

impl Modem {
    /// From now on this client is brought back whatever happens to it.
    pub fn keep(
        self: &Arc<Self>,
        index: ClientIndex,
        client_id: ClientId,
        plan: ConnectPlan,
        policy: ReconnectPolicy,
        patience: &dyn Patience,
    ) {
        // Asked now: a publish that has to wait for the connection cannot ask. If this fails too, it will.
        let _ = self.known_payload_limit(Instant::now() + self.command_timeout(), patience);
        let kept = KeptClient { plan, client_id, policy, subscriptions: Vec::new(), is_unsubscribed: false };
        self.kept().lock()[index.slot()] = Some(kept);
        self.start_keeper(index);
        self.hub().keeper(index).policy_changed();
        self.request(Request::Keep(index, ResendPolicy { resend_qos2: policy.resend_qos2 }));
    }

    /// The client is taken down on purpose. Whether it was kept.
    pub(super) fn forget(&self, index: ClientIndex) -> bool {
        self.stop_keeping(index, Request::Forget(index))
    }

    fn stop_keeping(&self, index: ClientIndex, request: Request) -> bool {
        let was_kept = self.kept().lock()[index.slot()].take().is_some();
        if was_kept {
            self.hub().keeper(index).policy_changed();
            self.request(request);
        }
        was_kept
    }

    /// The will of the next connection, the way back included.
    ///
    /// # Errors
    ///
    /// Whatever the module, the line or time says.
    pub fn set_will(&self, index: ClientIndex, will: Will, patience: &dyn Patience) -> Result<(), Error> {
        let entered = will.enter(index);
        let time = entered.iter().map(|command| self.usual_timeout(command)).sum();
        self.execute(Transaction::new(entered, time), patience)?;
        if let Some(kept) = &mut self.kept().lock()[index.slot()] {
            kept.plan.will = Some(will);
        }
        Ok(())
    }

    pub(super) fn give_up_reconnecting(&self, index: ClientIndex, error: &Error) {
        self.hub().gave_up_reconnecting(index, error);
        self.stop_keeping(index, Request::GiveUp(index));
    }

    pub(super) fn reconnect_policy(&self, index: ClientIndex) -> Option<ReconnectPolicy> {
        self.kept().lock()[index.slot()].as_ref().map(|kept| kept.policy)
    }

    /// Subscribes, and remembers it for the way back.
    ///
    /// # Errors
    ///
    /// Whatever the module, the broker, the line or time says.
    pub fn subscribe(
        &self,
        index: ClientIndex,
        topic: &Topic,
        qos: QoS,
        dup: bool,
        timeout: Duration,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        let subscribe = Transaction::new(vec![subscribing::subscribe(index, topic, qos, dup)], timeout);
        self.change_subscription(index, topic, Some(qos), subscribe, patience)
    }

    /// # Errors
    ///
    /// Whatever the module, the broker, the line or time says.
    pub fn unsubscribe(
        &self,
        index: ClientIndex,
        topic: &Topic,
        dup: bool,
        timeout: Duration,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        let unsubscribe = Transaction::new(vec![subscribing::unsubscribe(index, topic, dup)], timeout);
        self.change_subscription(index, topic, None, unsubscribe, patience)
    }

    /// Remembered before it is done: the connection may be lost, and be rebuilt, before the caller has heard of its success.
    fn change_subscription(
        &self,
        index: ClientIndex,
        topic: &Topic,
        qos: Option<QoS>,
        transaction: Transaction,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        let former = self.remember_subscription(index, topic, qos);
        let changed = self.execute_connected(transaction.retrying_while_busy(), patience);
        if changed.is_err() {
            self.remember_subscription(index, topic, former);
        }
        changed
    }

    /// What was remembered before.
    fn remember_subscription(&self, index: ClientIndex, topic: &Topic, qos: Option<QoS>) -> Option<QoS> {
        let mut kept = self.kept().lock();
        let subscriptions = &mut kept[index.slot()].as_mut()?.subscriptions;
        let known = subscriptions.iter().position(|(known, _)| known == topic);
        let former = known.map(|at| subscriptions.remove(at).1);
        subscriptions.extend(qos.map(|qos| (topic.clone(), qos)));
        former
    }

    /// One attempt at all of it.
    pub(super) fn restore(&self, index: ClientIndex, give_up_at: Option<Instant>) -> Result<(), Error> {
        self.restore_service()?;
        let kept = self.kept().lock()[index.slot()].clone();
        kept.map_or(Ok(()), |kept| self.restore_client(index, &kept, give_up_at))
    }

    /// One client's thread after the other: they share the port and the service.
    fn restore_service(&self) -> Result<(), Error> {
        let _turn = self.restoring_service().lock();
        if self.hub().is_port_lost() {
            self.attach_port_again()?;
        }
        let was_known_to_run = self.facts().started == Some(true);
        if self.is_started(&Endless)? {
            return Ok(());
        }
        if !was_known_to_run {
            self.hub().change_facts(Facts::service_is_gone);
        }
        self.start_if_needed(Instant::now() + STARTING, &Endless)
    }

    fn restore_client(
        &self,
        index: ClientIndex,
        kept: &KeptClient,
        give_up_at: Option<Instant>,
    ) -> Result<(), Error> {
        let losses = self.hub().keeper(index).losses();
        let acquired = self.ask(&client::AcquiredClients, &Endless)?;
        let found = acquired.into_iter().find(|found| found.client == index);
        let connected = self.ask(&connection::ConnectedClients, &Endless)?.contains(&(index, true));
        let is_ours = found.as_ref().is_some_and(|found| {
            found.client_id == kept.client_id.as_str() && found.tls == kept.plan.server.tls()
        });
        if is_ours && connected && self.may_be_taken_over(index, &kept.plan)? {
            self.remember_client(index, kept);
            // An attempt before this one connected it, and came no further.
            if kept.is_unsubscribed {
                self.restore_subscriptions(index)?;
            }
            let is_new = kept.is_unsubscribed;
            self.request(Request::ComeBack { client: index, found_after: Some(losses), is_new });
            return Ok(());
        }
        if is_ours && !connected {
            self.remember_client(index, kept);
        } else {
            if found.is_some() {
                self.tear_down_kept(index)?;
            }
            self.run_kept(index, client::acquire(index, &kept.client_id, kept.plan.server.tls()))?;
        }
        if let Some(tls) = &kept.plan.tls {
            self.prepare_tls(tls, index, Instant::now() + kept.plan.timeout, &Endless)?;
        }
        let end = Instant::now() + kept.plan.timeout;
        let end = give_up_at.map_or(end, |give_up_at| give_up_at.min(end));
        // Before it is written: it may succeed with nobody there to hear of it.
        self.note_unsubscribed(index, true);
        self.execute_kept(index, connect_by(&kept.plan, index, end))?;
        self.restore_subscriptions(index)?;
        self.request(Request::ComeBack { client: index, found_after: None, is_new: true });
        Ok(())
    }

    /// A connection that the module still has. What was verified when another one's TLS began is not known.
    fn may_be_taken_over(&self, index: ClientIndex, plan: &ConnectPlan) -> Result<bool, Error> {
        if self.facts().is_connected(index) {
            return Ok(true);
        }
        if plan.server.tls() {
            return Ok(false);
        }
        let connections = self.ask(&connection::Connections, &Endless)?;
        Ok(connections.iter().any(|found| {
            found.client == index
                && found.server_address == plan.server.wire()
                && found.keep_alive == Some(plan.keep_alive.number())
                && found.clean_session == Some(plan.clean_session)
        }))
    }

    /// The module still has the client; what was known of it may be forgotten.
    fn remember_client(&self, index: ClientIndex, kept: &KeptClient) {
        self.hub().change_facts(|facts| {
            facts.remember(index, kept.client_id.as_str(), kept.plan.server.tls());
        });
    }

    fn restore_subscriptions(&self, index: ClientIndex) -> Result<(), Error> {
        let Some(kept) = self.kept().lock()[index.slot()].clone() else { return Ok(()) };
        let time = Duration::from_secs(u64::from(kept.plan.operation_timeout.number()) + 5);
        for (topic, qos) in &kept.subscriptions {
            let subscribe = vec![subscribing::subscribe(index, topic, *qos, false)];
            match self.execute_kept(index, Transaction::new(subscribe, time).retrying_while_busy()) {
                // One that the broker does not allow any more is no reason to stay away.
                Err(error) if error.code().is_some_and(|code| REFUSED_FOR_GOOD.contains(&code)) => {
                    self.hub().not_subscribed_again(index, topic.bytes(), &error);
                }
                subscribed => subscribed?,
            }
        }
        self.note_unsubscribed(index, false);
        Ok(())
    }

    fn note_unsubscribed(&self, index: ClientIndex, is_unsubscribed: bool) {
        if let Some(kept) = &mut self.kept().lock()[index.slot()] {
            kept.is_unsubscribed = is_unsubscribed;
        }
    }

    /// DISC and REL of what stands in the way.
    fn tear_down_kept(&self, index: ClientIndex) -> Result<(), Error> {
        match self.run_kept(index, connection::disconnect(index, None)) {
            Err(error) if !error.is_refusal() => Err(error),
            _ => self.run_kept(index, client::release(index)),
        }
    }

    fn run_kept(&self, index: ClientIndex, command: Command) -> Result<(), Error> {
        let time = self.usual_timeout(&command).max(TEARDOWN);
        self.execute_kept(index, Transaction::single(command, time))
    }

    /// Submitted under the lock that `forget` takes: nothing connects a client again after it was taken down.
    fn execute_kept(&self, index: ClientIndex, transaction: Transaction) -> Result<(), Error> {
        let kept = self.kept().lock();
        if kept[index.slot()].is_none() {
            return Err(Error::Cancelled);
        }
        let ticket = self.submit(transaction)?;
        drop(kept);
        self.wait(&ticket, &Endless).map(drop)
    }
}
