//! A lock for procedures: one at a time prepares the service, the others wait in order.

use std::time::Instant;

use super::one_shot::OneShot;
use super::session::{Session, Shared, WaitEnd};
use super::turns::Turns;

/// Selects the lock.
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
            let (task, free) = (self.current_task(), OneShot::default());
            if self.with(|shared| select(shared).take(task, &free)) {
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
            for task in select(shared).free() {
                shared.ready.push(task);
            }
        });
    }
}
