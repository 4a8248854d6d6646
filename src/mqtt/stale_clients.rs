//! Stale clients: an earlier process left them on the module. They are taken over or torn down, so that a script that is run
//! again works.

use std::time::{Duration, Instant};

use super::error::Error;
use super::module_state::ClientSnapshot;
use super::session::Session;
use crate::at::{ClientIndex, ResultCode};
use crate::channel::Transaction;
use crate::commands::client::{AcquiredClients, SslContextsInUse};
use crate::commands::connection::ConnectedClients;
use crate::commands::{ClientId, SslContextIndex, client, connection};

/// The time that a teardown may take on the module.
pub(super) const TEARDOWN: Duration = Duration::from_secs(28);

impl Session {
    /// Acquires a client: `AT+CMQTTACCQ`. A stale one is torn down first.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if this object has acquired the client or the service does not run; the failures of
    /// [`Session::execute`].
    pub async fn acquire(&self, index: ClientIndex, client_id: &ClientId, tls: bool) -> Result<(), Error> {
        let Err(error) = self.run_soon(client::acquire(index, client_id, tls)).await else {
            return Ok(());
        };
        let may_be_held = error.is_bare_refusal() || error.code() == Some(ResultCode::CLIENT_IS_USED);
        if !may_be_held || !self.is_started().await? || !self.stale_clients().await?.contains(&index) {
            return Err(error);
        }
        self.tear_down(index, self.now() + TEARDOWN).await?;
        self.run_soon(client::acquire(index, client_id, tls)).await.map(drop)
    }

    /// Asks which clients are acquired, by this object or before it, and takes note of those that it did not know. None
    /// while the service does not run.
    ///
    /// # Errors
    ///
    /// The failures of [`Session::execute`], and [`Error::UnexpectedAnswer`].
    pub async fn find_clients(&self) -> Result<Vec<ClientIndex>, Error> {
        if !self.is_started().await? {
            return Ok(Vec::new());
        }
        let acquired = self.ask(&AcquiredClients).await?;
        let connected = self.ask(&ConnectedClients).await?;
        let contexts = if acquired.iter().any(|found| found.tls) {
            self.ask(&SslContextsInUse).await?
        } else {
            Vec::new()
        };
        for found in &acquired {
            let is_known = self.state(|state| {
                state.client(found.client).is_some_and(|known| known.client_id == found.client_id)
            });
            if is_known {
                continue;
            }
            let used = contexts.iter().find(|(client, _)| *client == found.client);
            let ssl_context =
                used.and_then(|(_, context)| SslContextIndex::parse(i64::from((*context)?)).ok());
            let has_connection = connected.contains(&(found.client, true));
            let record = ClientSnapshot {
                ssl_context,
                ..ClientSnapshot::found(found.client_id.clone(), found.tls, has_connection)
            };
            self.change_state(|state| state.found(found.client, record));
        }
        Ok(acquired.into_iter().map(|found| found.client).collect())
    }

    /// DISC and REL, whether the client is connected or not.
    pub(super) async fn tear_down(&self, index: ClientIndex, deadline: Instant) -> Result<(), Error> {
        for step in [connection::disconnect(index, None), client::release(index)] {
            let step = Transaction::single(step, self.time_until(deadline)).retrying_while_busy();
            match self.execute(step).await {
                // There was nothing to disconnect, or the client has just been released: ACCQ will tell.
                Err(error) if !error.is_refusal() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    pub(super) async fn stale_clients(&self) -> Result<Vec<ClientIndex>, Error> {
        let acquired = self.ask(&AcquiredClients).await?;
        let is_ours =
            |index| self.state(|state| state.client(index).is_some_and(|known| known.acquired_here));
        Ok(acquired.into_iter().map(|found| found.client).filter(|index| !is_ours(*index)).collect())
    }
}
