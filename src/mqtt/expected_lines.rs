use super::executor::TaskId;
use super::one_shot::OneShot;
use crate::at::parameters::Parameters;

/// The unsolicited lines that tasks wait for.
#[derive(Debug, Default)]
pub(super) struct ExpectedLines(Vec<Expectation>);

#[derive(Debug)]
struct Expectation {
    name: &'static str,
    task: TaskId,
    line: OneShot<Vec<u8>>,
}

impl ExpectedLines {
    pub(super) fn add(&mut self, name: &'static str, task: TaskId, line: OneShot<Vec<u8>>) {
        self.0.push(Expectation { name, task, line });
    }

    pub(super) fn remove(&mut self, line: &OneShot<Vec<u8>>) {
        self.0.retain(|known| !known.line.is_same(line));
    }

    /// Fills the first expectation of this line. Returns the task that waits for it.
    pub(super) fn offer(&mut self, line: &[u8]) -> Option<TaskId> {
        let is_expected = |expectation: &Expectation| {
            Parameters::of_information(line, expectation.name.as_bytes()).is_some()
        };
        let expectation = self.0.remove(self.0.iter().position(is_expected)?);
        expectation.line.fill(line.to_vec());
        Some(expectation.task)
    }
}
