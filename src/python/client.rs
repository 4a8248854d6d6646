//! `MqttClient`: what one of the module's two clients does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyWeakrefMethods, PyWeakrefReference};

use super::arguments::{Integer, PayloadBytes, TopicBytes};
use super::modem::SimcomMqtt;
use super::operation::{none, object};
use super::publishing::{message, publish, publish_nowait};
use crate::at::{ClientIndex, Command};
use crate::channel::Transaction;
use crate::commands::messages::PublishFlags;
use crate::commands::{
    self, ClientReport, Credentials, KeepAlive, OperationTimeout, ProtocolVersion, QoS, ServerAddress,
    SslContextIndex, Topic, Will, WillMessage, client, connection, seconds,
};
use crate::mqtt::{self, ClientSnapshot, Session};
use crate::runtime::Error;

/// Client 0 or 1 of a module: one object per acquired client.
///
/// Made by `SimcomMqtt.connect`, `SimcomMqtt.acquire` and `SimcomMqtt.clients`.
#[pyclass(frozen, weakref, module = "simcom_mqtt")]
pub(super) struct MqttClient {
    pub(super) modem: Py<SimcomMqtt>,
    pub(super) index: ClientIndex,
    client_id: String,
    /// Another object may stand for this client index by now.
    is_released: AtomicBool,
}

/// The longest time that leaving a `with` block takes.
const EXIT_TIME: Duration = Duration::from_secs(5);

#[pymethods]
impl MqttClient {
    /// The module that this client is part of.
    #[getter]
    fn modem(&self, py: Python<'_>) -> Py<SimcomMqtt> {
        self.modem.clone_ref(py)
    }

    /// 0 or 1.
    #[getter]
    fn index(&self) -> u8 {
        self.index.number()
    }

