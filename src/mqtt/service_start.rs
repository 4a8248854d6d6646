//! Starting and stopping the MQTT service.

use std::time::{Duration, Instant};

use super::error::Error;
use super::module_state::ModuleState;
use super::session::{Call, Session};
use super::stale_clients::TEARDOWN;
use crate::at::ResultCode;
use crate::commands::service;

/// 12 s documented, and two for the line.
const START: Duration = Duration::from_secs(14);

impl Session {
    /// Starts the service: `AT+CMQTTSTART`. A service that another process started is taken over.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if this object has started the service, or if there is no network; the failures of
    /// [`Session::execute`].
    pub async fn start(&self, timeout: Duration) -> Result<(), Error> {
        let is_ours = self.state(|state| state.started_here() && state.started() == Some(true));
        let Err(error) = self.run(service::start(), timeout).await else { return Ok(()) };
        let may_run = error.is_bare_refusal() || error.code() == Some(ResultCode::NETWORK_IS_OPENED);
        if may_run && !is_ours && self.is_started().await? {
            return Ok(());
        }
        Err(error)
    }

    /// Stops the service: `AT+CMQTTSTOP`. Stale clients are released first if they are in the way.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the service does not run or a client of this object is acquired; the failures of
    /// [`Session::execute`].
    pub async fn stop(&self, timeout: Duration) -> Result<(), Error> {
        let Err(error) = self.run(service::stop(), timeout).await else { return Ok(()) };
        if !matches!(error.code(), Some(ResultCode::CLIENT_IS_USED | ResultCode::CLIENT_NOT_RELEASED)) {
            return Err(error);
        }
        let stale = self.stale_clients().await?;
        if stale.is_empty() {
            return Err(error);
        }
        for client in stale {
            self.tear_down(client, self.now() + TEARDOWN).await?;
        }
        self.run(service::stop(), timeout).await.map(drop)
    }

    /// Asks whether the service runs: `AT+CMQTTREL?`. A service that is gone without a word went with a restart.
    ///
    /// # Errors
    ///
    /// The failures of [`Session::execute`], refusals aside.
    pub async fn is_started(&self) -> Result<bool, Error> {
        self.is_started_by(self.now() + self.usual_timeout(&service::query_started())).await
    }

    pub(super) async fn is_started_by(&self, deadline: Instant) -> Result<bool, Error> {
        let started = match self.run_by(service::query_started(), deadline).await {
            Ok(_) => true,
            Err(Error::Refused { .. }) => false,
            Err(error) => return Err(error),
        };
        if !started && self.state(ModuleState::started) == Some(true) {
            self.with(|shared| shared.calls.push_back(Call::NoteRestart));
        }
        self.change_state(|state| state.set_started(started));
        Ok(started)
    }

    /// Starts the service unless it runs, started by this object or by an earlier process.
    pub(super) async fn start_if_needed(&self, deadline: Instant) -> Result<(), Error> {
        if self.state(ModuleState::started) == Some(true) && self.is_started_by(deadline).await? {
            return Ok(());
        }
        self.start(START.min(self.time_until(deadline))).await
    }
}
