//! `SimcomMqtt`: the MQTT service, its clients, and any command.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::arguments::{Integer, PayloadBytes};
use super::client::{MqttClient, client_index};
use super::modem::SimcomMqtt;
use super::operation::{none, object};
use super::values::{Reconnect, Tls, Will};
use crate::at::ClientIndex;
use crate::commands::messages::SubscribedTopics;
use crate::commands::service::Limits;
use crate::commands::{
    self, ClientId, Credentials, Invalid, KeepAlive, OperationTimeout, ProtocolVersion, ServerAddress,
    seconds,
};
use crate::mqtt::{ConnectPlan, Session};

#[pymethods]
impl SimcomMqtt {
    /// Connect to a broker in one call: START if needed, ACCQ, CFG, SSLCFG, WILLTOPIC, WILLMSG, CONNECT.
    ///
    /// The flows of chapters 3.1 to 3.5.
    ///
    /// url: "mqtt://host[:1883]" or "tcp://…", "mqtts://host[:8883]" or "ssl://…", or "host[:port]".
    /// client_id: 1–128 bytes; None: "<IMEI>-<index>".
    /// index: which of the two clients; None: the first that is free.
    /// username: 1–256 bytes.
    /// password: up to 256 bytes; some firmware wants an empty one with a user name.
    /// keepalive: 1–64800 s between two packets.
    /// tls: None with mqtts:// verifies the server, and so asks for a `ca`.
    /// version: the MQTT protocol, `AT+CMQTTCFG="version"`.
    /// check_utf8: whether the module refuses topics that are not UTF-8.
    /// operation_timeout: 20–120 s for the module to send or receive, `AT+CMQTTCFG="optimeout"`.
    ///
    /// ConnectError: the module or the broker said no; `code` tells why. The client is released again.
    ///     Interrupted, the driver disconnects and releases the client that it comes to.
    /// CommandTimeoutError: no result within `timeout`.
    #[pyo3(
        signature = (
            url, *, client_id = None, index = None, username = None, password = None, keepalive = Integer(60),
            clean_session = true, will = None, tls = None, version = "3.1.1", check_utf8 = true,
            operation_timeout = Integer(120), reconnect = None, timeout = 120.0
        ),
        text_signature = "($self, url, *, client_id=None, index=None, username=None, password=None, keepalive=60, clean_session=True, will=None, tls=None, version='3.1.1', check_utf8=True, operation_timeout=120, reconnect=None, timeout=120.0)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn connect<'py>(
        slf: &Bound<'py, Self>,
        url: &str,
        client_id: Option<&str>,
        index: Option<Integer>,
        username: Option<&str>,
        password: Option<&str>,
        keepalive: Integer,
        clean_session: bool,
        will: Option<&Bound<'py, Will>>,
        tls: Option<&Bound<'py, Tls>>,
        version: &str,
        check_utf8: bool,
        operation_timeout: Integer,
        reconnect: Option<&Bound<'py, Reconnect>>,
        timeout: f64,
    ) -> PyResult<Py<PyAny>> {
        let plan = ConnectPlan {
            server: server_address(url, tls.is_some())?,
            client_id: client_id.map(ClientId::parse).transpose()?,
            client: index.map(client_index).transpose()?,
            credentials: Credentials::parse(username, password)?,
            keep_alive: KeepAlive::parse(keepalive.0)?,
            clean_session,
            will: will.map(|will| will.get().will().clone()),
            tls: tls.map(|tls| tls.get().settings().clone()),
            version: ProtocolVersion::parse(version)?,
            check_utf8,
            operation_timeout: OperationTimeout::parse(operation_timeout.0)?,
            timeout: seconds("timeout", timeout)?,
        };
        let policy = reconnect.map(|reconnect| reconnect.get().policy());
        let modem = slf.clone().unbind();
        slf.get().run(
            slf.py(),
            |driver| driver.connect(plan, policy),
            move |py, (index, client_id)| {
                Ok(MqttClient::acquired(modem.bind(py), index, client_id.as_str())?.into_any().unbind())
            },
        )
    }

    /// Start the MQTT service, which activates a PDP context: `AT+CMQTTSTART`, chapter 2.2.1.
    ///
    /// A service that an earlier process left running is taken over.
    ///
    /// MqttError: this object has started it already (a bare ERROR, `code` None), or there is no network.
    #[pyo3(signature = (*, timeout = 14.0))]
    fn start(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        let timeout = seconds("timeout", timeout)?;
        self.run(py, |modem| modem.start(move |session| async move { session.start(timeout).await }), none)
    }

    /// Stop the MQTT service: `AT+CMQTTSTOP`, chapter 2.2.2.
    ///
    /// Clients that an earlier process left acquired are released first.
    ///
    /// MqttError: it does not run, or a client of this object is still acquired.
    #[pyo3(signature = (*, timeout = 14.0))]
    fn stop(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        let timeout = seconds("timeout", timeout)?;
        self.run(py, |modem| modem.start(move |session| async move { session.stop(timeout).await }), none)
    }

    /// Acquire a client of the module: `AT+CMQTTACCQ`, chapter 2.2.3.
    ///
    /// client_id: 1–128 bytes.
    /// tls: whether the client will connect by TLS.
    ///
    /// A client that an earlier process left acquired is disconnected and released first.
    ///
    /// MqttError: this object has acquired it already (`code` CLIENT_IS_USED or None), or the service does not run.
    #[pyo3(signature = (client_id, index = Integer(0), *, tls = false), text_signature = "($self, client_id, index=0, *, tls=False)")]
    fn acquire(slf: &Bound<'_, Self>, client_id: &str, index: Integer, tls: bool) -> PyResult<Py<PyAny>> {
        let (client_id, index) = (ClientId::parse(client_id)?, client_index(index)?);
        let (modem, name) = (slf.clone().unbind(), client_id.as_str().to_owned());
        slf.get().run(
            slf.py(),
            |driver| driver.acquire(index, client_id, tls),
            move |py, ()| Ok(MqttClient::acquired(modem.bind(py), index, &name)?.into_any().unbind()),
        )
    }

    /// The acquired clients, ours or found on the module: `AT+CMQTTACCQ?`, chapter 2.2.3. None while the service is
    /// not started.
    fn clients(slf: &Bound<'_, Self>) -> PyResult<Py<PyAny>> {
        let modem = slf.clone().unbind();
        slf.get().run(
            slf.py(),
            |driver| driver.start(|session| async move { session.find_clients().await }),
            move |py, found| {
                let client = |index: ClientIndex| MqttClient::of(modem.bind(py), index);
                found.into_iter().map(client).collect::<PyResult<Vec<_>>>()?.into_py_any(py)
            },
        )
    }

    /// Ask whether the MQTT service runs: `AT+CMQTTREL?`, chapter 2.2.4, which answers ERROR if not.
    fn is_started(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, |modem| modem.start(|session| async move { session.is_started().await }), object)
    }

    /// The topic filters of both clients, not told apart: `AT+CMQTTSUB?`, chapter 2.2.13.
    fn subscribed_topics(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move { session.ask(&SubscribedTopics).await };
        self.run(
            py,
            |modem| modem.start(query),
            |py, topics| {
                topics.iter().map(|topic| PyBytes::new(py, topic)).collect::<Vec<_>>().into_py_any(py)
            },
        )
    }

    /// The ranges that this firmware takes: each MQTT command's `=?` form, chapter 2.2.
    ///
    /// The values are the information lines without their prefix: `{"CMQTTPUB": ["(0-1),(0-2),(60-180),(0-1),(0-1)"]}`.
    fn limits(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move {
            let mut answers = Vec::new();
            for limits in Limits::ALL {
                answers.push((limits.0, session.ask(&limits).await?));
            }
            Ok(answers)
        };
        self.run(
            py,
            |modem| modem.start(query),
            |py, answers| {
                let limits = PyDict::new(py);
                for (name, ranges) in answers {
                    limits.set_item(name, ranges)?;
                }
                limits.into_py_any(py)
            },
        )
    }

    /// Run any AT command, and return its information lines.
    ///
    /// data: what its `>` prompt gets.
    /// timeout: None: the `command_timeout` of this object, or what the note allows the command if that is longer.
    ///
    /// CommandError: the module answered ERROR or +CME ERROR.
    /// CommandTimeoutError: it did not answer in time.
    #[pyo3(signature = (command, data = None, *, timeout = None))]
    fn command(
        &self,
        py: Python<'_>,
        command: &str,
        data: Option<PayloadBytes>,
        timeout: Option<f64>,
    ) -> PyResult<Py<PyAny>> {
        let mut command = commands::raw(command, data.map(|data| data.0))?;
        let timeout = timeout.map(|timeout| seconds("timeout", timeout)).transpose()?;
        let run = move |session: Session| async move {
            let Some(timeout) = timeout else { return session.run_soon(command).await };
            // The caller knows how long this command may take.
            command = command.with_limit(timeout);
            session.run(command, timeout).await
        };
        self.run(
            py,
            |modem| modem.start(run),
            |py, lines| {
                let text = |line: &Vec<u8>| String::from_utf8_lossy(line).into_owned();
                object(py, lines.iter().map(text).collect::<Vec<_>>())
            },
        )
    }
}

/// The scheme of the URL chooses TLS; without a scheme, `tls` does.
fn server_address(url: &str, has_tls: bool) -> Result<ServerAddress, Invalid> {
    let server = ServerAddress::parse(url, has_tls.then_some(true))?;
    if server.tls() && !has_tls {
        return Err(Invalid::value(
            "tls",
            "None",
            "given with mqtts://, as Tls(ca=…) or Tls(verify=\"none\")",
        ));
    }
    Ok(server)
}
