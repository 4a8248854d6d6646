use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyWeakrefMethods, PyWeakrefReference};

use super::callbacks::On;
use super::client::MqttClient;
use super::modem::SimcomMqtt;
use super::values::Message;
use super::work::{Work, next};
use crate::at::ClientIndex;
use crate::runtime::{CallbackEvent, EventRouter};

/// The source of work of the callback thread, which runs callbacks one at a time and in order.
#[pyclass(frozen)]
pub(super) struct CallbackSource {
    router: Arc<EventRouter>,
    /// Weak, so that the garbage collector can close a module that the program dropped.
    modem: Py<PyWeakrefReference>,
    /// Held while its callbacks run.
    served: Mutex<Option<Py<SimcomMqtt>>>,
}

impl CallbackSource {
    pub(super) fn new(router: Arc<EventRouter>, modem: &Bound<'_, SimcomMqtt>) -> PyResult<Self> {
        let modem = PyWeakrefReference::new(modem.as_any())?.unbind();
        Ok(Self { router, modem, served: Mutex::default() })
    }

    fn modem<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, SimcomMqtt>>> {
        self.modem.bind(py).upgrade_as::<SimcomMqtt>()
    }
}

#[pymethods]
impl CallbackSource {
    /// The next callbacks with their arguments, waited for; None at the end.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Option<Work<'py>>> {
        let served = self.served.lock().take();
        drop(served);
        self.router.report_drops();
        loop {
            let Ok(event) = next(py, self.router.callbacks().events()) else { return Ok(None) };
            let Some(modem) = self.modem(py)? else { return Ok(None) };
            if let Some(work) = work_for(&modem, event)? {
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

fn work_for<'py>(modem: &Bound<'py, SimcomMqtt>, event: CallbackEvent) -> PyResult<Option<Work<'py>>> {
    let (py, callbacks) = (modem.py(), &modem.get().callbacks);
    let on = |on| callbacks.get(py, on).into_iter().collect();
    let found: Vec<_> = match &event {
        CallbackEvent::Message(message) => callbacks.for_message(py, message),
        CallbackEvent::ConnectionLost { .. } => on(On::ConnectionLost),
        CallbackEvent::NetworkLost => on(On::NetworkLost),
        CallbackEvent::Reconnected(_) => on(On::Reconnected),
        CallbackEvent::Restarted => on(On::Restart),
        CallbackEvent::PortLost(_) => on(On::PortLost),
        CallbackEvent::MessageLost { .. } => on(On::MessageLost),
        CallbackEvent::Urc(_) => on(On::Urc),
        CallbackEvent::Released(client) => {
            callbacks.forget_released(*client);
            Vec::new()
        }
    };
    if found.is_empty() { Ok(None) } else { Ok(Some((found, arguments(modem, event)?))) }
}

fn arguments<'py>(modem: &Bound<'py, SimcomMqtt>, event: CallbackEvent) -> PyResult<Bound<'py, PyTuple>> {
    let py = modem.py();
    match event {
        CallbackEvent::Message(message) => (Message::from(message),).into_pyobject(py),
        CallbackEvent::ConnectionLost { client, cause } => {
            let cause = py.import("simcom_mqtt.codes")?.getattr("LossCause")?.call1((cause,))?;
            (MqttClient::of(modem, client)?, cause).into_pyobject(py)
        }
        CallbackEvent::NetworkLost | CallbackEvent::Restarted | CallbackEvent::Released(_) => {
            Ok(PyTuple::empty(py))
        }
        CallbackEvent::PortLost(reason) => (reason,).into_pyobject(py),
        CallbackEvent::Reconnected(client) => (MqttClient::of(modem, client)?,).into_pyobject(py),
        CallbackEvent::MessageLost { client, why } => {
            (client.map(ClientIndex::number), why).into_pyobject(py)
        }
        CallbackEvent::Urc(line) => (String::from_utf8_lossy(&line).into_owned(),).into_pyobject(py),
    }
}

/// Starts the callback thread, once.
pub(super) fn start_callbacks(modem: &Bound<'_, SimcomMqtt>) -> PyResult<()> {
    let threads = modem.get().threads()?;
    let _call = threads.enter_open()?;
    threads.start_callbacks(modem.py(), || {
        let source = CallbackSource::new(threads.modem.router().clone(), modem)?;
        Ok(Py::new(modem.py(), source)?.into_any())
    })
}
