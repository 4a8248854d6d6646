use std::time::{Duration, Instant};

use super::failure::FailedCommand;
use crate::at::{ClientIndex, Command};

/// Commands that run one behind the other with nothing in between; the first failure ends it.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub(crate) commands: Vec<Command>,
    /// How long the caller waits for the whole, from submission on.
    pub(crate) timeout: Duration,
    pub(crate) retries_while_busy: bool,
    pub(crate) timed_from_start: bool,
    pub(crate) keeps_order: bool,
}

impl Transaction {
    pub fn new(commands: Vec<Command>, timeout: Duration) -> Self {
        debug_assert!(!commands.is_empty());
        Self { commands, timeout, retries_while_busy: false, timed_from_start: false, keeps_order: false }
    }

    /// Tried again from its beginning, within its time, while the module says that the client is busy (code 14).
    #[must_use]
    pub fn retrying_while_busy(mut self) -> Self {
        self.retries_while_busy = true;
        self
    }

    /// Its time does not run while it waits behind others.
    #[must_use]
    pub fn timed_from_start(mut self) -> Self {
        self.timed_from_start = true;
        self
    }

    /// If it fails, nothing behind it begins before [`Engine::lift_lane_barriers`](super::Engine::lift_lane_barriers): it may have to go out again
    /// first.
    #[must_use]
    pub fn keeping_order(mut self) -> Self {
        self.keeps_order = true;
        self
    }

    /// What the caller waits for the whole.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// When its time is over, if it is submitted now. One that waits its turn first has all the time there is.
    pub(crate) fn deadline(&self, now: Instant) -> Instant {
        /// Longer than any program runs.
        const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
        now + if self.timed_from_start { NEVER } else { self.timeout }
    }

    /// The same, with less time.
    #[must_use]
    pub(crate) fn within(mut self, time: Duration) -> Self {
        self.timeout = self.timeout.min(time);
        self
    }

    /// The client whose connection it needs, if it does.
    pub(crate) fn needs_connection_of(&self) -> Option<ClientIndex> {
        self.commands.iter().find(|command| command.kind().needs_connection())?.client()
    }

    /// The command that names the whole: the last, which is what the caller asked for.
    pub(crate) fn named(&self) -> FailedCommand {
        FailedCommand::from(&self.commands[self.commands.len() - 1].line)
    }

    /// Makes it what goes out after its result was lost; false if it must not go out again, which only `QoS` 1 may.
    pub(crate) fn prepare_resend(&mut self, resend_qos2: bool) -> bool {
        let Some(command) = self.commands.last_mut() else { return false };
        match command.line.publish_qos() {
            Some(1) => command.line = command.line.with_dup(),
            Some(2) if resend_qos2 => {}
            _ => return false,
        }
        true
    }

    pub fn single(command: Command, timeout: Duration) -> Self {
        Self::new(vec![command], timeout)
    }
}
