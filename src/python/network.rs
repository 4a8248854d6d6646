//! `SimcomMqtt`: the module and its network.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::IntoPyDict;

use super::modem::SimcomMqtt;
use super::operation::object;
use crate::commands::{Identity, ModuleInfo, PdpContextStates, ReceivedSignal, ServingCell, seconds};
use crate::mqtt::Session;

#[pymethods]
impl SimcomMqtt {
    /// Who the module is: `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN`.
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

    /// How well the module hears the network: `AT+CSQ`.
    fn signal_quality(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move { session.ask(&ReceivedSignal).await };
        self.run(py, |modem| modem.start(query), object)
    }

    /// The cell that serves the module: `AT+CPSI?`.
    fn cell(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move { session.ask(&ServingCell).await };
        self.run(py, |modem| modem.start(query), object)
    }

    /// Which PDP contexts are active, by their number: `AT+CGACT?`.
    fn pdp_contexts(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move { session.ask(&PdpContextStates).await };
        self.run(py, |modem| modem.start(query), |py, contexts| contexts.into_py_dict(py)?.into_py_any(py))
    }

    /// Wait until the module is registered and a PDP context is active: `AT+CEREG?`, `AT+CGACT?`.
    ///
    /// CommandTimeoutError: not within `timeout`; the message tells what was still missing.
    #[pyo3(signature = (timeout = 60.0))]
    fn wait_for_network(&self, py: Python<'_>, timeout: f64) -> PyResult<Py<PyAny>> {
        let timeout = seconds("timeout", timeout)?;
        let wait = move |session: Session| async move { session.wait_for_network(timeout).await };
        self.run(py, |modem| modem.start(wait), object)
    }
}
