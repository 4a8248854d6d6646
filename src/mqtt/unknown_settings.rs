//! Settings of `AT+CMQTTCFG` that the module's firmware does not know.

use super::connect_plan::ConnectPlan;
use super::error::Error;
use crate::commands::OperationTimeout;

/// The settings that the firmware refused. The driver leaves them out from then on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UnknownSettings {
    pub(super) version: bool,
    pub(super) check_utf8: bool,
    pub(super) operation_timeout: bool,
}

impl UnknownSettings {
    /// Takes note of a refused setting. Returns whether to go on without it: not if the user asked for a value of it.
    pub(super) fn note(&mut self, refusal: &Error, plan: &ConnectPlan) -> bool {
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
