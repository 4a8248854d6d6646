use std::time::{Duration, Instant};

use super::error::Error;
use super::modem::Modem;
use super::patience::Patience;
use crate::commands::{Cell, Registration, cell, network};

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
                return self.ask_by(cell::query(), Cell::from_answer, answer_by, patience);
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
        let (query, parse) = (network::query_eps_registration(), Registration::from_eps_answer);
        let eps = self.ask_by(query, parse, deadline, patience)?;
        if !eps.is_registered() {
            let (query, parse) = (network::query_gprs_registration(), Registration::from_gprs_answer);
            let gprs = self.ask_by(query, parse, deadline, patience)?;
            if !gprs.is_registered() {
                return Ok(Some(format!("the module is not registered ({eps})")));
            }
        }
        let contexts =
            network::pdp_contexts(&self.run_by(network::query_pdp_contexts(), deadline, patience)?);
        let active = contexts.iter().any(|(_, active)| *active);
        Ok((!active).then(|| "no PDP context is active".to_owned()))
    }
}
