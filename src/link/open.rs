use super::address::Address;
use super::platform::SerialPort;
use super::port::{Port, Settings};
use super::port_error::PortError;
use super::rfc2217::Rfc2217Port;
use super::tcp::TcpPort;

/// Opens a port exclusively: raw, 8 data bits, no parity, 1 stop bit. A TCP connection may take up to 5 s,
/// and so may the settings of RFC 2217.
///
/// # Errors
///
/// A [`PortError`] that says why the port cannot be opened.
pub fn open(settings: &Settings) -> Result<Box<dyn Port>, PortError> {
    let name = settings.address.to_string();
    match &settings.address {
        Address::Serial { path } => Ok(Box::new(SerialPort::open(path, settings)?)),
        Address::Socket { host, port } => Ok(Box::new(TcpPort::connect(&name, host, *port)?)),
        Address::Rfc2217 { host, port } => Ok(Box::new(Rfc2217Port::connect(&name, host, *port, settings)?)),
    }
}
