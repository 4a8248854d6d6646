use std::time::{Duration, Instant};

use super::error::Error;
use super::modem::Modem;
use super::patience::Patience;
use crate::commands::{Cell, Domain, PdpContextStates, RegistrationIn, ServingCell};

/// Between two looks. No URC tells of it reliably, and the module itself looks no more often.
const INTERVAL: Duration = Duration::from_secs(1);

impl Modem {
    /// Waits until the module is registered and a PDP context is active.
    ///
    /// # Errors
    ///
    /// Not in time, or whatever the module, the line or time says.
    pub fn wait_for_network(&self, timeout: Duration, patience: &dyn Patience) -> Result<Cell, Error> {
        let deadline = Instant::now() + timeout;
        loop {
            // The last look is made when time is over.
            let answer_by = deadline.max(Instant::now() + INTERVAL);
            let Some(missing) = self.missing_for_network(answer_by, patience)? else {
                return self.ask_by(&ServingCell, answer_by, patience);
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::NoNetwork { missing, seconds: timeout.as_secs_f64() });
            }
            self.pause(left.min(INTERVAL), patience)?;
        }
    }

    fn missing_for_network(
        &self,
        deadline: Instant,
        patience: &dyn Patience,
    ) -> Result<Option<String>, Error> {
        let lte = self.ask_by(&RegistrationIn(Domain::Lte), deadline, patience)?.state;
        if !lte.is_registered() {
            let packet = self.ask_by(&RegistrationIn(Domain::Packet), deadline, patience)?.state;
            if !packet.is_registered() {
                return Ok(Some(format!("the module is not registered ({lte})")));
            }
        }
        let contexts = self.ask_by(&PdpContextStates, deadline, patience)?;
        let active = contexts.iter().any(|(_, active)| *active);
        Ok((!active).then(|| "no PDP context is active".to_owned()))
    }
}
