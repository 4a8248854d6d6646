//! The faults of the table.

/// A fault that strikes the module or the line to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// `+CMQTTCONNLOST: 0,<cause>`
    ConnectionLost(u8),
    /// `+CMQTTNONET`; the network is back after a while.
    NetworkLost,
    /// The module boots, and says so.
    Reboot,
    /// The module boots without a word.
    SilentReboot,
    /// The port is gone for a while; the module works on.
    PortLost,
    /// The port is gone for a while, and the module without power.
    PowerLost,
    /// The module reads and says nothing for a while, and has forgotten nothing.
    Mute,
    /// Another program stops the service.
    ServiceStopped,
}

impl Fault {
    pub const ALL: [Self; 10] = [
        Self::ConnectionLost(1),
        Self::ConnectionLost(2),
        Self::ConnectionLost(3),
        Self::NetworkLost,
        Self::Reboot,
        Self::SilentReboot,
        Self::PortLost,
        Self::PowerLost,
        Self::Mute,
        Self::ServiceStopped,
    ];

    /// The driver is told of the loss at once.
    pub fn is_reported(self) -> bool {
        !matches!(self, Self::SilentReboot | Self::Mute | Self::ServiceStopped)
    }
}
