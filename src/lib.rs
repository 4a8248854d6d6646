//! Driver for the MQTT stack of SIMCom SIM7672X/SIM7652X LTE modules.

pub mod commands;
pub mod link;
pub mod protocol;
pub mod session;

#[cfg(feature = "python")]
#[pyo3::pymodule]
mod _native {}
