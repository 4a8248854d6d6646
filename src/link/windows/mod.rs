//! What Windows has in its own way. Type-checked for Windows, but never run there.
//!
//! A read that waits blocks writes on a Windows serial port, so reads wait for a few milliseconds only, and a call of the
//! waker is seen between two of them.
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serialport::{COMPort, SerialPort as _};

use crate::link::port::{Port, Settings};
use crate::link::port_error::PortError;

pub(in crate::link) const READ_WAITS: bool = true;
pub(in crate::link) const READ_TIMEOUT: Duration = Duration::from_millis(5);

pub(in crate::link) struct SerialPort {
    port: COMPort,
    baudrate: NonZeroU32,
}

impl SerialPort {
    pub(in crate::link) fn open(path: &str, settings: &Settings) -> Result<Self, PortError> {
        // serialport has one error for a port that is missing and one that is in use; the system has two.
        let device = if path.starts_with('\\') { path.to_owned() } else { format!(r"\\.\{path}") };
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(device)
            .map_err(|error| PortError::from_device(path, &error))?;
        serialport::new(path, settings.baudrate.get())
            .flow_control(settings.flow_control.into())
            .timeout(READ_TIMEOUT)
            .open_native()
            .map(|port| Self { port, baudrate: settings.baudrate })
            .map_err(|error| PortError::from_serialport(path, &error))
    }
}

impl Port for SerialPort {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.port.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(io::ErrorKind::WouldBlock.into()),
            read => read,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.port.write(bytes)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    fn output_pending(&self) -> usize {
        self.port.bytes_to_write().map_or(0, |count| count as usize)
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        Some(self.baudrate)
    }
}

/// Calls the I/O thread, from any thread.
#[derive(Clone, Debug)]
pub struct Waker {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    is_outstanding: Mutex<bool>,
    called: Condvar,
}

impl Waker {
    #[allow(clippy::unnecessary_wraps)] // As elsewhere, where it takes a descriptor.
    pub fn new() -> io::Result<Self> {
        Ok(Self { shared: Arc::default() })
    }

    /// Makes the I/O thread call [`Driver::handle_wake`](crate::link::Driver::handle_wake). That call sees everything that
    /// the caller did before the wake.
    pub fn wake(&self) {
        *self.shared.is_outstanding.lock() = true;
        self.shared.called.notify_one();
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::link) struct Ready {
    pub(in crate::link) woken: bool,
    pub(in crate::link) readable: bool,
}

/// With a port it is the reading that waits; without one, a call or `deadline` is waited for here.
#[allow(clippy::unnecessary_wraps)] // As elsewhere, where the system can refuse to wait.
pub(in crate::link) fn wait(
    port: Option<&dyn Port>,
    waker: &Waker,
    _for_writing: bool,
    deadline: Option<Instant>,
) -> io::Result<Ready> {
    let mut is_outstanding = waker.shared.is_outstanding.lock();
    if port.is_none() && !*is_outstanding {
        match deadline {
            Some(deadline) => drop(waker.shared.called.wait_until(&mut is_outstanding, deadline)),
            None => waker.shared.called.wait(&mut is_outstanding),
        }
    }
    Ok(Ready { woken: std::mem::take(&mut *is_outstanding), readable: port.is_some() })
}
