//! Safe functions for system calls that std has none for.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::time::Duration;

use super::attributes::Attributes;

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

/// Claims the terminal: from now on only root can open it.
pub(super) fn claim(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: TIOCEXCL takes no argument.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCEXCL as _) }).map(drop)
}

/// Ends a claim made with TIOCEXCL.
pub(super) fn unclaim(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: TIOCNXCL takes no argument.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNXCL as _) }).map(drop)
}

/// Raises DTR and RTS, or DTR alone where RTS belongs to the flow control.
pub(super) fn raise_lines(terminal: BorrowedFd<'_>, with_rts: bool) -> io::Result<()> {
    const DTR: libc::c_int = 0x002;
    const RTS: libc::c_int = 0x004;
    let lines = if with_rts { DTR | RTS } else { DTR };
    // SAFETY: TIOCMBIS reads one int, which is borrowed for the call.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), requests::TIOCMBIS as _, &raw const lines) }).map(drop)
}

/// Returns the number of written bytes that have not left yet.
pub(super) fn output_pending(terminal: BorrowedFd<'_>) -> io::Result<usize> {
    let mut count: libc::c_int = 0;
    // SAFETY: TIOCOUTQ writes one int, which is borrowed for the call.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), requests::TIOCOUTQ as _, &raw mut count) })?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Drops written bytes that have not left yet.
pub(super) fn discard_output(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no memory is passed.
    checked(unsafe { libc::tcflush(terminal.as_raw_fd(), libc::TCOFLUSH) }).map(drop)
}

/// Resumes output that another program has stopped with tcflow(3).
pub(super) fn resume_output(terminal: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no memory is passed.
    checked(unsafe { libc::tcflow(terminal.as_raw_fd(), libc::TCOON) }).map(drop)
}

#[cfg(target_os = "linux")]
pub(super) fn attributes(terminal: BorrowedFd<'_>) -> io::Result<Attributes> {
    // SAFETY: termios2 is plain integers, for which zeroes are valid.
    let mut attributes: Attributes = unsafe { std::mem::zeroed() };
    // SAFETY: `attributes` is borrowed for the call.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TCGETS2, &raw mut attributes) })?;
    Ok(attributes)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn attributes(terminal: BorrowedFd<'_>) -> io::Result<Attributes> {
    // SAFETY: termios is plain integers, for which zeroes are valid.
    let mut attributes: Attributes = unsafe { std::mem::zeroed() };
    // SAFETY: `attributes` is borrowed for the call.
    checked(unsafe { libc::tcgetattr(terminal.as_raw_fd(), &raw mut attributes) })?;
    Ok(attributes)
}

#[cfg(target_os = "linux")]
pub(super) fn set_attributes(terminal: BorrowedFd<'_>, attributes: &Attributes) -> io::Result<()> {
    // SAFETY: `attributes` is borrowed for the call.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TCSETS2, ptr::from_ref(attributes)) }).map(drop)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn set_attributes(terminal: BorrowedFd<'_>, attributes: &Attributes) -> io::Result<()> {
    // SAFETY: `attributes` is borrowed for the call.
    checked(unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, ptr::from_ref(attributes)) })
        .map(drop)
}

/// Sets the baud rate, which `set_attributes` does not do here. Must come after it, and fails on a pseudo-terminal.
#[cfg(target_os = "macos")]
pub(super) fn set_speed(terminal: BorrowedFd<'_>, baudrate: u32) -> io::Result<()> {
    const IOSSIOSPEED: libc::c_ulong = 0x8008_5402;
    let speed = libc::speed_t::from(baudrate);
    // SAFETY: IOSSIOSPEED reads one speed_t, which is borrowed for the call.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), IOSSIOSPEED, &raw const speed) }).map(drop)
}

#[cfg(target_os = "linux")]
mod requests {
    pub(super) use libc::{TIOCMBIS, TIOCOUTQ};
}

/// The values of macOS and the BSDs.
#[cfg(not(target_os = "linux"))]
mod requests {
    pub(super) const TIOCMBIS: libc::c_ulong = 0x8004_746c;
    pub(super) const TIOCOUTQ: libc::c_ulong = 0x4004_7473;
}

pub(super) fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
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
