use std::sync::{Arc, Weak};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::background_source::FutureResult;
use super::errors::publish_failure;
use super::modem::SimcomMqtt;
use super::operation::run;
use super::signals::{Signals, wait};
use super::threads::Threads;
use crate::at::ClientIndex;
use crate::commands::messages::PublishFlags;
use crate::commands::{Invalid, QoS, Topic, seconds};
use crate::mqtt::{self, Deferred, Message};
use crate::runtime::{Error, QueuedPublish};

/// Checks the arguments of a publish.
pub(super) fn message(
    topic: Vec<u8>,
    payload: Vec<u8>,
    qos: i64,
    flags: PublishFlags,
    timeout: f64,
) -> Result<Message, Invalid> {
    let (topic, qos, timeout) = (Topic::parse(topic)?, QoS::parse(qos)?, seconds("timeout", timeout)?);
    Ok(Message { topic, payload, qos, flags, timeout, is_timed_from_its_turn: false })
}

/// Publishes, and waits for the result.
pub(super) fn publish(
    py: Python<'_>,
    modem: &SimcomMqtt,
    client: ClientIndex,
    message: Message,
) -> PyResult<Py<PyAny>> {
    let threads = modem.threads()?;
    let _call = threads.enter_open()?;
    modem.follow_log_level(py)?;
    let (deferred, router) = (Deferred::default(), threads.modem.router().clone());
    let operation = threads.modem.publish(client, message, deferred.clone())?;
    run(py, &router.clone(), operation, move |py, result| match result {
        Ok(()) => Ok(py.None()),
        Err(error) => Err(publish_failure(py, &error, &deferred, &router)),
    })
}

/// Queues a publish, and returns its future.
pub(super) fn publish_nowait<'py>(
    py: Python<'py>,
    modem: &SimcomMqtt,
    client: ClientIndex,
    message: Message,
) -> PyResult<Bound<'py, PyAny>> {
    static FUTURE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let threads = modem.threads()?;
    let _call = threads.enter_open()?;
    modem.follow_log_level(py)?;
    let future = FUTURE.import(py, "simcom_mqtt.futures", "PublishFuture")?.call0()?;
    let (handle, router) = (future.clone().unbind(), threads.modem.router().clone());
    let deferred = Deferred::default();
    let message = Message { is_timed_from_its_turn: true, ..message };
    let receiver = {
        let deferred = deferred.clone();
        move |result: Result<(), Error>| {
            let end = match result {
                Err(Error::Mqtt(mqtt::Error::Cancelled)) => FutureResult::cancelled(handle),
                result => {
                    let router = router.clone();
                    FutureResult::new(handle, move |py| match result {
                        Ok(()) => Ok(py.None()),
                        Err(error) => Err(publish_failure(py, &error, &deferred, &router)),
                    })
                }
            };
            router.background().end_future(Box::new(end));
        }
    };
    let queued =
        wait(py, |signals| threads.modem.queue_publish(client, message, deferred, signals, receiver))?;
    let cancel = CancelPublish { threads: Arc::downgrade(threads), queued };
    future.setattr("_cancel_unwritten", Bound::new(py, cancel)?)?;
    Ok(future)
}

/// Cancels a queued publish; called by the future's `cancel`.
#[pyclass(frozen)]
struct CancelPublish {
    threads: Weak<Threads>,
    queued: QueuedPublish,
}

#[pymethods]
impl CancelPublish {
    fn __call__(&self, py: Python<'_>) -> PyResult<bool> {
        let Some(threads) = self.threads.upgrade() else { return Ok(false) };
        let Ok(_call) = threads.enter_open() else { return Ok(false) };
        let signals = Signals::default();
        py.detach(|| self.queued.cancel(&signals)).map_err(|_| signals.take())
    }
}
