//! The future of a procedure: other threads wait for it, or have its result passed on.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use super::error::Error;
use super::requests::{Request, Requests};
use super::wait::{Cancellation, Never, wait_until};
use crate::mqtt::{Procedure, TaskId};

/// A procedure that was started.
pub struct Operation<T> {
    call: Arc<Call<T>>,
    requests: Requests,
    task: Option<TaskId>,
}

/// The other end: sends the result, once. Dropped before, it sends [`Error::Closed`].
pub(super) struct Sender<T>(Arc<Call<T>>, Requests);

struct Call<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    progress: Progress<T>,
    is_cancelled: bool,
    /// Undoes the result of an operation whose caller is gone.
    undo: Option<Undo<T>>,
}

enum Progress<T> {
    Pending,
    Passed(Receiver<T>),
    Done(Result<T, Error>),
    Over,
}

type Receiver<T> = Box<dyn FnOnce(Result<T, Error>) + Send>;
type Undo<T> = Box<dyn FnOnce(T) -> Procedure + Send>;

/// Cancels an operation whose result is passed on.
#[derive(Clone)]
pub struct Canceller(Arc<dyn Fn() + Send + Sync>);

impl<T: Send + 'static> Operation<T> {
    pub(super) fn new(requests: Requests) -> (Sender<T>, Self) {
        let state = State { progress: Progress::Pending, is_cancelled: false, undo: None };
        let call = Arc::new(Call { state: Mutex::new(state), changed: Condvar::new() });
        (Sender(call.clone(), requests.clone()), Self { call, requests, task: None })
    }

    /// `undo` makes the procedure that undoes the result, if the operation is cancelled and succeeds all the same.
    pub(super) fn with_undo(self, undo: impl FnOnce(T) -> Procedure + Send + 'static) -> Self {
        self.call.state.lock().undo = Some(Box::new(undo));
        self
    }

    pub(super) fn with_task(mut self, task: TaskId) -> Self {
        self.task = Some(task);
        self
    }

    pub(super) fn task(&self) -> Option<TaskId> {
        self.task
    }

    /// Waits for the result. The AT channel ends every operation by its own deadline, so this needs none.
    ///
    /// # Errors
    ///
    /// Those of the procedure; [`Error::interrupted`] if the wait is cancelled, and with it the operation.
    pub fn wait(self, cancellation: &dyn Cancellation) -> Result<T, Error> {
        let take = |state: &mut State<T>| state.take();
        let waited = wait_until(&self.call.changed, &mut self.call.state.lock(), None, cancellation, take);
        if let Ok(result) = waited {
            return result;
        }
        self.cancel();
        // The procedure notices at once. A result that came all the same is undone.
        let ended = wait_until(&self.call.changed, &mut self.call.state.lock(), None, &Never, take);
        if let Ok(Ok(value)) = ended {
            self.call.undo(value, &self.requests);
        }
        Err(Error::interrupted())
    }

    /// Passes the result on, on the I/O thread or at once; `receiver` must not block.
    pub fn then(self, receiver: impl FnOnce(Result<T, Error>) + Send + 'static) -> Canceller {
        let mut state = self.call.state.lock();
        if let Some(result) = state.take() {
            drop(state);
            receiver(result);
        } else {
            state.progress = Progress::Passed(Box::new(receiver));
            drop(state);
        }
        Canceller(Arc::new(move || self.cancel()))
    }

    /// The caller no longer needs the result: what has not begun does not begin, and what has begun is cleaned up.
    fn cancel(&self) {
        self.call.state.lock().is_cancelled = true;
        if let Some(task) = self.task {
            self.requests.put(Request::Cancel(task));
        }
    }
}

impl Canceller {
    pub fn cancel(&self) {
        self.0();
    }
}

impl<T> State<T> {
    fn take(&mut self) -> Option<Result<T, Error>> {
        match std::mem::replace(&mut self.progress, Progress::Over) {
            Progress::Done(result) => Some(result),
            other => {
                self.progress = other;
                None
            }
        }
    }
}

impl<T> Call<T> {
    fn undo(&self, value: T, requests: &Requests) {
        let undo = self.state.lock().undo.take();
        if let Some(undo) = undo {
            requests.start(undo(value));
        }
    }

    fn send(&self, result: Result<T, Error>, requests: &Requests) {
        let mut state = self.state.lock();
        let is_cancelled = state.is_cancelled;
        match std::mem::replace(&mut state.progress, Progress::Over) {
            Progress::Pending => {
                state.progress = Progress::Done(result);
                drop(state);
                self.changed.notify_all();
            }
            Progress::Passed(receiver) => {
                drop(state);
                match result {
                    Ok(value) if is_cancelled => {
                        self.undo(value, requests);
                        receiver(Err(Error::interrupted()));
                    }
                    result => receiver(result),
                }
            }
            over => state.progress = over,
        }
    }
}

impl<T> Sender<T> {
    pub(super) fn send(self, result: Result<T, Error>) {
        self.0.send(result, &self.1);
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Without effect if the result was sent.
        self.0.send(Err(Error::closed()), &self.1);
    }
}

impl<T> std::fmt::Debug for Operation<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Operation").field("task", &self.task).finish_non_exhaustive()
    }
}
