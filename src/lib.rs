//! Driver for the MQTT stack of `SIMCom` SIM7672X/SIM7652X LTE modules.

pub mod commands;
pub mod link;
pub mod protocol;
pub mod session;

#[cfg(feature = "python")]
mod bindings;

#[cfg(feature = "python")]
#[pyo3::pymodule]
fn _native(module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
    bindings::register(module)
}
