//! Ports, the I/O thread that reads and writes a port, and the waker that interrupts its wait.
//!
//! The thread moves bytes between a [`Port`] and a [`Driver`] and tells the driver the time. It knows nothing of AT commands.

mod address;
mod io_driver;
mod io_loop;
mod io_thread;
mod line_errors;
mod list_ports;
mod modem_ports;
mod open;
mod port;
mod port_error;
mod port_identity;
mod port_info;
mod rfc2217;
#[cfg(target_os = "linux")]
mod sysfs;
mod tcp;
mod telnet;
mod thread_control;

/// Serial ports, the wait and the waker, which each operating system has in its own way.
#[cfg(unix)]
#[path = "unix/mod.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows/mod.rs"]
mod platform;

pub use address::{Address, AddressError};
pub use io_driver::Driver;
pub use io_thread::IoThread;
pub use line_errors::LineErrors;
pub use list_ports::list_ports;
pub use modem_ports::{ModemPort, usb_modem_ports};
pub use open::open;
pub use platform::Waker;
pub use port::{FlowControl, Port, Settings};
pub use port_error::PortError;
pub(crate) use port_error::described;
pub use port_identity::PortIdentity;
pub use port_info::PortInfo;
