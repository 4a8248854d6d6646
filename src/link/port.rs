use std::io;
use std::num::NonZeroU32;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
#[cfg(windows)]
use std::os::windows::io::RawHandle;

use super::address::Address;
use super::line_errors::LineErrors;

/// An open port.
///
/// No method waits. The I/O thread waits: on Unix in `poll`, on Windows for events.
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

    /// Returns true while the other side takes no output. The next read may end that.
    fn is_suspended(&self) -> bool {
        false
    }

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

    /// Returns the event that is signalled when there is input, and the one when a blocked write can go on.
    #[cfg(windows)]
    fn events(&self) -> [RawHandle; 2];

    /// Tells the port that a wait has ended with one of its events.
    #[cfg(windows)]
    fn acknowledge(&self) {}
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
