//! Serial ports: opened, set and closed here; the I/O thread reads and writes them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};

use super::attributes::{self, Attributes};
use super::exclusive::{self, Claim};
use super::system_calls;
#[cfg(target_os = "linux")]
use super::{latency, linux};
#[cfg(target_os = "linux")]
use crate::link::line_errors::LineErrors;
use crate::link::port::{FlowControl, Port, Settings};
use crate::link::port_error::PortError;
#[cfg(target_os = "linux")]
use crate::link::sysfs::{self, Roots};

/// A UART still reads bytes that come 2 % too fast or too slow.
#[cfg(target_os = "linux")]
const TOLERANCE_PERCENT: u64 = 2;

/// The kernel's default: at a close it waits 30 s for pending output. In 1/100 s.
#[cfg(target_os = "linux")]
const USUAL_CLOSING_WAIT: u16 = 3_000;
/// No other program uses this value, so the next open recognizes it.
#[cfg(target_os = "linux")]
const SHORT_CLOSING_WAIT: u16 = 7;

pub(in crate::link) struct SerialPort {
    claim: Claim,
    settings: Settings,
    warnings: Vec<String>,
    /// The errors reported so far; `None` if the kernel's driver does not count them.
    #[cfg(target_os = "linux")]
    reported_errors: Option<LineErrors>,
}

impl SerialPort {
    pub(in crate::link) fn open(path: &str, settings: &Settings) -> Result<Self, PortError> {
        let file = open_device(path).map_err(|error| device_error(path, &error, 0))?;
        let (claim, before) = claim_raw(file, path, settings)?;
        if let Err(error) = check_baudrate(&claim, path, settings.baudrate) {
            let _ = system_calls::set_attributes(claim.descriptor(), &before);
            return Err(error);
        }
        let mut port = Self {
            claim,
            settings: settings.clone(),
            warnings: Vec::new(),
            #[cfg(target_os = "linux")]
            reported_errors: None,
        };
        port.prepare(path);
        Ok(port)
    }

    /// Does the rest of opening. None of it makes a port unusable, and a pseudo-terminal refuses most of it.
    fn prepare(&mut self, path: &str) {
        let terminal = self.claim.descriptor();
        let _ = system_calls::resume_output(terminal);
        let has_free_rts = self.settings.flow_control != FlowControl::Hardware;
        let _ = system_calls::raise_lines(terminal, has_free_rts);
        #[cfg(target_os = "linux")]
        {
            set_closing_wait(terminal, SHORT_CLOSING_WAIT, USUAL_CLOSING_WAIT);
            self.warnings.extend(latency::shorten(terminal, path, &Roots::default()));
            self.reported_errors = linux::line_errors(terminal).ok();
        }
        #[cfg(not(target_os = "linux"))]
        let _ = path;
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
        system_calls::output_pending(self.descriptor()).unwrap_or(0)
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        Some(self.settings.baudrate)
    }

    #[cfg(target_os = "linux")]
    fn take_line_errors(&mut self) -> LineErrors {
        let Some(reported) = self.reported_errors else { return LineErrors::default() };
        // After an unplug there is nothing to ask.
        let Ok(counted) = linux::line_errors(self.descriptor()) else { return LineErrors::default() };
        self.reported_errors = Some(counted);
        counted - reported
    }

    fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.claim.descriptor()
    }
}

impl Drop for SerialPort {
    /// Drops pending output. Otherwise the kernel waits up to 30 s for a module that does not take it, and every other open
    /// of the port waits too. What a pseudo-terminal holds has been delivered already, so it stays.
    fn drop(&mut self) {
        if self.claim.is_pseudo_terminal() {
            return;
        }
        let terminal = self.claim.descriptor();
        let _ = system_calls::discard_output(terminal);
        if self.settings.flow_control != FlowControl::None
            && let Ok(now) = system_calls::attributes(terminal)
        {
            // Bytes that the hardware has taken cannot be dropped, but without flow control it leaves at once.
            let _ = system_calls::set_attributes(terminal, &attributes::without_flow_control(&now));
        }
        #[cfg(target_os = "linux")]
        if self.output_pending() > 0 {
            set_closing_wait(terminal, USUAL_CLOSING_WAIT, SHORT_CLOSING_WAIT);
        }
    }
}

