use pyo3::prelude::*;

use super::{html, repr};
use crate::commands;

/// Who the module is: `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN`.
#[pyclass(frozen, eq, hash, get_all, module = "simcom_mqtt")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ModuleInfo {
    /// As "SIMCOM INCORPORATED".
    manufacturer: String,
    /// As "SIM7670G-MNGV".
    model: String,
    /// Of the firmware.
    revision: String,
    /// The module's own number, 15 digits.
    imei: String,
    /// The module's own lines.
    raw: String,
}

impl From<commands::ModuleInfo> for ModuleInfo {
    fn from(info: commands::ModuleInfo) -> Self {
        let commands::ModuleInfo { manufacturer, model, revision, imei, raw } = info;
        Self { manufacturer, model, revision, imei, raw }
    }
}

const SHOWN: &[&str] = &["manufacturer", "model", "revision", "imei"];

#[pymethods]
impl ModuleInfo {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf, SHOWN)
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        html(slf, SHOWN)
    }
}
