use pyo3::prelude::*;

use super::{html, repr};
use crate::commands;

/// How well the module hears the network: `AT+CSQ`.
#[pyclass(frozen, eq, hash, get_all, module = "simcom_mqtt")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct SignalQuality {
    /// −113 to −51 dBm in steps of 2; None: not known.
    rssi_dbm: Option<i16>,
    /// Bit error rate, class 0–7; None: not known.
    ber: Option<u8>,
    /// The module's own line.
    raw: String,
}

impl From<commands::SignalQuality> for SignalQuality {
    fn from(quality: commands::SignalQuality) -> Self {
        let commands::SignalQuality { rssi_dbm, ber, raw } = quality;
        Self { rssi_dbm, ber, raw }
    }
}

#[pymethods]
impl SignalQuality {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf, &["rssi_dbm", "ber", "raw"])
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        html(slf, &["rssi_dbm", "ber"])
    }
}
