//! Publishing: at once, or queued while the client reconnects.

use std::time::{Duration, Instant};

use super::deferred::Deferred;
use super::error::Error;
use super::session::{Session, Shared};
use super::settings::Settings;
use crate::at::ClientIndex;
use crate::channel::Transaction;
use crate::commands::messages::{PublishFlags, publish_message};
use crate::commands::{LongestPayload, Payload, PayloadLimit, PublishTimeout, QoS, Topic};

/// A message to publish, checked except for the length of its payload: the module itself says how long that may be.
#[derive(Clone, Debug)]
pub struct Message {
    pub topic: Topic,
    pub payload: Vec<u8>,
    pub qos: QoS,
    pub flags: PublishFlags,
    pub timeout: Duration,
    /// The timeout does not run while the message waits behind others.
    pub is_timed_from_its_turn: bool,
}

impl Message {
    /// Checks the message before it is queued.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it contains a byte that software flow control takes out of the line.
    pub fn check(&self, settings: &Settings) -> Result<(), Error> {
        let has = |bytes: &[u8], reserved: [u8; 2]| bytes.iter().any(|byte| reserved.contains(byte));
        let is_refused = settings
            .reserved_bytes
            .is_some_and(|reserved| has(self.topic.bytes(), reserved) || has(&self.payload, reserved));
        if is_refused { Err(Error::reserved_bytes()) } else { Ok(()) }
    }
}

impl Session {
    /// Publishes, and waits for the result. A result that comes after the timeout goes to `deferred`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::NotConnected`], [`Error::ConnectionLost`], [`Error::OutcomeUnknown`], and
    /// [`Error::Invalid`] if the payload is longer than the module takes.
    pub async fn publish(
        self,
        client: ClientIndex,
        message: Message,
        deferred: Deferred,
    ) -> Result<(), Error> {
        let deadline = self.now() + message.timeout;
        let limit =
            self.payload_limit_for(&message.payload, deadline).await.map_err(|error| match error {
                Error::Interrupted => Error::Cancelled,
                error => error,
            })?;
        let payload = Payload::parse(message.payload, limit)?;
        let pub_timeout = PublishTimeout::covering(message.timeout);
        let commands =
            publish_message(client, &message.topic, &payload, message.qos, pub_timeout, message.flags);
        let transaction = Transaction::new(commands, self.time_until(deadline)).retrying_while_busy();
        let transaction =
            if message.is_timed_from_its_turn { transaction.timed_from_start() } else { transaction };
        self.submit_connected(client, transaction, Some(deferred)).await.map(drop)
    }

    /// The module is asked once, when the first payload needs the limit.
    async fn payload_limit_for(&self, payload: &[u8], deadline: Instant) -> Result<PayloadLimit, Error> {
        if payload.is_empty() {
            return Ok(PayloadLimit::LONGEST);
        }
        if let Some(limit) = self.with(|shared| shared.payload_limit) {
            return Ok(limit);
        }
        self.ask_payload_limit(deadline).await
    }

    /// A module that does not say its limit tells by refusing.
    pub(super) async fn ask_payload_limit(&self, deadline: Instant) -> Result<PayloadLimit, Error> {
        // One asks, the others wait in order, so that publishes keep theirs.
        let _turn = self.turn(|shared: &mut Shared| &mut shared.limit_query, None).await?;
        if let Some(limit) = self.with(|shared| shared.payload_limit) {
            return Ok(limit);
        }
        let limit = match self.ask_by(&LongestPayload, deadline).await {
            Err(Error::Refused { .. } | Error::UnexpectedAnswer(_)) => PayloadLimit::LONGEST,
            asked => asked?,
        };
        self.with(|shared| shared.payload_limit = Some(limit));
        Ok(limit)
    }
}
