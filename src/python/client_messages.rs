//! `MqttClient`: subscribing and receiving, by callback, capture, iteration or wait.

use pyo3::prelude::*;

use super::arguments::{Integer, TopicBytes};
use super::callback_source::start_callbacks;
use super::callbacks::{Callback, require_callable};
use super::capture::{Capture, Messages, wait_for_message};
use super::client::MqttClient;
use super::inbox::Inbox;
use super::operation::{converted, none};
use super::values::Message;
use crate::commands::{Filter, QoS, Topic, seconds};
use crate::mqtt::Session;

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

    /// Subscribe to a topic filter of 1–1024 bytes: `AT+CMQTTSUB`, chapter 2.2.13.
    ///
    /// callback: called with each message that matches, retained ones that come before the result included.
    /// timeout: None: the operation time-out plus 5 s.
    ///
    /// MqttError: the module or the broker said no.
    #[pyo3(
        signature = (topic, qos = Integer(0), *, dup = false, callback = None, timeout = None),
        text_signature = "($self, topic, qos=0, *, dup=False, callback=None, timeout=None)"
    )]
    fn subscribe(
        &self,
        py: Python<'_>,
        topic: TopicBytes,
        qos: Integer,
        dup: bool,
        callback: Callback,
        timeout: Option<f64>,
    ) -> PyResult<Py<PyAny>> {
        let (topic, qos) = (Topic::parse(topic.0)?, QoS::parse(qos.0)?);
        let timeout = self.operation_wait(timeout)?;
        require_callable(py, callback.as_ref())?;
        if callback.is_some() {
            start_callbacks(self.modem.bind(py))?;
        }
        let callbacks = &self.module()?.callbacks;
        // In place before the command goes out: a retained message can come before the result.
        let former = callbacks.subscribe(self.index, topic.bytes(), callback);
        let (index, modem, filter) = (self.index, self.modem.clone_ref(py), topic.bytes().to_vec());
        let subscribe =
            move |session: Session| async move { session.subscribe(index, topic, qos, dup, timeout).await };
        self.modem.get().run_then(
            py,
            |driver| driver.start(subscribe),
            move |py, result| {
                if result.is_err() {
                    drop(modem.get().callbacks.subscribe(index, &filter, former));
                }
                converted(none)(py, result)
            },
        )
    }

    /// Unsubscribe from a topic filter, and drop its callback: `AT+CMQTTUNSUB`, chapter 2.2.14.
    #[pyo3(signature = (topic, *, dup = false, timeout = None))]
    fn unsubscribe(
        &self,
        py: Python<'_>,
        topic: TopicBytes,
        dup: bool,
        timeout: Option<f64>,
    ) -> PyResult<Py<PyAny>> {
        let topic = Topic::parse(topic.0)?;
        let timeout = self.operation_wait(timeout)?;
        let (index, modem, filter) = (self.index, self.modem.clone_ref(py), topic.bytes().to_vec());
        let unsubscribe =
            move |session: Session| async move { session.unsubscribe(index, topic, dup, timeout).await };
        self.module()?.run(
            py,
            |driver| driver.start(unsubscribe),
            move |py, ()| {
                drop(modem.get().callbacks.subscribe(index, &filter, None));
                Ok(py.None())
            },
        )
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

    /// The inbox with which `simcom_mqtt.aio` waits for messages.
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
