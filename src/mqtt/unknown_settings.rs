//! Settings of `AT+CMQTTCFG` that the module's firmware does not know.

use std::time::Instant;

use super::connect::{ConnectPlan, connection_commands};
use super::error::Error;
use super::output::Output;
use super::session::Session;
use crate::at::ClientIndex;
use crate::commands::{ClientId, OperationTimeout, client};

/// The settings that the firmware refused. The driver leaves them out from then on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UnknownSettings {
    pub(super) version: bool,
    pub(super) check_utf8: bool,
    pub(super) operation_timeout: bool,
}

impl UnknownSettings {
    /// Takes note of a refused setting. Returns whether to go on without it: not if the user asked for a value of it.
    fn note(&mut self, refusal: &Error, plan: &ConnectPlan) -> bool {
        let Error::Refused { command, code: None, .. } = refusal else { return false };
        let (is_unknown, may_go_on) = if command.starts_with("AT+CMQTTCFG=\"version\"") {
            (&mut self.version, true)
        } else if command.starts_with("AT+CMQTTCFG=\"checkUTF8\"") {
            (&mut self.check_utf8, plan.check_utf8)
        } else if command.starts_with("AT+CMQTTCFG=\"optimeout\"") {
            (&mut self.operation_timeout, plan.operation_timeout == OperationTimeout::DEFAULT)
        } else {
            return false;
        };
        // Refused once more, it was not the setting.
        may_go_on && !std::mem::replace(is_unknown, true)
    }
}

impl Session {
    /// Acquires the client of a plan, with the MQTT version if the firmware takes it there alone.
    pub(super) async fn acquire_for(
        &self,
        plan: &ConnectPlan,
        client: ClientIndex,
        client_id: &ClientId,
        deadline: Instant,
    ) -> Result<(), Error> {
        let tls = plan.server.tls();
        if self.with(|shared| shared.unknown_settings.version) {
            let acquire = client::acquire_with_version(client, client_id, tls, plan.version);
            match self.run_by(acquire, deadline).await {
                Err(error) if error.is_refusal() => self.output(Output::Warning(format!(
                    "client {client} connects with the firmware's own MQTT version: it takes none from AT+CMQTTCFG or AT+CMQTTACCQ"
                ))),
                acquired => return acquired.map(drop),
            }
        }
        self.run_by(client::acquire(client, client_id, tls), deadline).await.map(drop)
    }

    /// Configures and connects an acquired client. Settings that the firmware does not know are left out if the user did not
    /// ask for them.
    pub(super) async fn establish(
        &self,
        plan: &ConnectPlan,
        client: ClientIndex,
        client_id: &ClientId,
        deadline: Instant,
    ) -> Result<(), Error> {
        loop {
            let unknown = self.with(|shared| shared.unknown_settings);
            let commands = connection_commands(plan, client, unknown, self.time_until(deadline));
            let Err(error) = self.execute(commands).await else { return Ok(()) };
            let is_left_out = self.with(|shared| shared.unknown_settings.note(&error, plan));
            if !is_left_out {
                return Err(error);
            }
            if !unknown.version && self.with(|shared| shared.unknown_settings.version) {
                self.run_by(client::release(client), deadline).await?;
                self.acquire_for(plan, client, client_id, deadline).await?;
            }
        }
    }
}
