//! The module beyond MQTT: network, SIM card, access point, clock and position.

use std::time::{Duration, Instant};

use super::error::Error;
use super::session::{Session, WaitEnd};
use crate::channel::Awaited;
use crate::commands::{
    AccessPoint, Cell, Clock, ClockTime, CurrentPosition, Domain, DomainRegistration, GnssPower, Iccid, Imsi,
    PdpAddresses, PdpContext, PdpContextDefinitions, PdpContextStates, Pin, Position, Query, Registration,
    RegistrationIn, SelectedOperator, ServingCell, Sim, SimState, SimStateQuery, TimeServer,
    is_data_context_active, switch_gnss,
};

/// The time between two looks at the network. No URC reports it reliably, and the module itself looks no more often.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

impl Session {
    /// Reads the state of the SIM card, and its numbers as far as the module tells them in this state.
    ///
    /// # Errors
    ///
    /// The failures of [`Session::execute`], and [`Error::UnexpectedAnswer`].
    pub async fn sim(&self) -> Result<Sim, Error> {
        let (state, line) = self.sim_state().await?;
        let has_card = !matches!(state, SimState::Absent | SimState::Busy | SimState::Failure);
        let iccid = if has_card { known(self.ask(&Iccid).await)?.flatten() } else { None };
        let imsi = if state == SimState::Ready { known(self.ask(&Imsi).await)?.flatten() } else { None };
        let lines: Vec<_> = std::iter::once(line)
            .chain([&iccid, &imsi].into_iter().flatten().map(|n| n.raw.clone()))
            .collect();
        Ok(Sim {
            state,
            iccid: iccid.map(|number| number.value),
            imsi: imsi.map(|number| number.value),
            raw: lines.join("\n"),
        })
    }

    /// The state of the card, with the line or the refusal that tells it.
    async fn sim_state(&self) -> Result<(SimState, String), Error> {
        match self.ask(&SimStateQuery).await {
            Err(Error::Refused { response, .. }) => Ok((SimState::from_refusal(&response), response)),
            asked => asked,
        }
    }

    /// Enters the PIN if the card waits for it. A PIN that the card refused is not sent again.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] for a wrong PIN, [`Error::SimLocked`] if the card waits for its PUK, [`Error::PinRefused`] if
    /// the card refused this PIN before; the failures of [`Session::execute`].
    pub async fn enter_pin(&self, pin: Pin) -> Result<(), Error> {
        match self.ask(&SimStateQuery).await {
            Ok((SimState::Ready, _)) => return Ok(()),
            Ok((SimState::Puk, response)) => return Err(Error::SimLocked { response }),
            Err(Error::Refused { response, .. }) if SimState::from_refusal(&response) == SimState::Puk => {
                return Err(Error::SimLocked { response });
            }
            // Without CMEE a card that waits for its PIN can be a bare ERROR.
            Err(Error::Refused { response, .. }) if may_take_pin(&response) => {}
            asked => drop(asked?),
        }
        let refused_before =
            self.with(|shared| shared.refused_pin.clone().filter(|(refused, _)| *refused == pin));
        if let Some((_, response)) = refused_before {
            return Err(Error::PinRefused { response });
        }
        let entered = self.run_soon(pin.enter()).await;
        if let Err(Error::Refused { response, .. }) = &entered
            && may_take_pin(response)
        {
            self.with(|shared| shared.refused_pin = Some((pin, response.clone())));
        }
        entered.map(drop)
    }

    /// Reads the registration in all domains, and the operator.
    ///
    /// # Errors
    ///
    /// The failures of [`Session::execute`]; [`Error::Refused`] or [`Error::UnexpectedAnswer`] if no domain answers.
    pub async fn registration(&self) -> Result<Registration, Error> {
        let deadline = self.now() + self.usual_timeout(&SelectedOperator.command()) * 4;
        let domains = self.registrations(deadline).await?;
        let operator = known(self.ask_by(&SelectedOperator, deadline).await)?;
        Ok(Registration::join(&domains, operator))
    }

    /// The domains whose command the module knows, at least one.
    async fn registrations(&self, deadline: Instant) -> Result<Vec<(Domain, DomainRegistration)>, Error> {
        let (mut domains, mut refusal) = (Vec::new(), None);
        for domain in Domain::ALL {
            match self.ask_by(&RegistrationIn(domain), deadline).await {
                Ok(found) => domains.push((domain, found)),
                Err(error @ (Error::Refused { .. } | Error::UnexpectedAnswer(_))) => refusal = Some(error),
                Err(error) => return Err(error),
            }
        }
        refusal.filter(|_| domains.is_empty()).map_or(Ok(domains), Err)
    }

