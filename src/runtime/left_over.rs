//! What an earlier process left on the module: taken over or torn down, so that a script that is run again does not notice.

use std::time::{Duration, Instant};

use super::error::Error;
use super::modem::Modem;
use super::patience::Patience;
use crate::at::ClientIndex;
use crate::channel::Transaction;
use crate::commands::client::{self, AcquiredClients};
use crate::commands::{ClientId, connection, service};

/// `client is used`, `client not released` and `network is opened`, chapter 4.1.
const CLIENT_IS_USED: u16 = 19;
const CLIENT_NOT_RELEASED: u16 = 21;
const NETWORK_IS_OPENED: u16 = 23;
/// How long the module may take for a teardown.
pub(super) const TEARDOWN: Duration = Duration::from_secs(28);

impl Modem {
    /// Starts the service. One that runs already is taken over, unless this object has started it.
    pub fn start(&self, timeout: Duration, patience: &dyn Patience) -> Result<(), Error> {
        let facts = self.facts();
        let is_ours = facts.started_here && facts.started == Some(true);
        let Err(error) = self.run(service::start(), timeout, patience) else { return Ok(()) };
        let may_run = error.is_bare_refusal() || error.code() == Some(NETWORK_IS_OPENED);
        if may_run && !is_ours && self.is_started(patience)? {
            return Ok(());
        }
        Err(error)
    }

    /// Stops the service, after the clients that nobody holds any more.
    pub fn stop(&self, timeout: Duration, patience: &dyn Patience) -> Result<(), Error> {
        let Err(error) = self.run(service::stop(), timeout, patience) else { return Ok(()) };
        if !matches!(error.code(), Some(CLIENT_IS_USED | CLIENT_NOT_RELEASED)) {
            return Err(error);
        }
        let left_over = self.left_over_clients(patience)?;
        if left_over.is_empty() {
            return Err(error);
        }
        for index in left_over {
            self.tear_down(index, Instant::now() + TEARDOWN, patience)?;
        }
        self.run(service::stop(), timeout, patience).map(drop)
    }

    /// Acquires a client. One that an earlier process held is torn down first.
    pub fn acquire(
        &self,
        index: ClientIndex,
        client_id: &ClientId,
        tls: bool,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        let Err(error) = self.run_soon(client::acquire(index, client_id, tls), patience) else {
            return Ok(());
        };
        let may_be_held = error.is_bare_refusal() || error.code() == Some(CLIENT_IS_USED);
        if !may_be_held || !self.is_started(patience)? || !self.left_over_clients(patience)?.contains(&index)
        {
            return Err(error);
        }
        self.tear_down(index, Instant::now() + TEARDOWN, patience)?;
        self.run_soon(client::acquire(index, client_id, tls), patience).map(drop)
    }

    /// DISC and REL, whether it was connected or not.
    pub(super) fn tear_down(
        &self,
        index: ClientIndex,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Result<(), Error> {
        for step in [connection::disconnect(index, None), client::release(index)] {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.execute(Transaction::single(step, left).retrying_while_busy(), patience) {
                // There was nothing to disconnect, or it has just been released; ACCQ will tell.
                Err(error) if !error.is_refusal() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn left_over_clients(&self, patience: &dyn Patience) -> Result<Vec<ClientIndex>, Error> {
        let acquired = self.ask(&AcquiredClients, patience)?;
        let facts = self.facts();
        let is_ours = |index| facts.client(index).is_some_and(|known| known.acquired_here);
        Ok(acquired.into_iter().map(|found| found.client).filter(|index| !is_ours(*index)).collect())
    }
}
