//! `SimcomMqtt`: the callback attributes.

use pyo3::prelude::*;

use super::callback_source::start_callbacks;
use super::callbacks::{Callback, On, require_callable};
use super::modem::SimcomMqtt;

#[pymethods]
impl SimcomMqtt {
    /// Called with each message that neither a subscription's callback nor its client's `on_message` took.
    ///
    /// Callbacks run one at a time, in order, on one Python thread, and may call any method here.
    #[getter]
    fn on_message(&self, py: Python<'_>) -> Callback {
        self.callbacks.get(py, On::Message)
    }

    #[setter]
    fn set_on_message(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        set_callback(slf, On::Message, callback)
    }

    /// Called with client and LossCause when a client lost its connection: `+CMQTTCONNLOST`, chapter 4.2.
    #[getter]
    fn on_connection_lost(&self, py: Python<'_>) -> Callback {
        self.callbacks.get(py, On::ConnectionLost)
    }

    #[setter]
    fn set_on_connection_lost(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        set_callback(slf, On::ConnectionLost, callback)
    }

    /// Called when the module lost the network: `+CMQTTNONET`, chapter 4.2. The service must be started again.
    #[getter]
    fn on_network_lost(&self, py: Python<'_>) -> Callback {
        self.callbacks.get(py, On::NetworkLost)
    }

    #[setter]
    fn set_on_network_lost(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        set_callback(slf, On::NetworkLost, callback)
    }

    /// Called when a client with a `Reconnect` policy is connected and subscribed again.
    #[getter]
    fn on_reconnected(&self, py: Python<'_>) -> Callback {
        self.callbacks.get(py, On::Reconnected)
    }

    #[setter]
    fn set_on_reconnected(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        set_callback(slf, On::Reconnected, callback)
    }

    /// Called when the module has rebooted: nothing on it is as it was.
    #[getter]
    fn on_restart(&self, py: Python<'_>) -> Callback {
        self.callbacks.get(py, On::Restart)
    }

    #[setter]
    fn set_on_restart(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        set_callback(slf, On::Restart, callback)
    }

    /// Called with the reason when the port is gone: the cable, or the power.
    ///
    /// A `Reconnect` opens it once it is back.
    #[getter]
    fn on_port_lost(&self, py: Python<'_>) -> Callback {
        self.callbacks.get(py, On::PortLost)
    }

    #[setter]
    fn set_on_port_lost(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        set_callback(slf, On::PortLost, callback)
    }

    /// Called with the client index, if known, and why a message was lost: damage, or a full queue.
    #[getter]
    fn on_message_lost(&self, py: Python<'_>) -> Callback {
        self.callbacks.get(py, On::MessageLost)
    }

    #[setter]
    fn set_on_message_lost(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        set_callback(slf, On::MessageLost, callback)
    }

    /// Called with any other line that the module sends unasked, as "+CREG: 5" or "SMS DONE".
    #[getter]
    fn on_urc(&self, py: Python<'_>) -> Callback {
        self.callbacks.get(py, On::Urc)
    }

    #[setter]
    fn set_on_urc(slf: &Bound<'_, Self>, callback: Callback) -> PyResult<()> {
        set_callback(slf, On::Urc, callback)
    }
}

/// Sets a callback. The callback thread starts with the first one.
fn set_callback(modem: &Bound<'_, SimcomMqtt>, on: On, callback: Callback) -> PyResult<()> {
    require_callable(modem.py(), callback.as_ref())?;
    if callback.is_some() {
        start_callbacks(modem)?;
    }
    let old = modem.get().callbacks.set(on, callback);
    drop(old);
    Ok(())
}
