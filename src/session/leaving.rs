use std::time::{Duration, Instant};

use super::error::Error;
use super::modem::Modem;
use super::patience::Patience;
use crate::commands::{client, connection, service};
use crate::protocol::{ClientIndex, Command};

/// Whether there is any use in going on.
type Going = Result<bool, Error>;

impl Modem {
    /// Takes down what this object set up, as far as the module plays along within `time`.
    ///
    /// # Errors
    ///
    /// None but an interruption.
    pub fn leave(&self, time: Duration, patience: &dyn Patience) -> Result<(), Error> {
        let deadline = Instant::now() + time;
        let facts = self.facts();
        for index in ClientIndex::ALL {
            let is_ours = facts.client(index).is_some_and(|known| known.acquired_here);
            if is_ours && !self.leave_client(index, deadline, patience)? {
                return Ok(());
            }
        }
        if facts.started_here {
            self.try_until(service::stop(), deadline, patience)?;
        }
        Ok(())
    }

    /// Disconnects and releases a client, as far as the module plays along.
    ///
    /// # Errors
    ///
    /// None but an interruption.
    pub fn leave_client(&self, index: ClientIndex, deadline: Instant, patience: &dyn Patience) -> Going {
        let facts = self.facts();
        self.forget(index);
        let Some(known) = facts.client(index) else { return Ok(true) };
        if known.connected && !self.try_until(connection::disconnect(index, None), deadline, patience)? {
            return Ok(false);
        }
        self.try_until(client::release(index), deadline, patience)
    }

    /// A module that refuses is no reason to stop, one that is mute is.
    fn try_until(&self, command: Command, deadline: Instant, patience: &dyn Patience) -> Going {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        match self.run(command, left, patience) {
            Ok(_) => Ok(true),
            Err(Error::Interrupted) => Err(Error::Interrupted),
            Err(error) => Ok(error.is_refusal()),
        }
    }
}
