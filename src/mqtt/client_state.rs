use std::time::Instant;

use crate::channel::LostBy;

/// The state of a client, the one answer to "what state is this client in". Owned by the I/O thread; other threads read a
/// copy.
///
/// ```text
///                 connect()               CONNECT done
///  Free/Acquired ───────────► Connecting ─────────────► Connected ◄──────┐ the module says that
///        ▲                     ▲      │ failed            │    │         │ it is still connected
///        │ DISC, REL           │      ▼                   │    └──► Suspect
///        │                     │  Acquired, or            │ lost       │ lost
///  Disconnecting               └─ Disconnected ◄──────────┴────────────┘
///                        retry_at     (with a reconnect: attempt after attempt, until the connection is back)
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientState {
    /// Not acquired, as far as the driver knows.
    #[default]
    Free,
    /// Acquired and not connected.
    Acquired,
    /// CONNECT is under way. A client that reconnects stays here until its subscriptions are back.
    Connecting,
    Connected,
    /// Connected as far as the driver knows, but a refusal or silence may mean a loss that the module did not report.
    Suspect {
        /// The module answers nothing.
        is_mute: bool,
    },
    /// The connection was lost.
    Disconnected {
        reason: LostBy,
        /// Failed attempts to reconnect since then.
        attempt: u32,
        /// The time of the next attempt: `None` while one is under way, and without a reconnect policy.
        retry_at: Option<Instant>,
    },
    /// DISC is under way.
    Disconnecting,
}

impl ClientState {
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected | Self::Suspect { .. })
    }
}
