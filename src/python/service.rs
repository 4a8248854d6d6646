//! `SimcomMqtt`: the MQTT service, its clients, and any command.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::arguments::{Integer, PayloadBytes};
use super::client::{MqttClient, client_index};
use super::modem::SimcomMqtt;
use super::values::{Reconnect, Tls, Will};
use crate::channel::Transaction;
use crate::commands::client::{AcquiredClients, SslContextsInUse};
use crate::commands::connection::ConnectedClients;
use crate::commands::service::Limits;
use crate::commands::subscribing::SubscribedTopics;
use crate::commands::{
    self, ClientId, Credentials, Invalid, KeepAlive, OperationTimeout, ProtocolVersion, ServerAddress,
    SslContextIndex, seconds,
};
use crate::runtime::{ClientFacts, ConnectPlan, Error};

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
    ) -> PyResult<Bound<'py, MqttClient>> {
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
        let (index, client_id) = slf.get().run(slf.py(), |modem, patience| {
            let (index, client_id) = modem.connect(&plan, patience)?;
            if let Some(policy) = policy {
                modem.keep(index, client_id.clone(), plan, policy, patience);
            }
            Ok((index, client_id))
        })?;
        MqttClient::acquired(slf, index, client_id.as_str())
    }

    /// Start the MQTT service, which activates a PDP context: `AT+CMQTTSTART`, chapter 2.2.1.
    ///
    /// A service that an earlier process left running is taken over.
    ///
    /// MqttError: this object has started it already (a bare ERROR, `code` None), or there is no network.
    #[pyo3(signature = (*, timeout = 14.0))]
    fn start(&self, py: Python<'_>, timeout: f64) -> PyResult<()> {
        let timeout = seconds("timeout", timeout)?;
        self.run(py, |modem, patience| modem.start(timeout, patience))
    }

    /// Stop the MQTT service: `AT+CMQTTSTOP`, chapter 2.2.2.
    ///
    /// Clients that an earlier process left acquired are released first.
    ///
    /// MqttError: it does not run, or a client of this object is still acquired.
    #[pyo3(signature = (*, timeout = 14.0))]
    fn stop(&self, py: Python<'_>, timeout: f64) -> PyResult<()> {
        let timeout = seconds("timeout", timeout)?;
        self.run(py, |modem, patience| modem.stop(timeout, patience))
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
    fn acquire<'py>(
        slf: &Bound<'py, Self>,
        client_id: &str,
        index: Integer,
        tls: bool,
    ) -> PyResult<Bound<'py, MqttClient>> {
        let (client_id, index) = (ClientId::parse(client_id)?, client_index(index)?);
        slf.get().run(slf.py(), |modem, patience| modem.acquire(index, &client_id, tls, patience))?;
        MqttClient::acquired(slf, index, client_id.as_str())
    }

    /// The acquired clients, ours or found on the module: `AT+CMQTTACCQ?`, chapter 2.2.3. None while the service is
    /// not started.
    fn clients<'py>(slf: &Bound<'py, Self>) -> PyResult<Vec<Bound<'py, MqttClient>>> {
        let found = slf.get().run(slf.py(), |modem, patience| {
            if !modem.is_started(patience)? {
                return Ok(Vec::new());
            }
            let acquired = modem.ask(&AcquiredClients, patience)?;
            let connected = modem.ask(&ConnectedClients, patience)?;
            let contexts = if acquired.iter().any(|found| found.tls) {
                modem.ask(&SslContextsInUse, patience)?
            } else {
                Vec::new()
            };
            for found in &acquired {
                let connected = connected.contains(&(found.client, true));
                let used = contexts.iter().find(|(client, _)| *client == found.client);
                let ssl_context =
                    used.and_then(|(_, context)| SslContextIndex::parse(i64::from((*context)?)).ok());
                let facts = ClientFacts::found(found.client_id.clone(), found.tls, connected);
                modem.found(found.client, ClientFacts { ssl_context, ..facts });
            }
            Ok(acquired)
        })?;
        found.iter().map(|found| MqttClient::of(slf, found.client)).collect()
    }

    /// Whether the MQTT service runs: `AT+CMQTTREL?`, chapter 2.2.4, which answers ERROR if not.
    fn is_started(&self, py: Python<'_>) -> PyResult<bool> {
        self.run(py, |modem, patience| modem.is_started(patience))
    }

    /// The topic filters of both clients, not told apart: `AT+CMQTTSUB?`, chapter 2.2.13.
    fn subscribed_topics<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let topics = self.run(py, |modem, patience| modem.ask(&SubscribedTopics, patience))?;
        Ok(topics.iter().map(|topic| PyBytes::new(py, topic)).collect())
    }

    /// The ranges that this firmware takes: each MQTT command's `=?` form, chapter 2.2.
    ///
    /// The values are the information lines without their prefix: `{"CMQTTPUB": ["(0-1),(0-2),(60-180),(0-1),(0-1)"]}`.
    fn limits<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let answers = self.run(py, |modem, patience| {
            let ask = |limits: Limits| Ok((limits.0, modem.ask(&limits, patience)?));
            Limits::ALL.into_iter().map(ask).collect::<Result<Vec<_>, Error>>()
        })?;
        let limits = PyDict::new(py);
        for (name, ranges) in answers {
            limits.set_item(name, ranges)?;
        }
        Ok(limits)
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
    ) -> PyResult<Vec<String>> {
        let mut command = commands::raw(command, data.map(|data| data.0))?;
        let timeout = timeout.map(|timeout| seconds("timeout", timeout)).transpose()?;
        let lines = self.run(py, |modem, patience| match timeout {
            None => modem.run_soon(command, patience),
            Some(timeout) => {
                // The caller knows how long this one may take.
                command = command.with_limit(timeout);
                let mut answers = modem.execute(Transaction::single(command, timeout), patience)?;
                Ok(answers.pop().unwrap_or_default())
            }
        })?;
        Ok(lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect())
    }
}

/// Whether TLS is spoken is said by the URL or, without a scheme, by `tls`.
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
