use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyWeakrefMethods, PyWeakrefReference};

use super::callbacks::On;
use super::client::MqttClient;
use super::modem::SimcomMqtt;
use super::threads::{Work, next};
use super::values::Message;
use crate::at::ClientIndex;
use crate::runtime::{Hub, Notice};

/// What the thread that runs callbacks, one at a time and in order, takes its work from.
#[pyclass(frozen)]
pub(super) struct Dispatcher {
    hub: Arc<Hub>,
    /// Weak, so that a module nobody holds can be closed by the collector.
    modem: Py<PyWeakrefReference>,
    /// Held while its callbacks run.
    served: Mutex<Option<Py<SimcomMqtt>>>,
}

impl Dispatcher {
    pub(super) fn new(hub: Arc<Hub>, modem: &Bound<'_, SimcomMqtt>) -> PyResult<Self> {
        let modem = PyWeakrefReference::new(modem.as_any())?.unbind();
        Ok(Self { hub, modem, served: Mutex::default() })
    }

    fn modem<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, SimcomMqtt>>> {
        self.modem.bind(py).upgrade_as::<SimcomMqtt>()
    }
}

#[pymethods]
impl Dispatcher {
    /// The next callbacks with their arguments, waited for; None at the end.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Work<'py>>> {
        let served = self.served.lock().take();
        drop(served);
        self.hub.report_drops();
        loop {
            let Ok(notice) = next(py, self.hub.notices()) else { return Ok(None) };
            let Some(modem) = self.modem(py)? else { return Ok(None) };
            if let Some(work) = work_for(&modem, notice)? {
                *self.served.lock() = Some(modem.unbind());
                return Ok(Some(work));
            }
        }
    }

    /// A callback raised: kept. Whether it is to be logged.
    fn failed(&self, error: &Bound<'_, PyAny>) -> PyResult<bool> {
        match self.modem(error.py())? {
            Some(modem) => Ok(modem.get().callback_failed(error)),
            None => Ok(true),
        }
    }
}

fn work_for<'py>(modem: &Bound<'py, SimcomMqtt>, notice: Notice) -> PyResult<Option<Work<'py>>> {
    let (py, callbacks) = (modem.py(), &modem.get().callbacks);
    let on = |on| callbacks.get(py, on).into_iter().collect();
    let found: Vec<_> = match &notice {
        Notice::Message(message) => callbacks.for_message(py, message),
        Notice::ConnectionLost { .. } => on(On::ConnectionLost),
        Notice::NetworkLost => on(On::NetworkLost),
        Notice::Reconnected(_) => on(On::Reconnected),
        Notice::Restarted => on(On::Restart),
        Notice::PortLost(_) => on(On::PortLost),
        Notice::MessageLost { .. } => on(On::MessageLost),
        Notice::Urc(_) => on(On::Urc),
        Notice::Released(client) => {
            callbacks.forget_released(*client);
            Vec::new()
        }
    };
    if found.is_empty() { Ok(None) } else { Ok(Some((found, arguments(modem, notice)?))) }
}

fn arguments<'py>(modem: &Bound<'py, SimcomMqtt>, notice: Notice) -> PyResult<Bound<'py, PyTuple>> {
    let py = modem.py();
    match notice {
        Notice::Message(message) => (Message::from(message),).into_pyobject(py),
        Notice::ConnectionLost { client, cause } => {
            let cause = py.import("simcom_mqtt.codes")?.getattr("LossCause")?.call1((cause,))?;
            (MqttClient::of(modem, client)?, cause).into_pyobject(py)
        }
        Notice::NetworkLost | Notice::Restarted | Notice::Released(_) => Ok(PyTuple::empty(py)),
        Notice::PortLost(reason) => (reason,).into_pyobject(py),
        Notice::Reconnected(client) => (MqttClient::of(modem, client)?,).into_pyobject(py),
        Notice::MessageLost { client, why } => (client.map(ClientIndex::number), why).into_pyobject(py),
        Notice::Urc(line) => (String::from_utf8_lossy(&line).into_owned(),).into_pyobject(py),
    }
}
