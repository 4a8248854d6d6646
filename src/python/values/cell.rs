use pyo3::prelude::*;

use super::{html, repr};
use crate::commands;

/// The cell that serves the module: `AT+CPSI?`. Without service, all but `mode`, `operation` and `raw` are None.
///
/// The levels are in decibels whichever way the firmware counts them: SIM767XX prints decibels, A76XX the reporting
/// levels of 3GPP TS 36.133 (given as the lower edge of their step), SIM7600 tenths. What is documented for none of
/// them is None, and stands in `raw`.
#[pyclass(frozen, eq, get_all, module = "simcom_mqtt")]
#[derive(PartialEq)]
#[expect(clippy::struct_field_names, reason = "a cell id is called so")]
pub(crate) struct Cell {
    /// As "LTE" or "NO SERVICE".
    mode: String,
    /// As "Online" or "Low Power Mode".
    operation: String,
    /// Mobile country and network code, as "460-00".
    mcc_mnc: Option<String>,
    /// Tracking area code; in GSM and WCDMA the location area code.
    tac: Option<u32>,
    /// Serving cell identity.
    cell_id: Option<u32>,
    /// The cell's number on the radio channel.
    physical_cell_id: Option<u16>,
    /// As "EUTRAN-BAND3".
    band: Option<String>,
    /// Number of the radio channel.
    earfcn: Option<u32>,
    /// The module's class of bandwidth, 0–5: 1.4, 3, 5, 10, 15 and 20 MHz.
    downlink_bandwidth: Option<u8>,
    /// The module's class of bandwidth, 0–5: 1.4, 3, 5, 10, 15 and 20 MHz.
    uplink_bandwidth: Option<u8>,
    /// Reference signal received quality.
    rsrq_db: Option<f64>,
    /// Reference signal received power.
    rsrp_dbm: Option<i16>,
    /// Received signal strength.
    rssi_dbm: Option<i16>,
    /// Signal-to-noise ratio of the reference signal.
    rssnr_db: Option<i16>,
    /// The module's own line.
    raw: String,
}

impl From<commands::Cell> for Cell {
    fn from(cell: commands::Cell) -> Self {
        Self {
            mode: cell.mode,
            operation: cell.operation,
            mcc_mnc: cell.mcc_mnc,
            tac: cell.tac,
            cell_id: cell.cell_id,
            physical_cell_id: cell.physical_cell_id,
            band: cell.band,
            earfcn: cell.earfcn,
            downlink_bandwidth: cell.downlink_bandwidth,
            uplink_bandwidth: cell.uplink_bandwidth,
            rsrq_db: cell.rsrq_db,
            rsrp_dbm: cell.rsrp_dbm,
            rssi_dbm: cell.rssi_dbm,
            rssnr_db: cell.rssnr_db,
            raw: cell.raw,
        }
    }
}

#[pymethods]
impl Cell {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf, &["mode", "operation", "mcc_mnc", "band", "rsrq_db", "rsrp_dbm", "rssi_dbm", "raw"])
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        html(
            slf,
            &[
                "mode",
                "operation",
                "mcc_mnc",
                "tac",
                "cell_id",
                "physical_cell_id",
                "band",
                "earfcn",
                "rsrp_dbm",
                "rsrq_db",
                "rssi_dbm",
                "rssnr_db",
            ],
        )
    }
}
