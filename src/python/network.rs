//! `SimcomMqtt`: the module and its network.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::modem::SimcomMqtt;
use crate::commands::{Cell, ModuleInfo, SignalQuality, cell, network, seconds};

#[pymethods]
impl SimcomMqtt {
    /// Who the module is: `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN`.
    fn info(&self, py: Python<'_>) -> PyResult<ModuleInfo> {
        self.run(py, |modem, patience| {
            let ask = |command| modem.run_soon(command, patience);
            let answers = ModuleInfo::queries().into_iter().map(ask).collect::<Result<Vec<_>, _>>()?;
            Ok(ModuleInfo::from_answers(&answers)?)
        })
    }

    /// How well the module hears the network: `AT+CSQ`.
    fn signal_quality(&self, py: Python<'_>) -> PyResult<SignalQuality> {
        self.run(py, |modem, patience| {
            modem.ask(network::query_signal_quality(), SignalQuality::from_answer, patience)
        })
    }

    /// The cell that serves the module: `AT+CPSI?`.
    fn cell(&self, py: Python<'_>) -> PyResult<Cell> {
        self.run(py, |modem, patience| modem.ask(cell::query(), Cell::from_answer, patience))
    }

    /// Which PDP contexts are active, by their number: `AT+CGACT?`.
    fn pdp_contexts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let lines =
            self.run(py, |modem, patience| modem.run_soon(network::query_pdp_contexts(), patience))?;
        let contexts = PyDict::new(py);
        for (context, active) in network::pdp_contexts(&lines) {
            contexts.set_item(context, active)?;
        }
        Ok(contexts)
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
