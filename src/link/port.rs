use std::io;
use std::num::NonZeroU32;
#[cfg(unix)]
use std::os::fd::BorrowedFd;

use super::address::Address;
use super::line_errors::LineErrors;

/// An open port.
///
/// On Unix no method waits: the I/O thread waits in `poll`. On Windows `read` waits a few milliseconds at most.
pub trait Port: Send {
    /// Reads the bytes that have arrived, at least one.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if no byte has arrived, `Interrupted` after a signal. Any other error means that the port is gone. An
    /// end of file means that too, so it is an error and not a read of 0 bytes.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes as many bytes as fit and returns their number.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if no byte fits, `Interrupted` after a signal. Any other error means that the port is gone.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Returns the number of written bytes that are still in this machine; 0 where the system does not tell.
    fn output_pending(&self) -> usize;

    /// Returns the baud rate, or `None` if the bytes do not leave over a UART of this machine.
    fn baudrate(&self) -> Option<NonZeroU32>;

    /// Returns the errors on the line since the last call. Bytes that they damaged were returned by the last `read` at the
    /// earliest; the next `read` may return some too.
    fn take_line_errors(&mut self) -> LineErrors {
        LineErrors::default()
    }

    /// Returns what the person at the rig should know about this port, once.
    fn take_warnings(&mut self) -> Vec<String> {
        Vec::new()
    }

    #[cfg(unix)]
    fn descriptor(&self) -> BorrowedFd<'_>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowControl {
    None,
    /// RTS and CTS.
    Hardware,
    /// XON and XOFF, which cannot be sent as data then.
    Software,
}

/// The port to open and its settings. Baud rate and flow control apply to serial ports only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub address: Address,
    pub baudrate: NonZeroU32,
    pub flow_control: FlowControl,
}

#[cfg(windows)]
impl From<FlowControl> for serialport::FlowControl {
    fn from(flow_control: FlowControl) -> Self {
        match flow_control {
            FlowControl::None => Self::None,
            FlowControl::Hardware => Self::Hardware,
            FlowControl::Software => Self::Software,
        }
    }
}
