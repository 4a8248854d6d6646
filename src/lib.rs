//! Driver for the MQTT stack of `SIMCom` SIM7672X/SIM7652X LTE modules.

pub mod at;
pub mod channel;
pub mod commands;
pub mod inbound;
pub mod link;
pub mod mqtt;
pub mod runtime;

#[cfg(feature = "python")]
mod python;

#[cfg(feature = "python")]
#[pyo3::pymodule]
fn _native(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
    python::register(module)
}