    /// The client id, which the broker knows it by.
    #[getter]
    fn client_id(&self) -> &str {
        &self.client_id
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Disconnect and release, in at most 5 s. Never hides the exception that left the body.
    #[pyo3(signature = (*exc))]
    fn __exit__(slf: &Bound<'_, Self>, exc: &Bound<'_, PyTuple>) -> PyResult<Py<PyAny>> {
        let _ = exc;
        let (py, this) = (slf.py(), slf.get());
        let (modem, index) = (this.modem.get(), this.index);
        if this.is_released.load(Ordering::Acquire) {
            return Ok(py.None());
        }
        if !modem.is_open() {
            this.retire();
            return Ok(py.None());
        }
        let client = slf.clone().unbind();
        let leave = move |session: Session| async move { session.leave_client(index, EXIT_TIME).await };
        modem.run(
            py,
            |driver| driver.start(leave),
            move |py, ()| {
                client.get().retire();
                Ok(py.None())
            },
        )
    }

    /// Set the will of the next connect: `AT+CMQTTWILLTOPIC`, `AT+CMQTTWILLMSG`, chapters 2.2.6 and 2.2.7.
    ///
    /// topic, payload: 1–1024 bytes each. The module's wills have no retain flag. A client that is brought back
    /// by a `Reconnect` gets it too.
    ///
    /// MqttError: the client is not acquired, or the text is not UTF-8 while `check_utf8` is on.
    #[pyo3(signature = (topic, payload, qos = Integer(0)), text_signature = "($self, topic, payload, qos=0)")]
    fn set_will(
        &self,
        py: Python<'_>,
        topic: TopicBytes,
        payload: PayloadBytes,
        qos: Integer,
    ) -> PyResult<Py<PyAny>> {
        let will = Will {
            topic: Topic::parse(topic.0)?,
            message: WillMessage::parse(payload.0)?,
            qos: QoS::parse(qos.0)?,
        };
        let index = self.index;
        let set_will = move |session: Session| async move { session.set_will(index, will).await };
        self.module()?.run(py, |modem| modem.start(set_will), none)
    }

    /// Use SSL context 0–9 for TLS: `AT+CMQTTSSLCFG`, chapter 2.2.5.
    ///
    /// The module forgets it with each failed connect and each disconnect, so it is issued again before later ones.
    fn use_ssl_context(&self, py: Python<'_>, context: Integer) -> PyResult<Py<PyAny>> {
        let context = SslContextIndex::parse(context.0)?;
        self.run_all(py, vec![client::use_ssl_context(self.index, context)])
    }

    /// Set what is given, before connecting: `AT+CMQTTCFG`, chapter 2.2.15.
    ///
    /// check_utf8: whether the module refuses topics that are not UTF-8 (its default: yes).
    /// operation_timeout: 20–120 s for the module to send or receive (its default: 120).
    /// version: of MQTT (its default: 3.1).
    #[pyo3(signature = (*, check_utf8 = None, operation_timeout = None, version = None))]
    fn configure(
        &self,
        py: Python<'_>,
        check_utf8: Option<bool>,
        operation_timeout: Option<Integer>,
        version: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let operation_timeout =
            operation_timeout.map(|number| OperationTimeout::parse(number.0)).transpose()?;
        let version = version.map(ProtocolVersion::parse).transpose()?;
        let mut commands = Vec::new();
        commands.extend(check_utf8.map(|check| client::configure_utf8_check(self.index, check)));
        commands.extend(
            operation_timeout.map(|timeout| client::configure_operation_timeout(self.index, timeout)),
        );
        commands.extend(version.map(|version| client::configure_version(self.index, version)));
        if commands.is_empty() {
            return Ok(py.None());
        }
        self.run_all(py, commands)
    }

    /// Connect to a broker: `AT+CMQTTCONNECT`, chapter 2.2.8. Arguments as in `SimcomMqtt.connect`.
    ///
    /// ValueError: also if the scheme contradicts `acquire(tls=…)`.
    /// ConnectError: the module or the broker said no; `code` tells why.
    /// CommandTimeoutError: no result within `timeout`.
    #[pyo3(
        signature = (url, *, keepalive = Integer(60), clean_session = true, username = None, password = None, timeout = 120.0),
        text_signature = "($self, url, *, keepalive=60, clean_session=True, username=None, password=None, timeout=120.0)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn connect(
        &self,
        py: Python<'_>,
        url: &str,
        keepalive: Integer,
        clean_session: bool,
        username: Option<&str>,
        password: Option<&str>,
        timeout: f64,
    ) -> PyResult<Py<PyAny>> {
        let known = self.snapshot()?;
        if known.as_ref().is_some_and(|known| known.will_is_partial) {
            return Err(Error::from(mqtt::Error::WillHalfEntered(self.index)).into());
        }
        let server = ServerAddress::parse(url, known.as_ref().map(|known| known.tls))?;
        let keep_alive = KeepAlive::parse(keepalive.0)?;
        let credentials = Credentials::parse(username, password)?;
        let mut commands = Vec::new();
        // The module forgot it with the last connection, and the default context does not verify.
        let context = known.filter(|_| server.tls()).and_then(|known| known.ssl_context);
        commands.extend(context.map(|context| client::use_ssl_context(self.index, context)));
        commands.push(connection::connect(
            self.index,
            &server,
            keep_alive,
            clean_session,
            credentials.as_ref(),
        ));
        self.execute(py, commands, seconds("timeout", timeout)?)
    }

    /// Disconnect from the broker: `AT+CMQTTDISC`, chapter 2.2.9.
    ///
    /// Ends what the `reconnect` of `SimcomMqtt.connect` began; such a client may be away already. A later
    /// `connect()` of this object does not reconnect; one of `SimcomMqtt` with a `reconnect` does.
    ///
    /// MqttError: the client is not connected and does not reconnect (`code` NO_CONNECTION).
    #[pyo3(signature = (timeout = 60.0))]
    fn disconnect(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        let timeout = seconds("timeout", timeout)?;
        let index = self.index;
        let disconnect = move |session: Session| async move { session.disconnect(index, timeout).await };
        self.module()?.run(py, |modem| modem.start(disconnect), none)
    }

