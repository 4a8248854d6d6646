use pyo3::prelude::*;

use crate::link;

/// The serial ports of this host.
#[pyfunction]
pub(super) fn list_ports(py: Python<'_>) -> Vec<link::PortInfo> {
    py.detach(link::list_ports)
}
