//! What a client receives: callbacks, captures, iteration, waiting.

use pyo3::prelude::*;

use super::arguments::TopicBytes;
use super::callback_source::start_callbacks;
use super::callbacks::{Callback, require_callable};
use super::capture::{Capture, Messages, wait_for_message};
use super::client::MqttClient;
use super::inbox::Inbox;
use super::values::Message;
use crate::commands::{Filter, seconds};

#[pymethods]
impl MqttClient {
    /// Called with each message that no subscription's callback took; None: the modem's is.
    #[getter]
    fn on_message(&self, py: Python<'_>) -> Callback {
        self.modem.get().callbacks.client(py, self.index)
    }

    #[setter]
    fn set_on_message(&self, py: Python<'_>, callback: Callback) -> PyResult<()> {
        require_callable(py, callback.as_ref())?;
        if callback.is_some() {
            start_callbacks(self.modem.bind(py))?;
        }
        drop(self.modem.get().callbacks.set_client(self.index, callback));
        Ok(())
    }

    /// Collect what arrives from this call on: `with client.capture("dut/#") as inbox: …`.
    ///
    /// ValueError: the filter has a wildcard in the wrong place.
    #[pyo3(signature = (filter = TopicBytes(b"#".to_vec())), text_signature = "($self, filter='#')")]
    fn capture(&self, filter: TopicBytes) -> PyResult<Capture> {
        let filter = Filter::parse(filter.0)?;
        let threads = self.module()?.threads()?;
        let _call = threads.enter_open()?;
        let inbox = threads.modem.router().inbox(self.index, Some(filter.bytes().to_vec()));
        Ok(Capture::new(threads.clone(), inbox, filter.bytes()))
    }

    /// What `simcom_mqtt.aio` waits for messages with.
    ///
    /// everything: collect whatever the client gets, not only what matches.
    /// timeout: of an iteration, to be checked.
    #[pyo3(signature = (filter, *, everything = false, timeout = None))]
    fn _inbox(&self, filter: TopicBytes, everything: bool, timeout: Option<f64>) -> PyResult<Inbox> {
        let filter = Filter::parse(filter.0)?;
        timeout.map(|timeout| seconds("timeout", timeout)).transpose()?;
        let threads = self.module()?.threads()?;
        let _call = threads.enter_open()?;
        let selected = (!everything).then(|| filter.bytes().to_vec());
        Ok(Inbox::new(threads.clone(), threads.modem.router().inbox(self.index, selected)))
    }

    /// Iterate over what arrives from this call on.
    ///
    /// timeout: between two messages; the iteration ends with it. None: wait for ever.
    #[pyo3(signature = (filter = TopicBytes(b"#".to_vec()), *, timeout = None), text_signature = "($self, filter='#', *, timeout=None)")]
    fn messages(&self, filter: TopicBytes, timeout: Option<f64>) -> PyResult<Messages> {
        let filter = Filter::parse(filter.0)?;
        let timeout = timeout.map(|timeout| seconds("timeout", timeout)).transpose()?;
        let threads = self.module()?.threads()?;
        let _call = threads.enter_open()?;
        let inbox = threads.modem.router().inbox(self.index, Some(filter.bytes().to_vec()));
        Ok(Messages::new(threads.clone(), inbox, timeout))
    }

    /// Wait for a message that arrives after this call.
    ///
    /// For request and reply use `capture()`, which starts before the request.
    ///
    /// match: which message to take; runs in the caller's thread.
    ///
    /// MessageTimeoutError: none came in time; `received` tells which others did.
    #[pyo3(
        signature = (filter = TopicBytes(b"#".to_vec()), *, timeout = 10.0, r#match = None),
        text_signature = "($self, filter='#', *, timeout=10.0, match=None)"
    )]
    fn wait_for_message(
        &self,
        py: Python<'_>,
        filter: TopicBytes,
        timeout: f64,
        r#match: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<Message>> {
        let filter = Filter::parse(filter.0)?;
        let threads = self.module()?.threads()?;
        let _call = threads.enter_open()?;
        let inbox = threads.modem.router().inbox(self.index, None);
        wait_for_message(py, &inbox, filter.bytes(), timeout, r#match)
    }
}
