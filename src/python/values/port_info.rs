use pyo3::prelude::*;

use super::{html, repr};
use crate::link;

/// A serial port of this host.
#[pyclass(frozen, eq, hash, get_all, module = "simcom_mqtt")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PortInfo {
    /// What `SimcomMqtt` takes, as "/dev/ttyUSB2".
    device: String,
    /// A name that stays the same wherever it is plugged in, as "/dev/serial/by-id/usb-…-if04-port0".
    by_id: Option<String>,
    /// Manufacturer, product and interface, as the USB device names them.
    description: Option<String>,
    /// USB vendor number.
    vid: Option<u16>,
    /// USB product number.
    pid: Option<u16>,
    /// As the USB device tells it. Many modules all tell the same.
    serial_number: Option<String>,
    /// Number of the USB interface: a module has several ports, and one of them speaks AT.
    interface: Option<u8>,
}

impl From<link::PortInfo> for PortInfo {
    fn from(port: link::PortInfo) -> Self {
        Self {
            device: port.device,
            by_id: port.by_id,
            description: port.description,
            vid: port.vid,
            pid: port.pid,
            serial_number: port.serial_number,
            interface: port.interface,
        }
    }
}

const SHOWN: &[&str] = &["device", "by_id", "description", "vid", "pid", "serial_number", "interface"];

#[pymethods]
impl PortInfo {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf, SHOWN)
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        html(slf, SHOWN)
    }
}
