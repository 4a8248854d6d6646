use std::time::{Duration, Instant};

use super::modem::Modem;
use super::patience::Patience;
use crate::commands::{client, connection, service};
use crate::protocol::{ClientIndex, Command};

impl Modem {
    /// Takes down what this object set up, as far as the module plays along within `time`.
    pub fn leave(&self, time: Duration, patience: &dyn Patience) {
        let deadline = Instant::now() + time;
        let facts = self.facts();
        for index in ClientIndex::ALL {
            let is_ours = facts.client(index).is_some_and(|known| known.acquired_here);
            if is_ours && !self.leave_client(index, deadline, patience) {
                return;
            }
        }
        if facts.started_here {
            self.try_until(service::stop(), deadline, patience);
        }
    }

    /// Disconnects and releases a client; false if there is no use in going on.
    pub fn leave_client(&self, index: ClientIndex, deadline: Instant, patience: &dyn Patience) -> bool {
        let facts = self.facts();
        self.forget(index);
        let Some(known) = facts.client(index) else { return true };
        let disconnected =
            !known.connected || self.try_until(connection::disconnect(index, None), deadline, patience);
        disconnected && self.try_until(client::release(index), deadline, patience)
    }

    /// False if there is no use in going on: a module that refuses is no reason to stop, one that is mute is.
    fn try_until(&self, command: Command, deadline: Instant, patience: &dyn Patience) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        match self.run(command, left, patience) {
            Ok(_) => true,
            Err(error) => error.is_refusal(),
        }
    }
}
