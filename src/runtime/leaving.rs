use std::time::{Duration, Instant};

use super::error::{Error, NO_CONNECTION};
use super::modem::Modem;
use super::patience::Patience;
use super::ticket::Ticket;
use crate::at::{ClientIndex, Command};
use crate::channel::{Answers, Transaction};
use crate::commands::{DisconnectTimeout, client, connection, service};

/// No connection attempt lasts longer on the module.
const LONGEST_CONNECT: Duration = Duration::from_secs(185);

/// Whether there is any use in going on.
type Going = Result<bool, Error>;

impl Modem {
    /// Disconnects a client. One that was kept and is away already stays away.
    ///
    /// # Errors
    ///
    /// Whatever the module, the broker, the line or time says.
    pub fn disconnect(
        &self,
        index: ClientIndex,
        timeout: Duration,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        let was_kept = self.reconnect_policy(index).is_some();
        if self.stop_bringing_back(index)? {
            return Ok(());
        }
        let command = connection::disconnect(index, Some(DisconnectTimeout::covering(timeout)));
        let transaction = Transaction::single(command, timeout).retrying_while_busy();
        let Err(error) = self.execute(transaction, patience) else { return Ok(()) };
        // The connection may be lost at any time, and the module tell of it right behind its answer.
        if was_kept && self.is_lost_already(&error, patience)? {
            self.hub().change_facts(|facts| facts.connection_lost(index));
            return Ok(());
        }
        Err(error)
    }

    /// Whether the answer to DISC says that there is nothing to disconnect.
    fn is_lost_already(&self, answer: &Error, patience: &dyn Patience) -> Result<bool, Error> {
        if answer.is_bare_refusal() {
            return Ok(!self.is_started(patience)?);
        }
        Ok(answer.code() == Some(NO_CONNECTION) || matches!(answer, Error::ConnectionLost { .. }))
    }

    /// Gives a client back.
    ///
    /// # Errors
    ///
    /// It is still connected, or whatever the module, the line or time says.
    pub fn release(&self, index: ClientIndex, patience: &dyn Patience) -> Result<(), Error> {
        self.stop_bringing_back(index)?;
        let release = client::release(index);
        let timeout = self.usual_timeout(&release);
        self.execute(Transaction::single(release, timeout).retrying_while_busy(), patience).map(drop)
    }

    /// Whether the client was kept, and is away. An attempt to connect it may be under way on the module: what it comes to
    /// is taken down right behind it, and nobody waits for that.
    fn stop_bringing_back(&self, index: ClientIndex) -> Result<bool, Error> {
        let is_away = self.forget(index) && !self.facts().is_connected(index) && !self.hub().is_port_lost();
        if is_away {
            self.submit(Transaction::single(connection::disconnect(index, None), LONGEST_CONNECT))?;
        }
        Ok(is_away)
    }

    /// Takes a client down that nobody holds, once the module is done with it; nobody waits for that.
    pub fn take_down_later(&self, index: ClientIndex) {
        self.hub().change_facts(|facts| facts.disown(index));
        for step in [connection::disconnect(index, None), client::release(index)] {
            // On a port that is gone, there is nothing to take down.
            let _ = self.submit(Transaction::single(step, LONGEST_CONNECT).retrying_while_busy());
        }
    }

    /// Takes down what this object set up, as far as the module plays along within `time`.
    ///
    /// # Errors
    ///
    /// None but an interruption.
    pub fn leave(&self, time: Duration, patience: &dyn Patience) -> Result<(), Error> {
        let deadline = Instant::now() + time;
        let facts = self.facts();
        let is_ours = |index: &ClientIndex| facts.client(*index).is_some_and(|known| known.acquired_here);
        let ours: Vec<_> = ClientIndex::ALL.into_iter().filter(is_ours).collect();
        // All at once: a broker that does not answer the one is no reason to leave the other behind.
        let leaving: Vec<_> = ours.iter().map(|index| self.begin_leaving(*index, deadline)).collect();
        let mut is_going = true;
        for (index, tickets) in ours.into_iter().zip(leaving) {
            is_going &= self.finish_leaving(index, tickets, deadline, patience)?;
        }
        if is_going && facts.started_here {
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
        let tickets = self.begin_leaving(index, deadline);
        self.finish_leaving(index, tickets, deadline, patience)
    }

    fn begin_leaving(&self, index: ClientIndex, deadline: Instant) -> Vec<Ticket> {
        // On a port that is gone, nothing else goes either.
        let _ = self.stop_bringing_back(index);
        let facts = self.facts();
        let Some(known) = facts.client(index) else { return Vec::new() };
        let disconnect = known.connected.then(|| connection::disconnect(index, None));
        let steps = disconnect.into_iter().chain([client::release(index)]);
        let left = deadline.saturating_duration_since(Instant::now());
        // Those of a driver that is closed are as good as done.
        steps.filter_map(|step| self.submit(Transaction::single(step, left)).ok()).collect()
    }

    fn finish_leaving(
        &self,
        index: ClientIndex,
        tickets: Vec<Ticket>,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Going {
        for ticket in tickets {
            if !is_answered(self.wait(&ticket, patience))? {
                return Ok(false);
            }
        }
        if self.facts().client(index).is_none() {
            return Ok(true);
        }
        // It may be connecting, with nobody waiting for that any more.
        Ok(self.try_until(connection::disconnect(index, None), deadline, patience)?
            && self.try_until(client::release(index), deadline, patience)?)
    }

    fn try_until(&self, command: Command, deadline: Instant, patience: &dyn Patience) -> Going {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        is_answered(self.execute(Transaction::single(command, left).retrying_while_busy(), patience))
    }
}

/// A module that refuses is no reason to stop, one that is mute is.
fn is_answered(answer: Result<Answers, Error>) -> Going {
    match answer {
        Ok(_) => Ok(true),
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(error) => Ok(error.is_refusal()),
    }
}
