//! The values of `simcom_mqtt.values`: dataclasses that are declared in Python and made here.

use std::convert::Infallible;

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDateTime, PyDelta, PyDict, PyString, PyType, PyTzInfo};

use crate::channel::Counters;
use crate::{commands, link};

/// Converts a Rust struct to the dataclass of this name. The dataclass refuses fields that it does not know, and missing ones.
macro_rules! dataclass {
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    ($class:literal, $source:path { $($field:ident $(as $name:literal)?),* $(,)? }) => {
        impl<'py> IntoPyObject<'py> for $source {
            type Target = PyAny;
            type Output = Bound<'py, PyAny>;
            type Error = PyErr;

            fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
                // The class is imported at its first use: `dataclasses` takes longer to import than the whole package.
                static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
                let Self { $($field,)* .. } = self;
                let fields = PyDict::new(py);
                $(fields.set_item(intern!(py, dataclass!(@name $field $($name)?)), $field)?;)*
                CLASS.import(py, "simcom_mqtt.values", $class)?.call((), Some(&fields))
            }
        }
    };
}

dataclass!("ModuleInfo", commands::ModuleInfo { manufacturer, model, revision, imei, raw });
dataclass!("SignalQuality", commands::SignalQuality { rssi_dbm, ber, raw });
dataclass!(
    "Cell",
    commands::Cell {
        mode,
        operation,
        mcc_mnc,
        tac,
        cell_id,
        physical_cell_id,
        band,
        earfcn,
        downlink_bandwidth,
        uplink_bandwidth,
        rsrq_db,
        rsrp_dbm,
        rssi_dbm,
        rssnr_db,
        sinr_db,
        raw,
    }
);
dataclass!(
    "ClientState",
    commands::ClientReport {
        client_id,
        server_type,
        server_address,
        keepalive,
        clean_session,
        connected,
        ssl_context,
        check_utf8,
        operation_timeout,
        raw,
    }
);
dataclass!("Sim", commands::Sim { state, iccid, imsi, raw });
dataclass!("Registration", commands::Registration { state, technology, operator, is_registered, raw });
dataclass!("PdpContext", commands::PdpContext { number, kind as "type", apn, is_active, address });
dataclass!(
    "Position",
    commands::Position { latitude, longitude, altitude, speed, course, time, satellites, hdop, raw }
);
dataclass!("PortInfo", link::PortInfo { device, by_id, description, vid, pid, serial_number, interface });
dataclass!(
    "Stats",
    Stats {
        bytes_in,
        bytes_out,
        commands,
        messages,
        publishes,
        damaged_messages,
        dropped_messages,
        unknown_lines,
        late_results,
        queue_peak,
        reconnects,
        framing_errors,
        parity_errors,
        overruns,
        breaks,
    }
);

impl<'py> IntoPyObject<'py> for commands::SimState {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Infallible> {
        self.name().into_pyobject(py)
    }
}

impl<'py> IntoPyObject<'py> for commands::RegistrationState {
    type Target = PyString;
    type Output = Bound<'py, PyString>;
    type Error = Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Infallible> {
        self.name().into_pyobject(py)
    }
}

/// Becomes a `datetime` with its time zone.
impl<'py> IntoPyObject<'py> for commands::ClockTime {
    type Target = PyDateTime;
    type Output = Bound<'py, PyDateTime>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let Self { year, month, day, hour, minute, second, microsecond, quarters_of_an_hour } = self;
        let offset = PyDelta::new(py, 0, i32::from(quarters_of_an_hour) * 15 * 60, 0, true)?;
        let zone = PyTzInfo::fixed_offset(py, offset)?;
        PyDateTime::new(py, year.into(), month, day, hour, minute, second, microsecond, Some(&zone))
    }
}

/// The counters of the protocol engine and of the queue to the callback thread.
pub(crate) struct Stats {
    bytes_in: u64,
    bytes_out: u64,
    commands: u64,
    messages: u64,
    publishes: u64,
    damaged_messages: u64,
    dropped_messages: u64,
    unknown_lines: u64,
    late_results: u64,
    queue_peak: u64,
    reconnects: u64,
    framing_errors: u64,
    parity_errors: u64,
    overruns: u64,
    breaks: u64,
}

/// Counts outside the protocol engine.
#[derive(Clone, Copy, Default)]
pub(crate) struct QueueCounters {
    pub(crate) dropped_messages: u64,
    pub(crate) queue_peak: u64,
    pub(crate) reconnects: u64,
}

impl Stats {
    pub(crate) fn new(counters: Counters, queue: QueueCounters) -> Self {
        let Counters {
            bytes_in,
            bytes_out,
            commands,
            messages,
            publishes,
            damaged_messages,
            unknown_lines,
            deferred_results: late_results,
            framing_errors,
            parity_errors,
            overruns,
            breaks,
        } = counters;
        let QueueCounters { dropped_messages, queue_peak, reconnects } = queue;
        Self {
            bytes_in,
            bytes_out,
            commands,
            messages,
            publishes,
            damaged_messages,
            dropped_messages,
            unknown_lines,
            late_results,
            queue_peak,
            reconnects,
            framing_errors,
            parity_errors,
            overruns,
            breaks,
        }
    }
}
