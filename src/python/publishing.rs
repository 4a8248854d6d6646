use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::modem::SimcomMqtt;
use super::patience::Signals;
use super::threads::Threads;
use crate::at::ClientIndex;
use crate::channel::{Transaction, TransactionId};
use crate::commands::publishing::{PublishFlags, publish_message};
use crate::commands::{Invalid, PublishTimeout, QoS, Topic, seconds};
use crate::runtime::{Error, Modem, Patience};

/// A message to publish, found legal but for the length of its payload, which the module itself has to say.
pub(super) struct PublishArguments {
    topic: Topic,
    payload: Vec<u8>,
    qos: QoS,
    flags: PublishFlags,
    timeout: Duration,
}

impl PublishArguments {
    pub(super) fn parse(
        topic: Vec<u8>,
        payload: Vec<u8>,
        qos: i64,
        retain: bool,
        dup: bool,
        timeout: f64,
    ) -> Result<Self, Invalid> {
        Ok(Self {
            topic: Topic::parse(topic)?,
            payload,
            qos: QoS::parse(qos)?,
            flags: PublishFlags { retain, dup },
            timeout: seconds("timeout", timeout)?,
        })
    }

    pub(super) fn into_transaction(
        self,
        modem: &Modem,
        client: ClientIndex,
        patience: &dyn Patience,
    ) -> Result<Transaction, Error> {
        let deadline = Instant::now() + self.timeout;
        let payload = modem.payload(self.payload, deadline, patience)?;
        let pub_timeout = PublishTimeout::covering(self.timeout);
        let commands = publish_message(client, &self.topic, &payload, self.qos, pub_timeout, self.flags);
        let left = deadline.saturating_duration_since(Instant::now());
        Ok(Transaction::new(commands, left).retrying_while_busy())
    }
}

pub(super) fn publish_nowait<'py>(
    py: Python<'py>,
    modem: &SimcomMqtt,
    client: ClientIndex,
    arguments: PublishArguments,
) -> PyResult<Bound<'py, PyAny>> {
    static FUTURE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let threads = modem.threads()?;
    let _visit = threads.enter_open()?;
    let future = FUTURE.import(py, "simcom_mqtt.futures", "PublishFuture")?.call0()?;
    let promise = Box::new(future.clone().unbind());
    let id = modem.run(py, |modem, patience| {
        let transaction = arguments.into_transaction(modem, client, patience)?.timed_from_start();
        modem.publish_later(client, transaction, promise, patience)
    })?;
    let withdrawal = Withdrawal { threads: Arc::downgrade(threads), id };
    future.setattr("_cancel_request", Bound::new(py, withdrawal)?)?;
    Ok(future)
}

/// Takes a queued publish back; called by the future's `cancel`.
#[pyclass(frozen)]
struct Withdrawal {
    threads: Weak<Threads>,
    id: TransactionId,
}

#[pymethods]
impl Withdrawal {
    fn __call__(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(threads) = self.threads.upgrade() else { return Ok(false) };
        let Ok(_visit) = threads.enter_open() else { return Ok(false) };
        let signals = Signals::default();
        py.detach(|| threads.modem.withdraw(self.id, &signals)).map_err(|_| signals.take())
    }
}
