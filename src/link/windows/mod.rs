//! Serial ports, the wait and the waker on Windows.
//!
//! Reads and writes are overlapped, and the kernel signals an event for each. So one call waits for the port, the waker and
//! the deadline, and nothing polls.

mod operation;
mod serial;
mod socket_watch;
mod wait;

pub(super) use serial::SerialPort;
pub(super) use socket_watch::SocketWatch;
pub use wait::Waker;
pub(super) use wait::{Ready, wait};
