//! A lock for procedures: one at a time prepares the service, the others wait in order.

use std::collections::VecDeque;
use std::time::Instant;

use super::executor::TaskId;
use super::one_shot::OneShot;
use super::session::{Session, Shared, WaitEnd};

/// The tasks that wait for a turn.
#[derive(Debug, Default)]
pub(super) struct Turns {
    is_taken: bool,
    waiting: VecDeque<(TaskId, OneShot<()>)>,
}

/// Which turns.
pub(super) type Select = fn(&mut Shared) -> &mut Turns;

/// The turn of a task, until it is dropped.
pub(super) struct Turn {
    session: Session,
    select: Select,
}

impl Session {
    /// Waits for a turn.
    pub(super) async fn turn(&self, select: Select, deadline: Option<Instant>) -> Result<Turn, WaitEnd> {
        loop {
            let task = self.current_task();
            let free = OneShot::default();
            let is_mine = self.with(|shared| {
                let turns = select(shared);
                if turns.is_taken {
                    turns.waiting.push_back((task, free.clone()));
                }
                !std::mem::replace(&mut turns.is_taken, true)
            });
            if is_mine {
                return Ok(Turn { session: self.clone(), select });
            }
            self.wait(free, deadline).await?;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let select = self.select;
        self.session.with(|shared| {
            select(shared).is_taken = false;
            // All look again, in the order in which they came. One that gave up waiting must not stop the others.
            for (task, free) in std::mem::take(&mut select(shared).waiting) {
                free.fill(());
                shared.ready.push(task);
            }
        });
    }
}
