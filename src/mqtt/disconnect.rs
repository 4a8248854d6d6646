//! Disconnecting, releasing, and leaving the module as it was found.

use std::time::{Duration, Instant};

use super::client_state::ClientState;
use super::error::Error;
use super::module_state::ModuleState;
use super::session::{PortState, Session, Submitted};
use crate::at::{ClientIndex, Command, ResultCode};
use crate::channel::{Answers, Transaction};
use crate::commands::{DisconnectTimeout, client, connection, service};

/// No connection attempt lasts longer on the module.
const LONGEST_CONNECT: Duration = Duration::from_secs(185);

/// True if the module still answers, so that further steps make sense.
type StillAnswers = Result<bool, Error>;

impl Session {
    /// Disconnects a client: `AT+CMQTTDISC`. One that reconnects stops that, and is not connected to be disconnected.
    ///
    /// # Errors
    ///
    /// [`Error::NotConnected`] if there is no connection and no reconnect was under way; the failures of
    /// [`Session::execute`].
    pub async fn disconnect(&self, index: ClientIndex, timeout: Duration) -> Result<(), Error> {
        let did_reconnect = self.state(|state| state.reconnects(index));
        if self.stop_reconnecting(index) {
            return Ok(());
        }
        let former = self.enter_disconnecting(index);
        let command = connection::disconnect(index, Some(DisconnectTimeout::covering(timeout)));
        let transaction = Transaction::single(command, timeout).retrying_while_busy();
        let Err(error) = self.execute(transaction).await else { return Ok(()) };
        // The connection may be lost at any time, and the module report it right behind its answer.
        if did_reconnect && self.says_lost(&error).await? {
            self.change_state(|state| {
                state.set_has_connection(index, false);
                state.set_state(index, ClientState::Acquired);
            });
            return Ok(());
        }
        self.leave_disconnecting(index, former);
        Err(error)
    }

    fn enter_disconnecting(&self, index: ClientIndex) -> ClientState {
        let former = self.state(|state| state.client_state(index).clone());
        if former.is_connected() {
            self.change_state(|state| state.set_state(index, ClientState::Disconnecting));
        }
        former
    }

    /// DISC failed: the client is what it was, unless something else happened to it meanwhile.
    fn leave_disconnecting(&self, index: ClientIndex, former: ClientState) {
        if self.state(|state| *state.client_state(index) == ClientState::Disconnecting) {
            self.change_state(|state| state.set_state(index, former));
        }
    }

    /// Asks whether the answer to DISC says that there is nothing to disconnect.
    async fn says_lost(&self, answer: &Error) -> Result<bool, Error> {
        if answer.is_bare_refusal() {
            return Ok(!self.is_started().await?);
        }
        Ok(answer.code() == Some(ResultCode::NO_CONNECTION) || matches!(answer, Error::ConnectionLost { .. }))
    }

    /// Gives a client back to the module: `AT+CMQTTREL`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if it is still connected; the failures of [`Session::execute`].
    pub async fn release(&self, index: ClientIndex) -> Result<(), Error> {
        let was_away = self.state(|state| state.reconnects(index) && !state.is_connected(index));
        self.stop_reconnecting(index);
        if was_away && self.state(|state| state.has_connection(index)) {
            // The attempt has come as far as the connection.
            self.submit(Transaction::single(connection::disconnect(index, None), LONGEST_CONNECT)).detach();
        }
        let release = client::release(index);
        let timeout = self.usual_timeout(&release);
        self.execute(Transaction::single(release, timeout).retrying_while_busy()).await.map(drop)
    }

    /// Stops reconnecting. Returns whether the client was away: an attempt to connect it may then be under way on the
    /// module, and its result is taken down right behind it, which no caller waits for.
    pub(super) fn stop_reconnecting(&self, index: ClientIndex) -> bool {
        let is_away = self.disable_reconnect(index)
            && self.state(|state| !state.has_connection(index))
            && self.with(|shared| matches!(shared.port, PortState::Open));
        if is_away {
            self.submit(Transaction::single(connection::disconnect(index, None), LONGEST_CONNECT)).detach();
        }
        is_away
    }

