//! Waiting for an unsolicited line that a command announces, such as `+CNTP: 0` behind the `OK` of `AT+CNTP`.

use std::time::Instant;

use super::one_shot::OneShot;
use super::session::{Session, WaitEnd};

/// The next line `+<name>: …` from the making of this value on.
pub(super) struct ExpectedLine {
    session: Session,
    line: OneShot<Vec<u8>>,
}

impl Session {
    /// Expects a line from now on, so before the command that announces it.
    pub(super) fn expect_line(&self, name: &'static str) -> ExpectedLine {
        let (task, line) = (self.current_task(), OneShot::default());
        self.with(|shared| shared.expected_lines.add(name, task, line.clone()));
        ExpectedLine { session: self.clone(), line }
    }
}

impl ExpectedLine {
    /// Waits for the line.
    pub(super) async fn by(&self, deadline: Instant) -> Result<Vec<u8>, WaitEnd> {
        self.session.wait(self.line.clone(), Some(deadline)).await
    }
}

impl Drop for ExpectedLine {
    fn drop(&mut self) {
        self.session.with(|shared| shared.expected_lines.remove(&self.line));
    }
}