/// Opens the device without waiting for a carrier. Nothing about the terminal is changed.
fn open_device(path: &str) -> io::Result<File> {
    if !fs::metadata(path)?.file_type().is_char_device() {
        return Err(io::Error::from_raw_os_error(libc::ENOTTY));
    }
    OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK).open(path)
}

/// Claims the port and sets all its attributes in one call. Returns the attributes that it had before, too.
///
/// A terminal that is new to the kernel echoes: whatever the module says would go back to the module as commands. So a
/// cooked terminal is set before everything else. A raw one may belong to another program, so it is claimed first.
fn claim_raw(file: File, path: &str, settings: &Settings) -> Result<(Claim, Attributes), PortError> {
    let failed = |error: io::Error| device_error(path, &error, 1);
    let before = system_calls::attributes(file.as_fd()).map_err(failed)?;
    let raw = attributes::raw(&before, settings);
    let is_cooked = attributes::is_cooked(&before);
    if is_cooked {
        system_calls::set_attributes(file.as_fd(), &raw).map_err(failed)?;
    }
    let claim = Claim::take(file, path).map_err(|(file, error)| {
        if is_cooked {
            let _ = system_calls::set_attributes(file.as_fd(), &before);
        }
        failed(error)
    })?;
    if !is_cooked {
        system_calls::set_attributes(claim.descriptor(), &raw).map_err(failed)?;
    }
    Ok((claim, before))
}

/// Reads the baud rate back: the kernel replaces a rate that the port cannot do. A module's own USB port has no UART and
/// ignores the rate, and so does a pseudo-terminal.
#[cfg(target_os = "linux")]
fn check_baudrate(claim: &Claim, path: &str, asked: NonZeroU32) -> Result<(), PortError> {
    if claim.is_pseudo_terminal() || sysfs::is_modem_port(&Roots::default(), path) {
        return Ok(());
    }
    let attributes =
        system_calls::attributes(claim.descriptor()).map_err(|error| PortError::from_device(path, &error))?;
    let (asked, actual) = (asked.get(), attributes.c_ospeed);
    if u64::from(asked.abs_diff(actual)) * 100 <= u64::from(asked) * TOLERANCE_PERCENT {
        return Ok(());
    }
    Err(PortError::Baudrate { port: path.to_owned(), asked, actual })
}

/// Sets the baud rate, which is an error of the system if the port cannot do it.
#[cfg(target_os = "macos")]
fn check_baudrate(claim: &Claim, path: &str, asked: NonZeroU32) -> Result<(), PortError> {
    if claim.is_pseudo_terminal() {
        return Ok(());
    }
    system_calls::set_speed(claim.descriptor(), asked.get())
        .map_err(|error| PortError::from_device(path, &error))
}

/// Changes the kernel's wait at a close if it is `from` now and this user may change it.
#[cfg(target_os = "linux")]
fn set_closing_wait(terminal: BorrowedFd<'_>, from: u16, to: u16) {
    if let Ok(mut driver) = linux::DriverSettings::of(terminal)
        && driver.closing_wait() == from
    {
        driver.set_closing_wait(to);
        let _ = driver.apply(terminal);
    }
}

/// Makes the error of a failed system call. `own` is the number of descriptors that this call itself has on the port.
fn device_error(path: &str, error: &io::Error, own: usize) -> PortError {
    match PortError::from_device(path, error) {
        PortError::Busy { port, reason, errno, .. } => {
            PortError::Busy { port, reason, errno, user: exclusive::user_of(path, own) }
        }
        other => other,
    }
}
