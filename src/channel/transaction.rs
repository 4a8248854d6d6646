//! Commands that a caller submits to run one behind the other.

use std::time::{Duration, Instant};

use super::failure::FailedCommand;
use crate::at::command::Command;

/// Commands that run one behind the other with nothing in between; the first failure ends the transaction.
#[derive(Clone, Debug)]
pub struct Transaction {
    commands: Vec<Command>,
    /// How long the caller waits for the whole, from submission on.
    timeout: Duration,
    retries_while_busy: bool,
    is_timed_from_start: bool,
    keeps_order: bool,
}

impl Transaction {
    pub fn new(commands: Vec<Command>, timeout: Duration) -> Self {
        debug_assert!(!commands.is_empty());
        Self { commands, timeout, retries_while_busy: false, is_timed_from_start: false, keeps_order: false }
    }

    pub fn single(command: Command, timeout: Duration) -> Self {
        Self::new(vec![command], timeout)
    }

    /// Repeats the transaction from its beginning, within its time, while the client is busy (code 14).
    #[must_use]
    pub fn retrying_while_busy(mut self) -> Self {
        self.retries_while_busy = true;
        self
    }

    /// Starts the time when the first command starts: the wait behind other transactions does not count.
    #[must_use]
    pub fn timed_from_start(mut self) -> Self {
        self.is_timed_from_start = true;
        self
    }

    /// Holds back its lane if it fails, until [`Engine::lift_lane_barriers`](super::Engine::lift_lane_barriers): the
    /// transaction may have to go out again before those behind it.
    #[must_use]
    pub fn keeping_order(mut self) -> Self {
        self.keeps_order = true;
        self
    }

    /// How long the caller waits for the whole.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The end of the time, if the transaction is submitted now. One that is timed from its start has none yet.
    pub(crate) fn deadline(&self, now: Instant) -> Instant {
        /// Longer than any program runs.
        const NEVER: Duration = Duration::from_secs(100 * 365 * 86_400);
        now + if self.is_timed_from_start { NEVER } else { self.timeout }
    }

    /// The same transaction with less time.
    #[must_use]
    pub(crate) fn within(mut self, time: Duration) -> Self {
        self.timeout = self.timeout.min(time);
        self
    }

    /// Returns true if a command line or its data contains one of these bytes.
    pub(crate) fn contains_any(&self, wanted: [u8; 2]) -> bool {
        let found = |bytes: &[u8]| memchr::memchr2(wanted[0], wanted[1], bytes).is_some();
        let is_in_data = |command: &Command| command.data.as_ref().is_some_and(|data| found(&data.bytes));
        self.commands.iter().any(|command| found(command.line.bytes()) || is_in_data(command))
    }

    /// The command that names the whole in an error: the last, which is what the caller asked for.
    pub(crate) fn named(&self) -> FailedCommand {
        FailedCommand::from(&self.commands[self.commands.len() - 1].line)
    }

    /// Prepares the transaction to go out again after its result was lost. Returns `false` if it must not: a publish
    /// with `QoS` 1 may, and one with `QoS` 2 if the caller wants that.
    pub(crate) fn prepare_resend(&mut self, resend_qos2: bool) -> bool {
        let Some(command) = self.commands.last_mut() else { return false };
        match command.line.publish_qos() {
            Some(1) => command.line = command.line.with_dup(),
            Some(2) if resend_qos2 => {}
            _ => return false,
        }
        true
    }

    pub(super) fn commands(&self) -> &[Command] {
        &self.commands
    }

    pub(super) fn retries_while_busy(&self) -> bool {
        self.retries_while_busy
    }

    pub(super) fn is_timed_from_start(&self) -> bool {
        self.is_timed_from_start
    }

    pub(super) fn keeps_order(&self) -> bool {
        self.keeps_order
    }
}
