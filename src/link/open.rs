use super::address::Address;
use super::platform::SerialPort;
use super::port::{Port, Settings};
use super::port_error::PortError;
use super::tcp::TcpPort;

/// Opens a port exclusively: raw, 8 data bits, no parity, 1 stop bit. A TCP connection may take up to 5 s.
///
/// # Errors
///
/// A [`PortError`] that says why the port cannot be opened.
pub fn open(settings: &Settings) -> Result<Box<dyn Port>, PortError> {
    match &settings.address {
        Address::Serial { path } => Ok(Box::new(SerialPort::open(path, settings)?)),
        Address::Socket { host, port } => Ok(Box::new(TcpPort::connect(host, *port)?)),
    }
}
