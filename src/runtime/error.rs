use std::path::PathBuf;
use std::sync::Arc;

use crate::at::ClientIndex;
use crate::commands::{Invalid, UnexpectedAnswer};
use crate::link::{AddressError, PortError, described};
use crate::mqtt;

/// A failure of the open modem, in words for the person at the rig.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Mqtt(#[from] mqtt::Error),
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error(transparent)]
    Port(#[from] PortError),
    #[error(
        "client {client} as {client_id:?} was released: use the object of its next connect() or acquire()"
    )]
    Released { client: ClientIndex, client_id: String },
    #[error(
        "this is a forked child, and the port belongs to the parent: open it here with a SimcomMqtt of its own"
    )]
    Forked,
    #[error("the transcript cannot be written: {}", described(reason))]
    Transcript { path: PathBuf, reason: Arc<std::io::Error> },
}

impl Error {
    pub fn closed() -> Self {
        Self::Mqtt(mqtt::Error::Closed)
    }

    pub fn interrupted() -> Self {
        Self::Mqtt(mqtt::Error::Interrupted)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Mqtt(invalid.into())
    }
}

impl From<UnexpectedAnswer> for Error {
    fn from(answer: UnexpectedAnswer) -> Self {
        Self::Mqtt(answer.into())
    }
}