    /// Takes down a client that no object holds, once the module is done with it. No caller waits for that.
    pub fn take_down_later(&self, index: ClientIndex) {
        self.change_state(|state| state.disown(index));
        for step in [connection::disconnect(index, None), client::release(index)] {
            self.submit(Transaction::single(step, LONGEST_CONNECT).retrying_while_busy()).detach();
        }
    }

    /// Takes down what this object set up, as far as the module answers within `time`.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] if the task is cancelled.
    pub async fn leave(&self, time: Duration) -> Result<(), Error> {
        let deadline = self.now() + time;
        let is_ours = |index: &ClientIndex| {
            self.state(|state| {
                state.reconnects(*index) || state.client(*index).is_some_and(|known| known.acquired_here)
            })
        };
        let ours: Vec<_> = ClientIndex::ALL.into_iter().filter(is_ours).collect();
        // All at once: if the broker of one does not answer, the other is taken down all the same.
        let leaving: Vec<_> = ours.iter().map(|index| self.begin_leaving(*index, deadline)).collect();
        let mut answers = true;
        for (index, steps) in ours.into_iter().zip(leaving) {
            answers &= self.finish_leaving(index, steps, deadline).await?;
        }
        if answers && self.state(ModuleState::started_here) {
            self.try_until(service::stop(), deadline).await?;
        }
        Ok(())
    }

    /// Disconnects and releases a client, as far as the module answers within `time`.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] if the task is cancelled; the client is then taken down without the caller.
    pub async fn leave_client(&self, index: ClientIndex, time: Duration) -> Result<(), Error> {
        let deadline = self.now() + time;
        let steps = self.begin_leaving(index, deadline);
        let left = self.finish_leaving(index, steps, deadline).await;
        left.map(drop).inspect_err(|_| self.take_down_later(index))
    }

    fn begin_leaving(&self, index: ClientIndex, deadline: Instant) -> Vec<Submitted> {
        let did_reconnect = self.state(|state| state.reconnects(index));
        self.stop_reconnecting(index);
        let has_connection = match self.state(|state| state.client(index).map(|known| known.has_connection)) {
            Some(has_connection) => has_connection,
            // Lost with the port, it may still be on the module.
            None if did_reconnect => false,
            None => return Vec::new(),
        };
        let disconnect = has_connection.then(|| connection::disconnect(index, None));
        let steps = disconnect.into_iter().chain([client::release(index)]);
        let left = self.time_until(deadline);
        steps.map(|step| self.submit(Transaction::single(step, left))).collect()
    }

    async fn finish_leaving(
        &self,
        index: ClientIndex,
        steps: Vec<Submitted>,
        deadline: Instant,
    ) -> StillAnswers {
        for step in steps {
            if !still_answers(step.await)? {
                return Ok(false);
            }
        }
        if self.state(|state| state.client(index).is_none()) {
            return Ok(true);
        }
        // A connection attempt whose caller is gone may be under way.
        Ok(self.try_until(connection::disconnect(index, None), deadline).await?
            && self.try_until(client::release(index), deadline).await?)
    }

    async fn try_until(&self, command: Command, deadline: Instant) -> StillAnswers {
        let left = self.time_until(deadline);
        if left.is_zero() {
            return Ok(false);
        }
        still_answers(self.execute(Transaction::single(command, left).retrying_while_busy()).await)
    }
}

/// A module that refuses is no reason to stop; one that does not answer is.
fn still_answers(answer: Result<Answers, Error>) -> StillAnswers {
    match answer {
        Ok(_) => Ok(true),
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Err(error) => Ok(error.is_refusal()),
    }
}
