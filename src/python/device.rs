//! `SimcomMqtt`: the module and its network, its SIM card, clock and position.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;

use super::arguments::Integer;
use super::modem::SimcomMqtt;
use super::operation::{none, object};
use crate::commands::{
    AccessPoint, AccessPointOptions, Identity, ModuleInfo, PdpContextStates, Pin, ReceivedSignal,
    ServingCell, TimeServer, seconds,
};
use crate::mqtt::Session;

#[pymethods]
impl SimcomMqtt {
    /// The identity of the module: `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN`.
    fn info(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move {
            Ok(ModuleInfo::join(
                session.ask(&Identity::Manufacturer).await?,
                session.ask(&Identity::Model).await?,
                session.ask(&Identity::Revision).await?,
                session.ask(&Identity::Imei).await?,
            ))
        };
        self.run(py, |modem| modem.start(query), object)
    }

    /// The strength of the received signal: `AT+CSQ`.
    fn signal_quality(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move { session.ask(&ReceivedSignal).await };
        self.run(py, |modem| modem.start(query), object)
    }

    /// The cell that serves the module: `AT+CPSI?`.
    fn cell(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move { session.ask(&ServingCell).await };
        self.run(py, |modem| modem.start(query), object)
    }

    /// The PDP contexts by their number, and if each is active: `AT+CGACT?`.
    fn pdp_contexts(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move { session.ask(&PdpContextStates).await };
        self.run(py, |modem| modem.start(query), |py, contexts| contexts.into_py_dict(py)?.into_py_any(py))
    }

    /// Wait until the module is registered and a PDP context for data is active.
    ///
    /// From `AT+CEREG?`, `CGREG?`, `CREG?` and `CGACT?`. Registered is a module in LTE, WCDMA or GSM; the context of IMS alone carries no data.
    ///
    /// CommandTimeoutError: not within `timeout`; the message tells what was still missing.
    #[pyo3(signature = (timeout = 60.0))]
    fn wait_for_network(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        let timeout = seconds("timeout", timeout)?;
        let wait = move |session: Session| async move { session.wait_for_network(timeout).await };
        self.run(py, |modem| modem.start(wait), object)
    }

    /// The SIM card: `AT+CPIN?`, `AT+CICCID`, `AT+CIMI`.
    fn sim(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, |modem| modem.start(|session: Session| async move { session.sim().await }), object)
    }

    /// Enter the PIN of the SIM card: `AT+CPIN`. A card that is ready gets nothing.
    ///
    /// pin: 4–8 digits. Never logged, and never sent again once the card refused it: three wrong ones lock the card.
    ///
    /// CommandError: the PIN is wrong, or the card waits for its PUK.
    fn enter_pin(&self, py: Python<'_>, pin: &str) -> PyResult<Py<PyAny>> {
        let pin = Pin::parse(pin)?;
        let enter = |session: Session| async move { session.enter_pin(pin).await };
        self.run(py, |modem| modem.start(enter), none)
    }

    /// The registration in the network: `AT+COPS?`, and the best of `AT+CEREG?`, `CGREG?` and `CREG?`.
    fn registration(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let ask = |session: Session| async move { session.registration().await };
        self.run(py, |modem| modem.start(ask), object)
    }

    /// The PDP contexts that carry data: `AT+CGDCONT?`, `AT+CGACT?`, `AT+CGPADDR`.
    ///
    /// Those for IMS and for emergency calls are left out: `pdp_contexts()` has all.
    fn data_contexts(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let ask = |session: Session| async move { session.data_contexts().await };
        self.run(py, |modem| modem.start(ask), object)
    }

    /// Set the access point of the operator: `AT+CGDCONT`, and `AT+CGAUTH` if it asks for a user.
    ///
    /// The module keeps it, and uses it when it activates the context next: at `start()`, or after a restart.
    ///
    /// apn: up to 100 bytes; empty: the network chooses.
    /// context: 1–24. The MQTT service uses 1.
    /// type: "IP", "IPV6" or "IPV4V6".
    /// user, password: 1–127 bytes each, never logged.
    /// auth: "none", "pap" or "chap"; None: the authentication stays as it is, or with a user the network chooses.
    ///
    /// CommandError: the module refuses it.
    #[pyo3(
        signature = (apn, *, context = Integer(1), r#type = "IPV4V6", user = None, password = None, auth = None),
        text_signature = "($self, apn, *, context=1, type='IPV4V6', user=None, password=None, auth=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments")]
    fn set_apn(
        &self,
        py: Python<'_>,
        apn: &str,
        context: Integer,
        r#type: &str,
        user: Option<&str>,
        password: Option<&str>,
        auth: Option<&str>,
    ) -> PyResult<Py<PyAny>> {
        let options = AccessPointOptions { apn, context: context.0, kind: r#type, user, password, auth };
        let access_point = AccessPoint::parse(options)?;
        let set = |session: Session| async move { session.set_access_point(access_point).await };
        self.run(py, |modem| modem.start(set), none)
    }

    /// The clock of the module, with its time zone: `AT+CCLK?`. None: it was never set.
    fn clock(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, |modem| modem.start(|session: Session| async move { session.clock().await }), object)
    }

    /// Set the clock from a time server, and return it: `AT+CNTP`. The time zone stays as it is.
    ///
    /// server: 1–255 bytes.
    ///
    /// CommandError: the module cannot reach the server.
    /// CommandTimeoutError: no result within `timeout`.
    #[pyo3(signature = (server = "pool.ntp.org", *, timeout = 30.0))]
    fn sync_clock(&self, py: Python<'_>, server: &str, timeout: f64) -> PyResult<Py<PyAny>> {
        let (server, timeout) = (TimeServer::parse(server)?, seconds("timeout", timeout)?);
        let sync = move |session: Session| async move { session.sync_clock(server, timeout).await };
        self.run(py, |modem| modem.start(sync), object)
    }

    /// Switch the satellite receiver on or off: `AT+CGNSSPWR`. After some seconds it is ready.
    ///
    /// CommandError: the module has no receiver.
    /// CommandTimeoutError: the receiver is not ready within `timeout`.
    #[pyo3(signature = (on, *, timeout = 30.0))]
    fn set_gnss(&self, py: Python<'_>, on: bool, timeout: f64) -> PyResult<Py<PyAny>> {
        let timeout = seconds("timeout", timeout)?;
        let switch = move |session: Session| async move { session.set_gnss(on, timeout).await };
        self.run(py, |modem| modem.start(switch), none)
    }

    /// The position by satellites: `AT+CGNSSINFO`. None: no fix, or the receiver is off (`set_gnss`).
    fn position(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.run(py, |modem| modem.start(|session: Session| async move { session.position().await }), object)
    }
}
