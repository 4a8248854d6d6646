use std::io;
use std::num::NonZeroU32;
#[cfg(unix)]
use std::os::fd::BorrowedFd;

use super::address::Address;
use super::platform;
use super::port_error::PortError;
use super::tcp;

/// An open port.
///
/// On Unix nothing here waits, since the I/O thread waits in `poll`. On Windows `read` waits a few milliseconds at most.
pub trait Port: Send {
    /// Takes what has arrived, at least a byte.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing has, `Interrupted`; any other means that the port is gone. So does an end of file, which is
    /// therefore an error and not a read of 0 bytes.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes as much as fits.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if nothing fits, `Interrupted`; any other means that the port is gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// How many written bytes are known to be in this machine still; 0 where the system does not tell.
    fn output_pending(&self) -> usize;

    /// None where bytes do not go over a UART of this machine.
    fn baudrate(&self) -> Option<NonZeroU32>;

    #[cfg(unix)]
    fn descriptor(&self) -> BorrowedFd<'_>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowControl {
    None,
    /// RTS and CTS.
    Hardware,
    /// XON and XOFF, which cannot then be sent as data.
    Software,
}

/// Which port to open, and how. Baud rate and flow control are for serial ports alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub address: Address,
    pub baudrate: NonZeroU32,
    pub flow_control: FlowControl,
}

/// Opens a port for this object alone, raw, 8 data bits, no parity, 1 stop bit. Waits at most 5 s, for a TCP connection.
///
/// # Errors
///
/// See [`PortError`].
pub fn open(settings: &Settings) -> Result<Box<dyn Port>, PortError> {
    match &settings.address {
        Address::Serial { path } => Ok(Box::new(platform::SerialPort::open(path, settings)?)),
        Address::Socket { host, port } => Ok(Box::new(tcp::TcpPort::connect(host, *port)?)),
    }
}

impl From<FlowControl> for serialport::FlowControl {
    fn from(flow_control: FlowControl) -> Self {
        match flow_control {
            FlowControl::None => Self::None,
            FlowControl::Hardware => Self::Hardware,
            FlowControl::Software => Self::Software,
        }
    }
}
