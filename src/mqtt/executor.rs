//! Runs the procedures: a task is polled when what it waits for has come, or its time is over.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Names a task.
pub type TaskId = u64;

/// A procedure under way.
pub type Task = Pin<Box<dyn Future<Output = ()>>>;

#[derive(Default)]
pub(super) struct Executor {
    tasks: HashMap<TaskId, Task>,
}

/// The tasks to poll next. Shared with what they wait for.
#[derive(Debug, Default)]
pub(super) struct ReadyTasks(VecDeque<TaskId>);

impl ReadyTasks {
    pub(super) fn push(&mut self, task: TaskId) {
        if !self.0.contains(&task) {
            self.0.push_back(task);
        }
    }

    pub(super) fn pop(&mut self) -> Option<TaskId> {
        self.0.pop_front()
    }
}

impl Executor {
    pub(super) fn insert(&mut self, id: TaskId, task: Task) {
        self.tasks.insert(id, task);
    }

    pub(super) fn contains(&self, id: TaskId) -> bool {
        self.tasks.contains_key(&id)
    }

    /// Dropping a task cancels what it waits for.
    pub(super) fn remove(&mut self, id: TaskId) {
        drop(self.tasks.remove(&id));
    }

    pub(super) fn clear(&mut self) {
        self.tasks.clear();
    }

    /// Polls a task, which is over if it is ready.
    pub(super) fn poll(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(&id) else { return };
        // Tasks are woken through `ReadyTasks`, so the waker has nothing to do.
        if let Poll::Ready(()) = task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            self.remove(id);
        }
    }
}
