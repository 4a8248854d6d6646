//! Serial ports, the wait and the waker on Unix.

mod attributes;
mod exclusive;
#[cfg(target_os = "linux")]
mod latency;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod lock_file;
#[cfg(target_os = "linux")]
mod processes;
mod serial;
mod system_calls;
mod wait;
mod waker;

pub(super) use serial::SerialPort;
pub(super) use wait::{Ready, wait};
pub use waker::Waker;
