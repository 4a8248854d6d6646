use pyo3::prelude::*;

use super::values::PortInfo;
use crate::link;

/// The serial ports of this host.
#[pyfunction]
pub(super) fn list_ports(py: Python<'_>) -> Vec<PortInfo> {
    py.detach(link::list_ports).into_iter().map(PortInfo::from).collect()
}
