use std::time::{Duration, Instant};

use super::device::known;
use super::error::Error;
use super::session::Session;
use crate::commands::{
    Cell, PdpContextDefinitions, PdpContextStates, Registration, ServingCell, is_data_context_active,
};

/// Between two looks. No URC reports it reliably, and the module itself looks no more often.
const INTERVAL: Duration = Duration::from_secs(1);

impl Session {
    /// Waits until the module is registered and a PDP context is active.
    ///
    /// # Errors
    ///
    /// [`Error::NoNetwork`] if not in time; the failures of [`Session::execute`].
    pub async fn wait_for_network(&self, timeout: Duration) -> Result<Cell, Error> {
        let deadline = self.now() + timeout;
        loop {
            // The last look is made when time is over.
            let answer_by = deadline.max(self.now() + INTERVAL);
            let Some(missing) = self.missing_for_network(answer_by).await? else {
                return self.ask_by(&ServingCell, answer_by).await;
            };
            let left = self.time_until(deadline);
            if left.is_zero() {
                return Err(Error::NoNetwork { missing, seconds: timeout.as_secs_f64() });
            }
            self.sleep(left.min(INTERVAL)).await?;
        }
    }

    async fn missing_for_network(&self, deadline: Instant) -> Result<Option<String>, Error> {
        let registration = Registration::join(&self.registrations(deadline).await?, None);
        if !registration.is_registered {
            return Ok(Some(format!("the module is not registered ({})", registration.state)));
        }
        let states = self.ask_by(&PdpContextStates, deadline).await?;
        if !states.iter().any(|(_, is_active)| *is_active) {
            return Ok(Some("no PDP context is active".to_owned()));
        }
        let definitions = known(self.ask_by(&PdpContextDefinitions, deadline).await)?.unwrap_or_default();
        let has_data = is_data_context_active(&states, &definitions);
        Ok((!has_data).then(|| "no PDP context for data is active, only that of IMS".to_owned()))
    }
}
