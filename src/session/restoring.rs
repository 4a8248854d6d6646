//! The way back: port, module, service, client, connection, subscriptions, and what was to be sent meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connecting::ConnectPlan;
use super::error::Error;
use super::facts::{ClientFacts, Facts};
use super::keeper::{ReconnectPolicy, Trouble};
use super::keeping::ResendPolicy;
use super::mailbox::Request;
use super::modem::Modem;
use super::notice::Notice;
use super::patience::{Endless, Patience};
use crate::commands::{ClientId, QoS, Topic, client, connection, subscribing};
use crate::protocol::{ClientIndex, Transaction};

/// All that is needed to bring a client back to where it was.
#[derive(Clone, Debug)]
pub(super) struct KeptClient {
    plan: ConnectPlan,
    client_id: ClientId,
    policy: ReconnectPolicy,
    subscriptions: Vec<(Topic, QoS)>,
}

impl Modem {
    /// From now on this client is brought back whatever happens to it.
    pub fn keep(
        self: &Arc<Self>,
        index: ClientIndex,
        client_id: ClientId,
        plan: ConnectPlan,
        policy: ReconnectPolicy,
    ) {
        let kept = KeptClient { plan, client_id, policy, subscriptions: Vec::new() };
        self.kept().lock()[index.slot()] = Some(kept);
        self.request(Request::Keep(index, ResendPolicy { resend_qos2: policy.resend_qos2 }));
        self.start_keeper();
        if !self.facts().is_connected(index) {
            // Lost between its connection and here.
            self.hub().keeper().notify(Trouble::Connection);
        }
    }

    /// The client is taken down on purpose.
    pub fn forget(&self, index: ClientIndex) {
        if self.kept().lock()[index.slot()].take().is_some() {
            self.request(Request::Forget(index));
        }
    }

    /// Subscribes, and remembers it for the way back.
    pub fn subscribe(
        &self,
        index: ClientIndex,
        topic: &Topic,
        qos: QoS,
        dup: bool,
        timeout: Duration,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        let subscribe = vec![subscribing::subscribe(index, topic, qos, dup)];
        self.execute(Transaction::new(subscribe, timeout).retrying_while_busy(), patience)?;
        self.change_subscriptions(index, |subscriptions| {
            subscriptions.retain(|(known, _)| known != topic);
            subscriptions.push((topic.clone(), qos));
        });
        Ok(())
    }

    pub fn unsubscribe(
        &self,
        index: ClientIndex,
        topic: &Topic,
        dup: bool,
        timeout: Duration,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        let unsubscribe = vec![subscribing::unsubscribe(index, topic, dup)];
        self.execute(Transaction::new(unsubscribe, timeout).retrying_while_busy(), patience)?;
        self.change_subscriptions(index, |subscriptions| subscriptions.retain(|(known, _)| known != topic));
        Ok(())
    }

    fn change_subscriptions(&self, index: ClientIndex, change: impl FnOnce(&mut Vec<(Topic, QoS)>)) {
        if let Some(kept) = &mut self.kept().lock()[index.slot()] {
            change(&mut kept.subscriptions);
        }
    }

    /// With several clients, the policy of the first decides when, and gives up last.
    pub(super) fn most_patient_policy(&self) -> Option<ReconnectPolicy> {
        self.kept().lock().iter().flatten().map(|kept| kept.policy).reduce(|one, other| ReconnectPolicy {
            give_up_after: one.give_up_after.zip(other.give_up_after).map(|(one, other)| one.max(other)),
            min_delay: one.min_delay.min(other.min_delay),
            max_delay: one.max_delay.min(other.max_delay),
            ..one
        })
    }

    pub(super) fn give_up_reconnecting(&self) {
        for index in ClientIndex::ALL {
            self.forget(index);
        }
    }

    /// One attempt at all of it.
    pub(super) fn restore(&self, trouble: Trouble) -> Result<(), Error> {
        if self.is_port_lost() {
            self.attach_port_again()?;
        } else if trouble == Trouble::Mute {
            self.find_module_again()?;
        }
        let was_started = self.is_started(&Endless)?;
        if !was_started {
            self.hub().change_facts(Facts::service_is_gone);
            self.start_if_needed(&Endless)?;
        }
        for index in ClientIndex::ALL {
            let kept = self.kept().lock()[index.slot()].clone();
            if let Some(kept) = kept {
                self.restore_client(index, &kept)?;
            }
        }
        Ok(())
    }

    fn restore_client(&self, index: ClientIndex, kept: &KeptClient) -> Result<(), Error> {
        let acquired = self.ask(client::query_acquired(), client::acquired_clients, &Endless)?;
        let found = acquired.into_iter().find(|found| found.client == index);
        let connected = self.ask(connection::query_connected(), connection::connected, &Endless)?;
        let is_ours = found.as_ref().is_some_and(|found| found.client_id == kept.client_id.as_str());
        // TLS is never taken over: what was verified when it was made is not known.
        let is_alive = is_ours && !kept.plan.server.tls() && connected.contains(&(index, true));
        if is_alive {
            self.take_over(index, kept);
            self.come_back(index);
            return Ok(());
        }
        if found.is_some() && (!is_ours || connected.contains(&(index, true))) {
            self.tear_down(index, &Endless)?;
        }
        if !is_ours || connected.contains(&(index, true)) {
            self.run_soon(client::acquire(index, &kept.client_id, kept.plan.server.tls()), &Endless)?;
        } else {
            self.take_over(index, kept);
        }
        let deadline = Instant::now() + kept.plan.timeout;
        if let Some(tls) = &kept.plan.tls {
            self.prepare_tls(tls, index, &Endless)?;
        }
        self.configure_and_connect(&kept.plan, index, deadline, &Endless)?;
        self.restore_subscriptions(index)?;
        self.come_back(index);
        self.hub().reconnected(Notice::Reconnected(index));
        Ok(())
    }

    /// The module still has it as it was.
    fn take_over(&self, index: ClientIndex, kept: &KeptClient) {
        let connected = self.facts().is_connected(index);
        self.hub().change_facts(|facts| {
            if facts.client(index).is_none() {
                let (id, tls) = (kept.client_id.as_str().to_owned(), kept.plan.server.tls());
                let found = ClientFacts { acquired_here: true, ..ClientFacts::found(id, tls, connected) };
                facts.found(index, found);
            }
        });
    }

    fn restore_subscriptions(&self, index: ClientIndex) -> Result<(), Error> {
        let Some(kept) = self.kept().lock()[index.slot()].clone() else { return Ok(()) };
        let time = Duration::from_secs(u64::from(kept.plan.operation_timeout.number()) + 5);
        for (topic, qos) in &kept.subscriptions {
            let subscribe = vec![subscribing::subscribe(index, topic, *qos, false)];
            self.restore_by(Transaction::new(subscribe, time).retrying_while_busy())?;
        }
        Ok(())
    }

    fn come_back(&self, index: ClientIndex) {
        self.hub().change_facts(|facts| facts.is_back(index));
        self.request(Request::ComeBack(index));
    }
}
