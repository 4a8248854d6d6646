//! Waiting for an unsolicited line that a command announces, such as `+CNTP: 0` behind the `OK` of `AT+CNTP`.

use std::time::Instant;

use super::executor::TaskId;
use super::one_shot::OneShot;
use super::session::{Session, Shared, WaitEnd};
use crate::at::parameters::Parameters;

/// The lines that tasks wait for.
#[derive(Debug, Default)]
pub(super) struct ExpectedLines(Vec<Expectation>);

#[derive(Debug)]
struct Expectation {
    name: &'static str,
    task: TaskId,
    line: OneShot<Vec<u8>>,
}

/// The next line `+<name>: …` from the making of this value on.
pub(super) struct ExpectedLine {
    session: Session,
    line: OneShot<Vec<u8>>,
}

impl ExpectedLines {
    /// Gives a line to the task that waits for it.
    pub(super) fn offer(shared: &mut Shared, line: &[u8]) {
        let is_expected = |expectation: &Expectation| {
            Parameters::of_information(line, expectation.name.as_bytes()).is_some()
        };
        if let Some(found) = shared.expected_lines.0.iter().position(is_expected) {
            let expectation = shared.expected_lines.0.remove(found);
            expectation.line.fill(line.to_vec());
            shared.ready.push(expectation.task);
        }
    }
}

impl Session {
    /// Expects a line from now on, so before the command that announces it.
    pub(super) fn expect_line(&self, name: &'static str) -> ExpectedLine {
        let line = OneShot::default();
        let expectation = Expectation { name, task: self.current_task(), line: line.clone() };
        self.with(|shared| shared.expected_lines.0.push(expectation));
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
        self.session.with(|shared| shared.expected_lines.0.retain(|known| !known.line.is_same(&self.line)));
    }
}
