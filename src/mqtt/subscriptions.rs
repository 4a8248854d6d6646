//! Subscriptions, which a client that reconnects gets back.

use std::time::Duration;

use super::error::Error;
use super::session::Session;
use crate::at::{ClientIndex, ResultCode};
use crate::channel::Transaction;
use crate::commands::{QoS, Topic, Will, messages};

/// The module's refusals of SUB that asking again does not change: `failed` (the broker's refusal), `bad UTF-8 string`,
/// `invalid parameter`, `not supported operation`, `length out of range`.
const REFUSED_FOR_GOOD: [ResultCode; 5] = [
    ResultCode::FAILED,
    ResultCode::BAD_UTF8_STRING,
    ResultCode::INVALID_PARAMETER,
    ResultCode::NOT_SUPPORTED_OPERATION,
    ResultCode::LENGTH_OUT_OF_RANGE,
];

impl Session {
    /// Subscribes: `AT+CMQTTSUB`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the module's or the broker's reason; the failures of [`Session::execute`].
    pub async fn subscribe(
        &self,
        index: ClientIndex,
        topic: Topic,
        qos: QoS,
        dup: bool,
        timeout: Duration,
    ) -> Result<(), Error> {
        let subscribe = Transaction::new(vec![messages::subscribe(index, &topic, qos, dup)], timeout);
        self.change_subscription(index, &topic, Some(qos), subscribe).await
    }

    /// Unsubscribes: `AT+CMQTTUNSUB`.
    ///
    /// # Errors
    ///
    /// As [`Session::subscribe`].
    pub async fn unsubscribe(
        &self,
        index: ClientIndex,
        topic: Topic,
        dup: bool,
        timeout: Duration,
    ) -> Result<(), Error> {
        let unsubscribe = Transaction::new(vec![messages::unsubscribe(index, &topic, dup)], timeout);
        self.change_subscription(index, &topic, None, unsubscribe).await
    }

    /// The change is remembered before it is carried out: the client may reconnect in between.
    async fn change_subscription(
        &self,
        index: ClientIndex,
        topic: &Topic,
        qos: Option<QoS>,
        transaction: Transaction,
    ) -> Result<(), Error> {
        let former = self.remember_subscription(index, topic, qos);
        let changed = self.submit_connected(index, transaction.retrying_while_busy(), None).await;
        if changed.is_err() {
            self.remember_subscription(index, topic, former);
        }
        changed.map(drop)
    }

    /// Returns what was remembered before.
    fn remember_subscription(&self, index: ClientIndex, topic: &Topic, qos: Option<QoS>) -> Option<QoS> {
        self.with(|shared| {
            let subscriptions = &mut shared.reconnects[index.slot()].as_mut()?.subscriptions;
            let known = subscriptions.iter().position(|(known, _)| known == topic);
            let former = known.map(|at| subscriptions.remove(at).1);
            subscriptions.extend(qos.map(|qos| (topic.clone(), qos)));
            former
        })
    }

    /// Subscribes again to all topics of a client that reconnects.
    pub(super) async fn restore_subscriptions(&self, index: ClientIndex) -> Result<(), Error> {
        let Some((subscriptions, time)) = self.with(|shared| {
            let reconnect = shared.reconnects[index.slot()].as_ref()?;
            let operation_timeout = u64::from(reconnect.plan.operation_timeout.number());
            Some((reconnect.subscriptions.clone(), Duration::from_secs(operation_timeout + 5)))
        }) else {
            return Ok(());
        };
        for (topic, qos) in subscriptions {
            let subscribe = vec![messages::subscribe(index, &topic, qos, false)];
            match self.execute(Transaction::new(subscribe, time).retrying_while_busy()).await {
                // A topic that the broker does not allow any more is no reason to stay disconnected.
                Err(error) if error.code().is_some_and(|code| REFUSED_FOR_GOOD.contains(&code)) => {
                    let topic = topic.bytes().to_vec();
                    self.output(super::Output::NotSubscribedAgain { client: index, topic, error });
                }
                subscribed => drop(subscribed?),
            }
        }
        self.with(|shared| {
            if let Some(reconnect) = &mut shared.reconnects[index.slot()] {
                reconnect.lacks_subscriptions = false;
            }
        });
        Ok(())
    }

    /// Sets the will of the next connection, that of a reconnect included: `AT+CMQTTWILLTOPIC`, `AT+CMQTTWILLMSG`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; the failures of [`Session::execute`].
    pub async fn set_will(&self, index: ClientIndex, will: Will) -> Result<(), Error> {
        let entered = will.enter(index);
        let time = entered.iter().map(|command| self.usual_timeout(command)).sum();
        self.execute(Transaction::new(entered, time)).await?;
        self.with(|shared| {
            if let Some(reconnect) = &mut shared.reconnects[index.slot()] {
                reconnect.plan.will = Some(will);
            }
        });
        Ok(())
    }
}
