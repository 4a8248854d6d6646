//! Pseudo-terminals and fake ports to run a driver on. Unix.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use simcom_mqtt::link::{Port, Settings};

use super::{LIMIT, settings};

/// The far end of a pseudo-terminal, and the path of its near end.
pub struct PseudoTerminal {
    pub master: File,
    /// Kept open, as the simulated module does, so that the master can be read before the port is opened.
    pub slave: File,
    pub path: String,
}

impl PseudoTerminal {
    pub fn open() -> Self {
        let (mut master, mut slave) = (-1, -1);
        // SAFETY: the two descriptors are written, and the null pointers are for what is not wanted.
        let result = unsafe {
            libc::openpty(
                &raw mut master,
                &raw mut slave,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
        // SAFETY: both were opened just now.
        let (master, slave) = unsafe { (File::from_raw_fd(master), File::from_raw_fd(slave)) };
        let path = std::fs::read_link(format!("/proc/self/fd/{}", slave.as_raw_fd())).unwrap();
        Self { master, slave, path: path.to_str().unwrap().to_owned() }
    }

    pub fn settings(&self) -> Settings {
        settings(&self.path)
    }
}

/// Reads `length` bytes from the far end, with a limit in time.
pub fn receive(far: &mut (impl io::Read + AsFd), length: usize) -> Vec<u8> {
    let mut received = vec![0; length];
    let mut filled = 0;
    while filled < length {
        assert!(has_input(far, LIMIT), "{filled} of {length} bytes came");
        filled += far.read(&mut received[filled..]).unwrap();
    }
    received
}

pub fn has_input(far: &impl AsFd, limit: Duration) -> bool {
    let mut watched = libc::pollfd { fd: far.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd is borrowed for the call.
    let count = unsafe { libc::poll(&raw mut watched, 1, i32::try_from(limit.as_millis()).unwrap()) };
    count == 1 && watched.revents & libc::POLLIN != 0
}

/// A port on any descriptor. The test sets the number of unsent bytes.
pub struct FakePort {
    file: File,
    unsent: Arc<AtomicUsize>,
}

impl FakePort {
    pub fn new(file: impl Into<std::os::fd::OwnedFd>) -> (Self, Arc<AtomicUsize>) {
        let file = File::from(file.into());
        // SAFETY: no memory is passed.
        let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        assert_eq!(result, 0);
        let unsent = Arc::new(AtomicUsize::new(0));
        (Self { file, unsent: unsent.clone() }, unsent)
    }
}

impl Port for FakePort {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match io::Read::read(&mut self.file, buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut self.file, bytes)
    }

    fn output_pending(&self) -> usize {
        self.unsent.load(Ordering::SeqCst)
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(115_200)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
