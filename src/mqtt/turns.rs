use std::collections::VecDeque;

use super::executor::TaskId;
use super::one_shot::OneShot;

/// The tasks that wait for a turn, in order.
#[derive(Debug, Default)]
pub(super) struct Turns {
    is_taken: bool,
    waiting: VecDeque<(TaskId, OneShot<()>)>,
}

impl Turns {
    /// Takes the turn if it is free. Else `free` is filled when the task has to look again.
    pub(super) fn take(&mut self, task: TaskId, free: &OneShot<()>) -> bool {
        if self.is_taken {
            self.waiting.push_back((task, free.clone()));
        }
        !std::mem::replace(&mut self.is_taken, true)
    }

    /// Frees the turn. All tasks that wait look again, in their order: one that gave up waiting must not stop the others.
    pub(super) fn free(&mut self) -> Vec<TaskId> {
        self.is_taken = false;
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        waiting
            .map(|(task, free)| {
                free.fill(());
                task
            })
            .collect()
    }
}
