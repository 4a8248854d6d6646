use std::time::Duration;

/// How the module was opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The port's name, for error messages.
    pub port: String,
    pub baudrate: u32,
    /// Software flow control takes these two bytes out of the line: XON and XOFF.
    pub reserved_bytes: Option<[u8; 2]>,
    /// For commands with no documented limit of their own.
    pub command_timeout: Duration,
}
