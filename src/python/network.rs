//! `SimcomMqtt`: the module and its network.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use super::modem::SimcomMqtt;
use crate::commands::{
    Cell, Identity, ModuleInfo, PdpContextStates, ReceivedSignal, ServingCell, SignalQuality, seconds,
};

#[pymethods]
impl SimcomMqtt {
    /// Who the module is: `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN`.
    fn info(&self, py: Python<'_>) -> PyResult<ModuleInfo> {
        self.run(py, |modem, patience| {
            let ask = |identity| modem.ask(&identity, patience);
            Ok(ModuleInfo::join(
                ask(Identity::Manufacturer)?,
                ask(Identity::Model)?,
                ask(Identity::Revision)?,
                ask(Identity::Imei)?,
            ))
        })
    }

    /// How well the module hears the network: `AT+CSQ`.
    fn signal_quality(&self, py: Python<'_>) -> PyResult<SignalQuality> {
        self.run(py, |modem, patience| modem.ask(&ReceivedSignal, patience))
    }

    /// The cell that serves the module: `AT+CPSI?`.
    fn cell(&self, py: Python<'_>) -> PyResult<Cell> {
        self.run(py, |modem, patience| modem.ask(&ServingCell, patience))
    }

    /// Which PDP contexts are active, by their number: `AT+CGACT?`.
    fn pdp_contexts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.run(py, |modem, patience| modem.ask(&PdpContextStates, patience))?.into_py_dict(py)
    }

    /// Wait until the module is registered and a PDP context is active: `AT+CEREG?`, `AT+CGACT?`.
    ///
    /// CommandTimeoutError: not within `timeout`; the message tells what was still missing.
    #[pyo3(signature = (timeout = 60.0))]
    fn wait_for_network(&self, py: Python<'_>, timeout: f64) -> PyResult<Cell> {
        let timeout = seconds("timeout", timeout)?;
        self.run(py, |modem, patience| modem.wait_for_network(timeout, patience))
    }
}
