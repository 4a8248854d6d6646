use std::sync::Arc;

use pyo3::call::PyCallArgs;
use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::callbacks::On;
use super::client::MqttClient;
use super::modem::SimcomMqtt;
use super::values::Message;
use crate::protocol::ReceivedMessage;
use crate::session::{Endless, Hub, Notice};

/// The target of the thread that runs callbacks, one at a time and in order.
#[pyclass(frozen)]
pub(super) struct Dispatcher {
    hub: Arc<Hub>,
    /// Weak, so that a module nobody holds can be closed by the collector.
    modem: Py<PyWeakrefReference>,
}

impl Dispatcher {
    pub(super) fn new(hub: Arc<Hub>, modem: &Bound<'_, SimcomMqtt>) -> PyResult<Self> {
        Ok(Self { hub, modem: PyWeakrefReference::new(modem.as_any())?.unbind() })
    }
}

#[pymethods]
impl Dispatcher {
    fn __call__(&self, py: Python<'_>) -> PyResult<()> {
        const BATCH: usize = 256;
        let mut batch = Vec::with_capacity(BATCH);
        let mut found = Vec::new();
        while py.detach(|| self.hub.notices().pop_batch(&mut batch, BATCH, &Endless)).is_ok() {
            let Some(modem) = self.modem.bind(py).upgrade_as::<SimcomMqtt>()? else { return Ok(()) };
            for notice in batch.drain(..) {
                if let Err(error) = deliver(&modem, notice, &mut found) {
                    modem.get().callback_failed(py, error);
                }
            }
        }
        Ok(())
    }
}

fn deliver(modem: &Bound<'_, SimcomMqtt>, notice: Notice, found: &mut Vec<Py<PyAny>>) -> PyResult<()> {
    let py = modem.py();
    match notice {
        Notice::Message(message) => return deliver_message(modem, message, found),
        Notice::ConnectionLost { client, cause } => {
            let Some(callback) = modem.get().callbacks.get(py, On::ConnectionLost) else { return Ok(()) };
            let client = MqttClient::of(modem, client)?;
            let cause = py.import("simcom_mqtt.codes")?.getattr("LossCause")?.call1((cause,))?;
            callback.call1(py, (client, cause))?;
        }
        Notice::NetworkLost => call(modem, On::NetworkLost, ())?,
        Notice::Reconnected(client) => {
            let Some(callback) = modem.get().callbacks.get(py, On::Reconnected) else { return Ok(()) };
            callback.call1(py, (MqttClient::of(modem, client)?,))?;
        }
        Notice::Restarted => call(modem, On::Restart, ())?,
        Notice::MessageLost { client, why } => {
            call(modem, On::MessageLost, (client.map(crate::protocol::ClientIndex::number), why))?;
        }
        Notice::Urc(line) => call(modem, On::Urc, (String::from_utf8_lossy(&line).into_owned(),))?,
    }
    Ok(())
}

fn call<'py>(modem: &Bound<'py, SimcomMqtt>, on: On, arguments: impl PyCallArgs<'py>) -> PyResult<()> {
    match modem.get().callbacks.get(modem.py(), on) {
        Some(callback) => callback.bind(modem.py()).call1(arguments).map(drop),
        None => Ok(()),
    }
}

fn deliver_message(
    modem: &Bound<'_, SimcomMqtt>,
    message: Arc<ReceivedMessage>,
    found: &mut Vec<Py<PyAny>>,
) -> PyResult<()> {
    let py = modem.py();
    modem.get().callbacks.for_message(py, &message, found);
    if found.is_empty() {
        return Ok(());
    }
    let message = Bound::new(py, Message::from(message))?;
    for callback in found.drain(..) {
        if let Err(error) = callback.bind(py).call1((&message,)) {
            modem.get().callback_failed(py, error);
        }
    }
    Ok(())
}
