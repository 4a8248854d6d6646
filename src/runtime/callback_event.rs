use std::sync::Arc;

use crate::at::ClientIndex;
use crate::inbound::ReceivedMessage;

/// An event that callbacks get, in the order in which it happened.
#[derive(Clone, Debug)]
pub enum CallbackEvent {
    Message(Arc<ReceivedMessage>),
    ConnectionLost {
        client: ClientIndex,
        cause: u8,
    },
    NetworkLost,
    Reconnected(ClientIndex),
    Restarted,
    PortLost(String),
    MessageLost {
        client: Option<ClientIndex>,
        why: String,
    },
    Urc(Vec<u8>),
    /// Later events are not for the callbacks that this client had.
    Released(ClientIndex),
}

impl CallbackEvent {
    /// The bytes that it counts in the queue.
    pub(super) fn size(&self) -> usize {
        const ENTRY: usize = 64;
        ENTRY
            + match self {
                Self::Message(message) => message.size(),
                Self::MessageLost { why: text, .. } | Self::PortLost(text) => text.len(),
                Self::Urc(line) => line.len(),
                _ => 0,
            }
    }
}
