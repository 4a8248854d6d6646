//! All that callers and callbacks are told.

use simcom_mqtt::channel::{LostBy, UnknownReason};
use simcom_mqtt::mqtt::Error;

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Done,
    /// PUB was written, and its result is lost with the connection.
    UnknownByLoss,
    /// PUB was written, and no result came in time.
    UnknownByTimeout,
    /// Certainly not sent.
    NotSent(LostBy),
    Failed(String),
}

impl From<Result<(), Error>> for Ending {
    fn from(result: Result<(), Error>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(Error::OutcomeUnknown { reason: UnknownReason::Lost(_), .. }) => Self::UnknownByLoss,
            Err(Error::OutcomeUnknown { reason: UnknownReason::Timeout, .. }) => Self::UnknownByTimeout,
            Err(Error::ConnectionLost { cause, .. }) => Self::NotSent(cause),
            Err(Error::PortLost { reason, .. }) => Self::NotSent(LostBy::Port(reason)),
            Err(error) => Self::Failed(error.to_string()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    ConnectionLost(u8, u8),
    NetworkLost,
    Restarted,
    PortLost,
    Mute,
    Reconnected(u8),
    ReconnectFailed(u8),
    ReconnectEnded(u8),
    MessagesEnded(u8, LostBy),
    NotSubscribedAgain(u8),
    Ended(String, Ending),
}

impl Told {
    /// A callback runs, or waits for messages of this client end.
    pub fn is_callback_of(&self, client: u8) -> bool {
        match self {
            Self::ConnectionLost(of, _) | Self::Reconnected(of) | Self::MessagesEnded(of, _) => *of == client,
            Self::NetworkLost | Self::Restarted | Self::PortLost => true,
            Self::Mute
            | Self::ReconnectFailed(_)
            | Self::ReconnectEnded(_)
            | Self::NotSubscribedAgain(_)
            | Self::Ended(..) => false,
        }
    }
}
