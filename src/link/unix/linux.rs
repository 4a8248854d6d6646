//! Safe functions for system calls that only Linux has.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::system_calls::checked;
use crate::link::line_errors::LineErrors;

const LOW_LATENCY: libc::c_int = 1 << 13;

/// Returns true if a process has claimed the terminal with TIOCEXCL.
pub(super) fn is_claimed(terminal: BorrowedFd<'_>) -> io::Result<bool> {
    let mut claimed: libc::c_int = 0;
    // SAFETY: TIOCGEXCL writes one int, which is borrowed for the call.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGEXCL, &raw mut claimed) })?;
    Ok(claimed != 0)
}

pub(super) fn event_counter() -> io::Result<OwnedFd> {
    // SAFETY: no memory is passed.
    let descriptor = checked(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    // SAFETY: the descriptor was opened just now, so nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Returns the errors that the kernel has counted on this port since it was plugged in.
pub(super) fn line_errors(terminal: BorrowedFd<'_>) -> io::Result<LineErrors> {
    /// The kernel's `struct serial_icounter_struct`.
    #[repr(C)]
    #[derive(Default)]
    struct Counters {
        lines_and_bytes: [libc::c_int; 6],
        frame: libc::c_int,
        overrun: libc::c_int,
        parity: libc::c_int,
        brk: libc::c_int,
        buf_overrun: libc::c_int,
        reserved: [libc::c_int; 9],
    }
    let mut counters = Counters::default();
    // SAFETY: TIOCGICOUNT fills the structure, which is borrowed for the call.
    checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGICOUNT, &raw mut counters) })?;
    let count = |counter: libc::c_int| u64::from(counter.cast_unsigned());
    Ok(LineErrors {
        framing: count(counters.frame),
        parity: count(counters.parity),
        overruns: count(counters.overrun) + count(counters.buf_overrun),
        breaks: count(counters.brk),
    })
}

/// The kernel's settings of a serial driver.
#[repr(C)]
pub(super) struct DriverSettings {
    kind_to_irq: [libc::c_int; 4],
    flags: libc::c_int,
    fifo_to_base: [libc::c_int; 3],
    close_delay: libc::c_ushort,
    io_type: libc::c_char,
    reserved: [libc::c_char; 1],
    hub6: libc::c_int,
    closing_wait: libc::c_ushort,
    closing_wait2: libc::c_ushort,
    memory_base: *mut libc::c_uchar,
    register_shift: libc::c_ushort,
    port_high: libc::c_uint,
    map_base: libc::c_ulong,
}

impl DriverSettings {
    pub(super) fn of(terminal: BorrowedFd<'_>) -> io::Result<Self> {
        // SAFETY: the structure is integers and a pointer, for which zeroes are valid.
        let mut settings: Self = unsafe { std::mem::zeroed() };
        // SAFETY: TIOCGSERIAL fills the structure, which is borrowed for the call.
        checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGSERIAL, &raw mut settings) })?;
        Ok(settings)
    }

    pub(super) fn apply(&self, terminal: BorrowedFd<'_>) -> io::Result<()> {
        // SAFETY: TIOCSSERIAL reads the structure, which is borrowed for the call.
        checked(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSSERIAL, std::ptr::from_ref(self)) })
            .map(drop)
    }

    pub(super) fn ask_for_low_latency(&mut self) {
        self.flags |= LOW_LATENCY;
    }

    /// Returns how long the kernel waits at a close until pending output has left, in 1/100 s.
    pub(super) fn closing_wait(&self) -> u16 {
        self.closing_wait
    }

    pub(super) fn set_closing_wait(&mut self, hundredths: u16) {
        self.closing_wait = hundredths;
    }
}