    /// Give the client back to the module: `AT+CMQTTREL`, chapter 2.2.4.
    ///
    /// Its callbacks still get what came before. Whatever else this object is used for is then a ClosedError.
    ///
    /// MqttError: it is still connected.
    fn release(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let (this, index, client) = (slf.get(), slf.get().index, slf.clone().unbind());
        let release = move |session: Session| async move { session.release(index).await };
        this.module()?.run(
            slf.py(),
            |modem| modem.start(release),
            move |py, ()| {
                client.get().retire();
                Ok(py.None())
            },
        )
    }

    /// Publish, and wait for the result: `AT+CMQTTTOPIC`, `PAYLOAD`, `PUB`, chapters 2.2.10 to 2.2.12.
    ///
    /// topic: 1–1024 bytes.
    /// payload: up to what the module's `AT+CMQTTPAYLOAD=?` says, 4096 bytes on this family.
    /// dup: marks a delivery that may be a repetition.
    /// timeout: the module itself gets this, rounded up, within 60–180 s.
    ///
    /// MqttError: the module said no.
    /// ConnectionLostError: not connected, so certainly not sent.
    /// OutcomeUnknownError: it was handed over, and no result came.
    #[pyo3(
        signature = (topic, payload = PayloadBytes(Vec::new()), qos = Integer(0), *, retain = false, dup = false, timeout = 60.0),
        text_signature = "($self, topic, payload=b'', qos=0, *, retain=False, dup=False, timeout=60.0)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn publish(
        &self,
        py: Python<'_>,
        topic: TopicBytes,
        payload: PayloadBytes,
        qos: Integer,
        retain: bool,
        dup: bool,
        timeout: f64,
    ) -> PyResult<Py<PyAny>> {
        let flags = PublishFlags { retain, dup };
        let message = message(topic.0, payload.0, qos.0, flags, timeout)?;
        publish(py, self.module()?, self.index, message)
    }

    /// Queue a publish, and return a future of its result. Arguments and errors as of `publish`.
    ///
    /// Publishes of a client go out in order. Blocks while 1,000 of them wait. A future that is cancelled before its
    /// first byte is written is not sent. `timeout` runs from its turn on. What `add_done_callback` adds runs on one thread
    /// and may call any method here; only another future's result it must not wait for.
    #[pyo3(
        signature = (topic, payload = PayloadBytes(Vec::new()), qos = Integer(0), *, retain = false, dup = false, timeout = 60.0),
        text_signature = "($self, topic, payload=b'', qos=0, *, retain=False, dup=False, timeout=60.0)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn publish_nowait<'py>(
        &self,
        py: Python<'py>,
        topic: TopicBytes,
        payload: PayloadBytes,
        qos: Integer,
        retain: bool,
        dup: bool,
        timeout: f64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let flags = PublishFlags { retain, dup };
        let message = message(topic.0, payload.0, qos.0, flags, timeout)?;
        publish_nowait(py, self.module()?, self.index, message)
    }

    /// Return True if the client is connected as far as the driver knows. Sends no command.
    fn is_connected(&self) -> PyResult<bool> {
        if self.is_released.load(Ordering::Acquire) {
            return Ok(false);
        }
        let modem = self.modem.get().modem()?;
        Ok(modem.is_open() && modem.state().is_connected(self.index))
    }

    /// Ask the module for this client's state: `AT+CMQTTACCQ?`, `CONNECT?`, `DISC?`, `SSLCFG?`, `CFG?`.
    fn query(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let index = self.index;
        let query = move |session: Session| async move {
            // One by one, since a read form may have to wait for a result that the other client is owed.
            let mut answers = Vec::new();
            for query in ClientReport::queries() {
                answers.push(session.run_soon(query).await?);
            }
            Ok(ClientReport::from_answers(index, &answers)?)
        };
        self.module()?.run(py, |modem| modem.start(query), object)
    }

    fn __repr__(&self) -> String {
        let connected = self.is_connected().unwrap_or(false);
        let state = if connected { "connected" } else { "not connected" };
        format!("<MqttClient {} {:?}, {state}>", self.index, self.client_id)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.modem)
    }
}

