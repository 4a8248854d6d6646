//! Safe functions for system calls that std has none for.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::time::Duration;

/// A descriptor and the events that poll(2) waits for on it and returns.
#[repr(transparent)]
pub(super) struct Watched(libc::pollfd);

impl Watched {
    pub(super) fn new(descriptor: BorrowedFd<'_>, for_writing: bool) -> Self {
        let events = if for_writing { libc::POLLIN | libc::POLLOUT } else { libc::POLLIN };
        Self(libc::pollfd { fd: descriptor.as_raw_fd(), events, revents: 0 })
    }

    /// Returns true if there is something to read: bytes, an end of file or an error.
    pub(super) fn is_readable(&self) -> bool {
        self.0.revents & (libc::POLLIN | libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0
    }
}

/// Waits for any of `watched`, without a limit if `timeout` is `None`. Rounds up to milliseconds.
pub(super) fn poll(watched: &mut [Watched], timeout: Option<Duration>) -> io::Result<()> {
    let timeout = timeout
        .map_or(-1, |timeout| i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
    let count = libc::nfds_t::try_from(watched.len()).unwrap_or(libc::nfds_t::MAX);
    // SAFETY: `Watched` is a transparent pollfd, and `count` of them are borrowed for the call.
    let result = unsafe { libc::poll(watched.as_mut_ptr().cast(), count, timeout) };
    checked(result).map(drop)
}

pub(super) fn read(descriptor: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer is borrowed for the call, and its length is its own.
    let count = unsafe { libc::read(descriptor.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

pub(super) fn write(descriptor: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the bytes are borrowed for the call, and their length is their own.
    let count = unsafe { libc::write(descriptor.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Takes the advisory lock of a file until the open file is closed; `WouldBlock` if another open file holds the lock.
pub(super) fn lock(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no memory is passed.
    checked(unsafe { libc::flock(descriptor.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }).map(drop)
}

pub(super) fn unlock(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no memory is passed.
    checked(unsafe { libc::flock(descriptor.as_raw_fd(), libc::LOCK_UN) }).map(drop)
}

/// Returns true if a process has claimed the terminal with TIOCEXCL.
#[cfg(target_os = "linux")]
pub(super) fn is_claimed(terminal: BorrowedFd<'_>) -> io::Result<bool> {
    let mut claimed: libc::c_int = 0;
    // SAFETY: TIOCGEXCL writes one int, which is borrowed for the call.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGEXCL, &raw mut claimed) })?;
    Ok(claimed != 0)
}

/// Ends a claim made with TIOCEXCL.
pub(super) fn unclaim(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: TIOCNXCL takes no argument.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNXCL as _) }).map(drop)
}

/// No echo, no line editing, no signals, no translation, 8 bits, no modem control lines; a read returns at least a byte.
pub(super) fn make_raw(terminal: BorrowedFd<'_>) -> io::Result<()> {
    let descriptor = terminal.as_raw_fd();
    // SAFETY: termios is plain integers, for which zeroes are valid.
    let mut attributes: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: `attributes` is borrowed for the call.
    checked(unsafe { libc::tcgetattr(descriptor, &raw mut attributes) })?;
    // SAFETY: as above.
    unsafe { libc::cfmakeraw(&raw mut attributes) };
    attributes.c_cflag |= libc::CREAD | libc::CLOCAL;
    attributes.c_cc[libc::VMIN] = 1;
    attributes.c_cc[libc::VTIME] = 0;
    // SAFETY: as above.
    checked(unsafe { libc::tcsetattr(descriptor, libc::TCSANOW, ptr::from_ref(&attributes)) }).map(drop)
}

/// Hands an open terminal over to the serialport crate, which closes it.
pub(super) fn into_tty(terminal: OwnedFd) -> serialport::TTYPort {
    use std::os::fd::{FromRawFd, IntoRawFd};
    // SAFETY: the descriptor is open and owned.
    unsafe { serialport::TTYPort::from_raw_fd(terminal.into_raw_fd()) }
}

pub(super) fn descriptor_of(tty: &serialport::TTYPort) -> BorrowedFd<'_> {
    // SAFETY: the port keeps its descriptor open as long as it lives.
    unsafe { BorrowedFd::borrow_raw(tty.as_raw_fd()) }
}

#[cfg(target_os = "linux")]
pub(super) fn event_counter() -> io::Result<OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: no memory is passed.
    let descriptor = checked(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    // SAFETY: the descriptor was opened just now, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::fd::AsFd;
    use std::time::Instant;

    #[test]
    fn poll_waits_no_shorter_than_its_timeout() {
        let (reader, _writer) = io::pipe().unwrap();
        let started = Instant::now();
        let mut watched = [Watched::new(reader.as_fd(), false)];
        poll(&mut watched, Some(Duration::from_micros(1_900))).unwrap();
        assert!(started.elapsed() >= Duration::from_micros(1_900));
        assert!(!watched[0].is_readable());
    }

    #[test]
    fn poll_reports_bytes_and_a_hang_up() {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let mut watched = [Watched::new(reader.as_fd(), false)];
        poll(&mut watched, None).unwrap();
        assert!(watched[0].is_readable());
        let mut buffer = [0; 8];
        assert_eq!(read(reader.as_fd(), &mut buffer).unwrap(), 1);
        drop(writer);
        let mut watched = [Watched::new(reader.as_fd(), false)];
        poll(&mut watched, None).unwrap();
        assert!(watched[0].is_readable());
    }
}
