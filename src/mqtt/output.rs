use std::time::Duration;

use super::error::Error;
use super::module_state::ModuleState;
use crate::at::ClientIndex;
use crate::channel::{Event, LostBy};

/// An output of the service for the runtime. Outputs come in the order of the events.
pub enum Output {
    /// An event of the AT channel.
    Event(Event),
    /// The module's state changed. Comes before whatever lets a caller look at the state.
    State(ModuleState),
    /// A call that tells a result to its receiver, which may be on another thread.
    Result(Box<dyn FnOnce() + Send>),
    /// No message of this client comes any more: waits for one end.
    MessagesEnded(ClientIndex, LostBy),
    /// The port has to be opened again: [`MqttService::port_not_opened`](super::MqttService::port_not_opened) or a new port
    /// answers.
    OpenPort,
    /// A warning for the log.
    Warning(String),
    Reconnected(ClientIndex),
    ReconnectFailed {
        client: ClientIndex,
        error: Error,
        delay: Duration,
    },
    ReconnectEnded {
        client: ClientIndex,
        error: Error,
    },
    NotSubscribedAgain {
        client: ClientIndex,
        topic: Vec<u8>,
        error: Error,
    },
}