impl MqttClient {
    fn new(modem: &Bound<'_, SimcomMqtt>, index: ClientIndex, client_id: String) -> Self {
        Self { modem: modem.clone().unbind(), index, client_id, is_released: AtomicBool::new(false) }
    }

    /// The module, as long as this object stands for its client.
    pub(super) fn module(&self) -> PyResult<&SimcomMqtt> {
        if self.is_released.load(Ordering::Acquire) {
            return Err(Error::Released { client: self.index, client_id: self.client_id.clone() }.into());
        }
        Ok(self.modem.get())
    }

    /// This object stands for its client no more. What came before is still delivered.
    fn retire(&self) {
        if !self.is_released.swap(true, Ordering::AcqRel) {
            self.modem.get().release_callbacks(self.index);
        }
    }

    /// Returns the Python object of a client, if the program still holds it.
    fn held<'py>(modem: &Bound<'py, SimcomMqtt>, index: ClientIndex) -> Option<Bound<'py, Self>> {
        let weak = modem.get().client_reference(modem.py(), index)?;
        weak.bind(modem.py()).upgrade_as::<Self>().ok().flatten()
    }

    /// The object of a client that was just acquired. What an earlier one left behind is forgotten.
    pub(super) fn acquired<'py>(
        modem: &Bound<'py, SimcomMqtt>,
        index: ClientIndex,
        client_id: &str,
    ) -> PyResult<Bound<'py, Self>> {
        match Self::held(modem, index) {
            Some(former) => former.get().retire(),
            None => modem.get().release_callbacks(index),
        }
        let client = Bound::new(modem.py(), Self::new(modem, index, client_id.to_owned()))?;
        let weak = PyWeakrefReference::new(client.as_any())?.unbind();
        modem.get().set_client_reference(index, weak);
        Ok(client)
    }

    /// Returns the Python object of a client, the same one as long as the program holds it.
    pub(super) fn of<'py>(modem: &Bound<'py, SimcomMqtt>, index: ClientIndex) -> PyResult<Bound<'py, Self>> {
        let py = modem.py();
        let client_id = modem
            .get()
            .modem()?
            .state()
            .client(index)
            .map_or_else(String::new, |known| known.client_id.clone());
        let same = |client: &Bound<'_, Self>| client.get().client_id == client_id || client_id.is_empty();
        if let Some(client) = Self::held(modem, index).filter(same) {
            return Ok(client);
        }
        let client = Bound::new(py, Self::new(modem, index, client_id))?;
        let weak = PyWeakrefReference::new(client.as_any())?.unbind();
        modem.get().set_client_reference(index, weak);
        Ok(client)
    }

    fn snapshot(&self) -> PyResult<Option<ClientSnapshot>> {
        Ok(self.module()?.modem()?.state().client(self.index).cloned())
    }

    pub(super) fn operation_wait(&self, timeout: Option<f64>) -> PyResult<Duration> {
        const MARGIN: u64 = 5;
        if let Some(timeout) = timeout {
            return Ok(seconds("timeout", timeout)?);
        }
        let operation_timeout =
            self.snapshot()?.map_or(OperationTimeout::DEFAULT, |known| known.operation_timeout);
        Ok(Duration::from_secs(u64::from(operation_timeout.number()) + MARGIN))
    }

    fn run_all(&self, py: Python<'_>, commands: Vec<Command>) -> PyResult<Py<PyAny>> {
        let each = self.module()?.modem()?.command_timeout();
        let timeout = each * u32::try_from(commands.len() + 1).unwrap_or(u32::MAX);
        self.execute(py, commands, timeout)
    }

    fn execute(&self, py: Python<'_>, commands: Vec<Command>, timeout: Duration) -> PyResult<Py<PyAny>> {
        let transaction = Transaction::new(commands, timeout).retrying_while_busy();
        let execute = |session: Session| async move { session.execute(transaction).await.map(drop) };
        self.module()?.run(py, |modem| modem.start(execute), none)
    }
}

/// The index of a client, as callers give it.
pub(super) fn client_index(index: Integer) -> Result<ClientIndex, commands::Invalid> {
    commands::client_index(index.0)
}
