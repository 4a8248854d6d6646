use std::io;

#[cfg(unix)]
use system_errors::{BUSY, MISSING, NOT_A_PORT, PERMISSION};
#[cfg(windows)]
use windows_errors::{BUSY, MISSING, NOT_A_PORT, PERMISSION};

/// The reason why a port could not be opened. Each message names the port and says what to try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    #[error(
        "no port {port} ({reason}): is the module plugged in and powered? list_ports() shows what this machine has"
    )]
    Missing { port: String, reason: String, errno: Option<i32> },
    #[error(
        "port {port} is in use{} ({reason}): {}",
        .user.as_ref().map(|user| format!(" by {user}")).unwrap_or_default(),
        .user.as_ref().map_or_else(|| search_for_user(port), |_| "close the port there first".to_owned())
    )]
    Busy {
        port: String,
        reason: String,
        errno: Option<i32>,
        /// The process that has the port open, if this user can see that.
        user: Option<String>,
    },
    #[error(
        "port {port} may not be opened ({reason}): is this user in the port's group (dialout; on some systems uucp)?"
    )]
    Permission { port: String, reason: String, errno: Option<i32> },
    #[error("{port} is not a serial port ({reason}): list_ports() shows those of this machine")]
    NotAPort { port: String, reason: String, errno: Option<i32> },
    #[error(
        "{port} cannot be reached ({reason}): does the server run there, and is there a firewall in between?"
    )]
    Unreachable { port: String, reason: String, errno: Option<i32> },
    #[error(
        "port {port} does not do {asked} baud, it would run at {actual}: ask for a rate that the port can do, and set the module to that rate with AT+IPR"
    )]
    Baudrate { port: String, asked: u32, actual: u32 },
    #[error(
        "{port} does not speak RFC 2217 ({reason}): write socket:// if the server passes raw bytes through; ser2net needs the accepter telnet(rfc2217),tcp"
    )]
    NoPortControl { port: String, reason: String },
    #[error(
        "port {port} could not be opened ({reason}): try another baud rate or flow control, or plug the module in again"
    )]
    Other { port: String, reason: String, errno: Option<i32> },
}

/// Tells how to find the program that has a port open.
fn search_for_user(port: &str) -> String {
    const SUSPECTS: &str = "an earlier SimcomMqtt of this process? another script? a terminal?";
    if cfg!(windows) {
        format!("close what has it open ({SUSPECTS})")
    } else {
        format!("close what has it open ({SUSPECTS} ModemManager?); `sudo fuser -v {port}` names it")
    }
}

impl PortError {
    /// Returns the port's name as the caller wrote it.
    pub fn port(&self) -> &str {
        let (Self::Missing { port, .. }
        | Self::Busy { port, .. }
        | Self::Permission { port, .. }
        | Self::NotAPort { port, .. }
        | Self::Unreachable { port, .. }
        | Self::Baudrate { port, .. }
        | Self::NoPortControl { port, .. }
        | Self::Other { port, .. }) = self;
        port
    }

    /// Returns the system's error number if there is one.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Missing { errno, .. }
            | Self::Busy { errno, .. }
            | Self::Permission { errno, .. }
            | Self::NotAPort { errno, .. }
            | Self::Unreachable { errno, .. }
            | Self::Other { errno, .. } => *errno,
            Self::Baudrate { .. } | Self::NoPortControl { .. } => None,
        }
    }

    /// Makes the error of a failed system call on a serial device.
    pub(super) fn from_device(port: &str, error: &io::Error) -> Self {
        let (port, reason, errno) = (port.to_owned(), described(error), error.raw_os_error());
        match errno {
            Some(number) if MISSING.contains(&number) => Self::Missing { port, reason, errno },
            Some(number) if BUSY.contains(&number) => Self::Busy { port, reason, errno, user: None },
            Some(number) if PERMISSION.contains(&number) => Self::Permission { port, reason, errno },
            Some(number) if NOT_A_PORT.contains(&number) => Self::NotAPort { port, reason, errno },
            _ => Self::Other { port, reason, errno },
        }
    }

    pub(super) fn unreachable(port: &str, error: &io::Error) -> Self {
        Self::Unreachable { port: port.to_owned(), reason: described(error), errno: error.raw_os_error() }
    }
}

#[cfg(unix)]
mod system_errors {
    pub(super) const MISSING: &[i32] = &[libc::ENOENT, libc::ENOTDIR, libc::ENXIO, libc::ENODEV];
    pub(super) const BUSY: &[i32] = &[libc::EBUSY];
    pub(super) const PERMISSION: &[i32] = &[libc::EACCES, libc::EPERM];
    pub(super) const NOT_A_PORT: &[i32] = &[libc::ENOTTY, libc::EISDIR];
}

#[cfg(windows)]
mod windows_errors {
    /// `ERROR_FILE_NOT_FOUND`, `ERROR_PATH_NOT_FOUND`.
    pub(super) const MISSING: &[i32] = &[2, 3];
    /// `ERROR_ACCESS_DENIED` is what a port in use gives, `ERROR_SHARING_VIOLATION`.
    pub(super) const BUSY: &[i32] = &[5, 32];
    pub(super) const PERMISSION: &[i32] = &[];
    /// `ERROR_INVALID_NAME`.
    pub(super) const NOT_A_PORT: &[i32] = &[123];
}

/// Returns the system's message without Rust's "(os error 2)".
pub(crate) fn described(error: &io::Error) -> String {
    let text = error.to_string();
    text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn message_names_port_reason_and_remedy() {
        for (number, hint) in [
            (libc::ENOENT, "plugged in"),
            (libc::ENXIO, "plugged in"),
            (libc::EBUSY, "ModemManager"),
            (libc::EACCES, "dialout"),
            (libc::ENOTTY, "list_ports()"),
            (libc::EIO, "baud rate"),
        ] {
            let error = PortError::from_device("/dev/ttyUSB2", &io::Error::from_raw_os_error(number));
            assert_eq!((error.port(), error.errno()), ("/dev/ttyUSB2", Some(number)));
            let message = error.to_string();
            assert!(message.contains("/dev/ttyUSB2") && message.contains(hint), "{message}");
            assert!(!message.contains("os error"), "{message}");
        }
    }

    #[test]
    fn message_of_a_busy_port_names_its_user() {
        let (port, reason) = ("/dev/ttyUSB2".to_owned(), "Device or resource busy".to_owned());
        let error =
            PortError::Busy { port, reason, errno: None, user: Some("minicom (process 12)".to_owned()) };
        assert!(error.to_string().contains("is in use by minicom (process 12) ("), "{error}");
    }

    #[test]
    fn message_of_an_impossible_baud_rate_names_the_possible_one() {
        let error = PortError::Baudrate { port: "/dev/ttyS1".to_owned(), asked: 250_000, actual: 115_200 };
        assert!(error.to_string().contains("would run at 115200"), "{error}");
    }
}