    /// Waits until the module is registered and a PDP context is active.
    ///
    /// # Errors
    ///
    /// [`Error::NoNetwork`] if not in time; the failures of [`Session::execute`].
    pub async fn wait_for_network(&self, timeout: Duration) -> Result<Cell, Error> {
        let deadline = self.now() + timeout;
        loop {
            // The last look is made when time is over.
            let answer_by = deadline.max(self.now() + LOOK_INTERVAL);
            let Some(missing) = self.missing_for_network(answer_by).await? else {
                return self.ask_by(&ServingCell, answer_by).await;
            };
            let left = self.time_until(deadline);
            if left.is_zero() {
                return Err(Error::NoNetwork { missing, seconds: timeout.as_secs_f64() });
            }
            self.sleep(left.min(LOOK_INTERVAL)).await?;
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

    /// Reads the contexts that carry data.
    ///
    /// # Errors
    ///
    /// The failures of [`Session::execute`].
    pub async fn data_contexts(&self) -> Result<Vec<PdpContext>, Error> {
        let definitions = self.ask(&PdpContextDefinitions).await?;
        let states = self.ask(&PdpContextStates).await?;
        let mut addresses = known(self.ask(&PdpAddresses::OfAll).await)?.unwrap_or_default();
        for (number, is_active) in &states {
            // Some firmware tells no address unless it is asked for a context.
            if *is_active && !addresses.iter().any(|(known, _)| known == number) {
                addresses.extend(known(self.ask(&PdpAddresses::Of(*number)).await)?.unwrap_or_default());
            }
        }
        Ok(PdpContext::join(definitions, &states, &addresses))
    }

    /// Defines an access point.
    ///
    /// # Errors
    ///
    /// The failures of [`Session::execute`].
    pub async fn set_access_point(&self, access_point: AccessPoint) -> Result<(), Error> {
        for command in access_point.configure() {
            self.run_soon(command).await?;
        }
        Ok(())
    }

    /// Reads the clock; `None` if it was never set.
    ///
    /// # Errors
    ///
    /// The failures of [`Session::execute`], and [`Error::UnexpectedAnswer`].
    pub async fn clock(&self) -> Result<Option<ClockTime>, Error> {
        self.ask(&Clock).await
    }

    /// Sets the clock from a time server, in the time zone that the clock has.
    ///
    /// # Errors
    ///
    /// [`Error::ClockNotSet`] if the module reports a failure, [`Error::NoAnswer`] if it reports nothing in time; the
    /// failures of [`Session::execute`].
    pub async fn sync_clock(&self, server: TimeServer, timeout: Duration) -> Result<ClockTime, Error> {
        let deadline = self.now() + timeout;
        let zone = self.ask_by(&Clock, deadline).await?.map_or(0, |time| time.quarters_of_an_hour);
        self.run_by(server.configure(zone), deadline).await?;
        let (command, expected) = (TimeServer::synchronize(), self.expect_line(TimeServer::RESULT));
        // Some firmware gives the result before OK.
        let lines = self.run_by(command.clone(), deadline).await?;
        let result = match lines.iter().find(|line| TimeServer::result(line).is_some()) {
            Some(line) => line.clone(),
            None => match expected.by(deadline).await {
                Ok(line) => line,
                Err(end) => return Err(no_result(end, command.line().shown(), timeout)),
            },
        };
        let response = String::from_utf8_lossy(&result).into_owned();
        if let Some(result) = TimeServer::result(&result).filter(|result| *result != 0) {
            return Err(Error::ClockNotSet { response, meaning: TimeServer::meaning(result) });
        }
        let time = self.ask_by(&Clock, deadline.max(self.now() + self.command_timeout())).await?;
        time.ok_or(Error::ClockNotSet { response, meaning: "but the clock shows no time" })
    }

    /// Switches the satellite receiver on or off. Switched on, it takes some seconds until it is ready.
    ///
    /// # Errors
    ///
    /// [`Error::NoAnswer`] if the receiver is not ready in time; the failures of [`Session::execute`].
    pub async fn set_gnss(&self, on: bool, timeout: Duration) -> Result<(), Error> {
        let deadline = self.now() + timeout;
        if known(self.ask_by(&GnssPower, deadline).await)? == Some(on) {
            return Ok(());
        }
        let (command, expected) = (switch_gnss(on), self.expect_line(GnssPower::NAME));
        let lines = self.run_by(command.clone(), deadline).await?;
        if !on || lines.iter().any(|line| GnssPower::is_ready(line)) {
            return Ok(());
        }
        expected.by(deadline).await.map(drop).map_err(|end| no_result(end, command.line().shown(), timeout))
    }

    /// Reads the position; `None` without a fix.
    ///
    /// # Errors
    ///
    /// The failures of [`Session::execute`], and [`Error::UnexpectedAnswer`].
    pub async fn position(&self) -> Result<Option<Position>, Error> {
        self.ask(&CurrentPosition).await
    }
}

/// The card is there and has started, as far as this refusal tells.
fn may_take_pin(refusal: &str) -> bool {
    matches!(SimState::from_refusal(refusal), SimState::Pin | SimState::Unknown)
}

/// `None` where the module does not know the command, or answers it otherwise.
fn known<T>(asked: Result<T, Error>) -> Result<Option<T>, Error> {
    match asked {
        Ok(answer) => Ok(Some(answer)),
        Err(Error::Refused { .. } | Error::UnexpectedAnswer(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn no_result(end: WaitEnd, command: String, timeout: Duration) -> Error {
    match end {
        WaitEnd::TimedOut => {
            Error::NoAnswer { command, awaited: Awaited::Result, seconds: timeout.as_secs_f64() }
        }
        WaitEnd::Cancelled => Error::Interrupted,
    }
}
