use std::time::{Duration, Instant};

use super::error::Error;
use super::session::Session;
use crate::commands::{Cell, Domain, PdpContextStates, RegistrationIn, ServingCell};

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
        let lte = self.ask_by(&RegistrationIn(Domain::Lte), deadline).await?.state;
        if !lte.is_registered() {
            let packet = self.ask_by(&RegistrationIn(Domain::Packet), deadline).await?.state;
            if !packet.is_registered() {
                return Ok(Some(format!("the module is not registered ({lte})")));
            }
        }
        let contexts = self.ask_by(&PdpContextStates, deadline).await?;
        let active = contexts.iter().any(|(_, active)| *active);
        Ok((!active).then(|| "no PDP context is active".to_owned()))
    }
}
