//! The port, the thread that reads and writes it, and the waker that interrupts its wait.

mod address;
mod driver;
mod io_loop;
mod io_thread;
mod list_ports;
mod mailbox;
mod port;
mod port_error;
mod port_identity;
mod tcp;

#[cfg(unix)]
mod serial;
#[cfg(target_os = "linux")]
mod sysfs;
#[cfg(unix)]
mod system_calls;
#[cfg(unix)]
mod wait;
#[cfg(unix)]
mod waker;

/// What each operating system has in its own way.
#[cfg(unix)]
mod platform {
    pub(super) use super::serial::SerialPort;
    pub(super) use super::wait::{Ready, wait};
    pub use super::waker::Waker;

    /// Whether a read waits for what has not arrived yet.
    pub(super) const READ_WAITS: bool = false;
}
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;

pub use address::{Address, AddressError};
pub use driver::Driver;
pub use io_thread::IoThread;
pub use list_ports::{PortInfo, list_ports};
pub use platform::Waker;
pub use port::{FlowControl, Port, Settings, open};
pub use port_error::PortError;
pub(crate) use port_error::described;
pub use port_identity::{PortIdentity, find_again};
