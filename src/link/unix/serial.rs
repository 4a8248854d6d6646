use std::fs::{self, OpenOptions};
use std::io::{self, IsTerminal};
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use serialport::{Parity, SerialPort as _, StopBits, TTYPort};

use super::system_calls;
use crate::link::port::{Port, Settings};
use crate::link::port_error::PortError;

pub(in crate::link) struct SerialPort {
    /// Closed first, so that the claim it gives up is not that of the next who takes the lock.
    tty: TTYPort,
    _lock: Lock,
    baudrate: NonZeroU32,
}

/// The right to use a port, by flock(2).
struct Lock(OwnedFd);

impl SerialPort {
    pub(in crate::link) fn open(path: &str, settings: &Settings) -> Result<Self, PortError> {
        let (tty, lock) = open_raw(path).map_err(|error| PortError::from_device(path, &error))?;
        let mut port = Self { tty, _lock: lock, baudrate: settings.baudrate };
        configure(&mut port.tty, settings).map_err(|error| PortError::from_serialport(path, &error))?;
        Ok(port)
    }
}

impl Port for SerialPort {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match system_calls::read(self.descriptor(), buffer)? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the device is gone")),
            count => Ok(count),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        system_calls::write(self.descriptor(), bytes)
    }

    fn output_pending(&self) -> usize {
        self.tty.bytes_to_write().map_or(0, |count| count as usize)
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        Some(self.baudrate)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        system_calls::descriptor_of(&self.tty)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing is not enough: a forked child has a copy of the descriptor, and with it of the lock.
        let _ = system_calls::unlock(self.0.as_fd());
    }
}

fn open_raw(path: &str) -> io::Result<(TTYPort, Lock)> {
    let terminal = open_exclusively(path)?;
    system_calls::make_raw(terminal.as_fd())?;
    let lock = Lock(terminal.try_clone()?);
    let tty = system_calls::into_tty(terminal);
    if is_pseudo_terminal(path) {
        // The claim outlives a killed process there, and would shut every other user out.
        system_calls::unclaim(system_calls::descriptor_of(&tty))?;
    }
    Ok((tty, lock))
}

/// Opened without waiting for a carrier, and locked before anything about it is changed.
fn open_exclusively(path: &str) -> io::Result<OwnedFd> {
    if !fs::metadata(path)?.file_type().is_char_device() {
        return Err(io::Error::from_raw_os_error(libc::ENOTTY));
    }
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK)
        .open(path)?;
    if !file.is_terminal() {
        return Err(io::Error::from_raw_os_error(libc::ENOTTY));
    }
    // TIOCEXCL does not bind root, a lock binds only those who ask for it: together they keep most others out.
    if let Err(error) = system_calls::lock(file.as_fd()) {
        let held = error.kind() == io::ErrorKind::WouldBlock;
        return Err(if held { io::Error::from_raw_os_error(libc::EBUSY) } else { error });
    }
    #[cfg(target_os = "linux")]
    if !is_pseudo_terminal(path) && system_calls::is_claimed(file.as_fd())? {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    Ok(file.into())
}

fn configure(tty: &mut TTYPort, settings: &Settings) -> serialport::Result<()> {
    tty.set_parity(Parity::None)?;
    tty.set_stop_bits(StopBits::One)?;
    tty.set_flow_control(settings.flow_control.into())?;
    tty.set_baud_rate(settings.baudrate.get())
}

fn is_pseudo_terminal(path: &str) -> bool {
    fs::canonicalize(path).is_ok_and(|path| path.starts_with(Path::new("/dev/pts")))
}
