//! The view that procedures have of the module: they send commands, wait, and read and change what is known.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::deferred::Deferred;
use super::error::Error;
use super::executor::{ReadyTasks, Task, TaskId};
use super::expected_lines::ExpectedLines;
use super::module_state::ModuleState;
use super::offline_queue::OfflineQueue;
use super::one_shot::OneShot;
use super::output::Output;
use super::reconnecting_client::ReconnectingClient;
use super::settings::Settings;
use super::turns::Turns;
use super::unknown_settings::UnknownSettings;
use crate::at::{ClientIndex, Command};
use crate::channel::{Answers, Failure, Outcome, Transaction, TransactionId};
use crate::commands::{self, PayloadLimit, Query};

/// A handle to the module, for procedures. All handles are on the I/O thread.
#[derive(Clone)]
pub struct Session(Rc<RefCell<Shared>>);

/// The state that procedures and [`MqttService`](super::MqttService) share. It holds no AT channel: requests to the channel are
/// collected in `calls`, so that no procedure runs inside the channel.
pub(super) struct Shared {
    pub(super) now: Instant,
    pub(super) settings: Settings,
    pub(super) state: ModuleState,
    pub(super) queues: [OfflineQueue; 2],
    pub(super) reconnects: [Option<ReconnectingClient>; 2],
    pub(super) port: PortState,
    pub(super) payload_limit: Option<PayloadLimit>,
    pub(super) unknown_settings: UnknownSettings,
    pub(super) preparation: Turns,
    pub(super) limit_query: Turns,
    pub(super) expected_lines: ExpectedLines,
    /// The last PIN that the card refused, with the module's answer.
    pub(super) refused_pin: Option<(commands::Pin, String)>,
    pub(super) ready: ReadyTasks,
    pub(super) timers: BTreeSet<(Instant, TaskId)>,
    pub(super) calls: VecDeque<Call>,
    pub(super) transactions: HashMap<TransactionId, Waiter>,
    pub(super) outputs: VecDeque<Output>,
    /// The transaction that a task waits for.
    pub(super) awaited: HashMap<TaskId, TransactionId>,
    cancelled: HashSet<TaskId>,
    current: TaskId,
    next_id: u64,
}

/// A request to the AT channel or the executor.
pub(super) enum Call {
    Submit(TransactionId, Transaction),
    Open(TransactionId),
    Cancel(TransactionId),
    /// Tells the outcome of a transaction that the AT channel does not have.
    Finish(TransactionId, Outcome),
    NoteRestart,
    Spawn(TaskId, Task),
    Drop(TaskId),
}

/// The receivers of a transaction's outcome.
#[derive(Default)]
pub(super) struct Waiter {
    pub(super) outcome: Option<(TaskId, OneShot<Outcome>)>,
    pub(super) deferred: Option<Deferred>,
    /// The client in whose queue the transaction is.
    pub(super) queue: Option<ClientIndex>,
}

#[derive(Debug, Default)]
pub(super) enum PortState {
    Open,
    /// Lost, or not opened yet.
    #[default]
    Lost,
    /// The runtime opens the port; these tasks wait for that.
    Opening(Vec<(TaskId, OneShot<Result<(), String>>)>),
}

/// The end of a wait without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitEnd {
    TimedOut,
    Cancelled,
}

impl From<WaitEnd> for Error {
    fn from(_: WaitEnd) -> Self {
        Self::Interrupted
    }
}

impl Session {
    pub(super) fn new(settings: Settings, now: Instant) -> Self {
        Self(Rc::new(RefCell::new(Shared {
            now,
            settings,
            state: ModuleState::default(),
            queues: Default::default(),
            reconnects: Default::default(),
            port: PortState::default(),
            payload_limit: None,
            unknown_settings: UnknownSettings::default(),
            preparation: Turns::default(),
            limit_query: Turns::default(),
            expected_lines: ExpectedLines::default(),
            refused_pin: None,
            ready: ReadyTasks::default(),
            timers: BTreeSet::new(),
            calls: VecDeque::new(),
            transactions: HashMap::new(),
            outputs: VecDeque::new(),
            awaited: HashMap::new(),
            cancelled: HashSet::new(),
            current: 0,
            next_id: 1,
        })))
    }

    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Shared) -> R) -> R {
        act(&mut self.0.borrow_mut())
    }

    pub fn now(&self) -> Instant {
        self.0.borrow().now
    }

    pub fn command_timeout(&self) -> Duration {
        self.0.borrow().settings.command_timeout
    }

    /// Reads the module's state.
    pub fn state<R>(&self, read: impl FnOnce(&ModuleState) -> R) -> R {
        read(&self.0.borrow().state)
    }

    /// Changes the module's state, and lets the other threads know.
    pub(super) fn change_state(&self, change: impl FnOnce(&mut ModuleState)) {
        self.with(|shared| {
            change(&mut shared.state);
            shared.publish_state();
        });
    }

    /// Tells a result to another thread, in its order among the outputs.
    pub fn tell(&self, tell: impl FnOnce() + Send + 'static) {
        self.output(Output::Result(Box::new(tell)));
    }

    pub(super) fn output(&self, output: Output) {
        self.with(|shared| shared.outputs.push_back(output));
    }

    /// Runs a procedure of its own, that no caller waits for.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + 'static) -> TaskId {
        self.with(|shared| {
            let id = shared.next_id();
            shared.calls.push_back(Call::Spawn(id, Box::pin(task)));
            id
        })
    }

    /// Submits a transaction at once; the result is waited for later, or never.
    pub(super) fn submit(&self, transaction: Transaction) -> Submitted {
        self.submit_to(transaction, None, None)
    }

    /// Submits a transaction that needs the client's connection: it waits while the client reconnects.
    pub(super) fn submit_connected(
        &self,
        client: ClientIndex,
        transaction: Transaction,
        deferred: Option<Deferred>,
    ) -> Submitted {
        self.submit_to(transaction, Some(client), deferred)
    }

    fn submit_to(
        &self,
        transaction: Transaction,
        client: Option<ClientIndex>,
        deferred: Option<Deferred>,
    ) -> Submitted {
        let outcome = OneShot::default();
        let reserved = self.with(|shared| shared.settings.reserved_bytes);
        if reserved.is_some_and(|bytes| transaction.contains_any(bytes)) {
            let (session, began, error) = (self.clone(), self.now(), Some(Error::reserved_bytes()));
            return Submitted { session, id: 0, outcome, began, is_over: true, error };
        }
        let (id, began) = self.with(|shared| {
            let id = shared.next_id();
            let waiter = Waiter { outcome: Some((shared.current, outcome.clone())), deferred, queue: client };
            shared.transactions.insert(id, waiter);
            match client.filter(|client| shared.state.reconnects(*client)) {
                Some(client) => {
                    shared.queues[client.slot()].push(id, transaction.keeping_order(), shared.now);
                    shared.flush_queue(client);
                }
                None => shared.calls.push_back(Call::Submit(id, transaction)),
            }
            (id, shared.now)
        });
        Submitted { session: self.clone(), id, outcome, began, is_over: false, error: None }
    }

    /// Finds the module on a port that was just opened, or that had gone silent.
    pub(super) fn open_module(&self) -> Submitted {
        let outcome = OneShot::default();
        let (id, began) = self.with(|shared| {
            let id = shared.next_id();
            let waiter = Waiter { outcome: Some((shared.current, outcome.clone())), ..Waiter::default() };
            shared.transactions.insert(id, waiter);
            shared.calls.push_back(Call::Open(id));
            (id, shared.now)
        });
        Submitted { session: self.clone(), id, outcome, began, is_over: false, error: None }
    }

    /// Runs a transaction.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::NoAnswer`] and the other failures of a transaction; [`Error::Interrupted`] if the task
    /// is cancelled.
    pub async fn execute(&self, transaction: Transaction) -> Result<Answers, Error> {
        self.submit(transaction).await
    }

    /// Runs one command, and returns its information lines.
    ///
    /// # Errors
    ///
    /// As [`Session::execute`].
    pub async fn run(&self, command: Command, timeout: Duration) -> Result<Vec<Vec<u8>>, Error> {
        let mut answers = self.execute(Transaction::single(command, timeout)).await?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Runs one command within the time that a module takes at most for it.
    ///
    /// # Errors
    ///
    /// As [`Session::execute`].
    pub async fn run_soon(&self, command: Command) -> Result<Vec<Vec<u8>>, Error> {
        let timeout = self.usual_timeout(&command);
        self.run(command, timeout).await
    }

    /// As [`Session::run_soon`], but not beyond the caller's deadline.
    pub(super) async fn run_by(&self, command: Command, deadline: Instant) -> Result<Vec<Vec<u8>>, Error> {
        let timeout = self.usual_timeout(&command).min(self.time_until(deadline));
        self.run(command, timeout).await
    }

    /// Runs one command, and reads its answer.
    ///
    /// # Errors
    ///
    /// As [`Session::execute`], and [`Error::UnexpectedAnswer`].
    pub async fn ask<Q: Query>(&self, query: &Q) -> Result<Q::Answer, Error> {
        Ok(query.answer(&self.run_soon(query.command()).await?)?)
    }

    /// As [`Session::ask`], but not beyond the caller's deadline.
    pub(super) async fn ask_by<Q: Query>(&self, query: &Q, deadline: Instant) -> Result<Q::Answer, Error> {
        Ok(query.answer(&self.run_by(query.command(), deadline).await?)?)
    }

    /// A command's own limit, after its turn on the AT channel has come.
    pub(super) fn usual_timeout(&self, command: &Command) -> Duration {
        let command_timeout = self.command_timeout();
        command.limit().unwrap_or(command_timeout) + command_timeout
    }

    pub(super) fn time_until(&self, deadline: Instant) -> Duration {
        deadline.saturating_duration_since(self.now())
    }

    /// Lets time pass.
    ///
    /// # Errors
    ///
    /// [`Error::Interrupted`] if the task is cancelled.
    pub async fn sleep(&self, time: Duration) -> Result<(), Error> {
        let deadline = self.now() + time;
        match self.wait::<()>(OneShot::default(), Some(deadline)).await {
            Err(WaitEnd::Cancelled) => Err(Error::Interrupted),
            Ok(()) | Err(WaitEnd::TimedOut) => Ok(()),
        }
    }

    /// Waits until a value is there.
    pub(super) fn wait<T>(&self, value: OneShot<T>, deadline: Option<Instant>) -> Wait<T> {
        Wait { session: self.clone(), value, deadline }
    }

    /// The task that runs now.
    pub(super) fn current_task(&self) -> TaskId {
        self.0.borrow().current
    }

    pub(super) fn error(&self, failure: Failure, waited: Duration) -> Error {
        let shared = self.0.borrow();
        Error::from_failure(failure, &shared.state, &shared.settings, waited)
    }
}

impl Shared {
    pub(super) fn next_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn current_task(&self) -> TaskId {
        self.current
    }

    pub(super) fn set_current(&mut self, task: TaskId) {
        self.current = task;
    }

    pub(super) fn publish_state(&mut self) {
        self.outputs.push_back(Output::State(self.state.clone()));
    }

    /// Gives a line to the task that expects it.
    pub(super) fn offer_line(&mut self, line: &[u8]) {
        if let Some(task) = self.expected_lines.offer(line) {
            self.ready.push(task);
        }
    }

    /// Ends the wait of a task.
    pub(super) fn cancel(&mut self, task: TaskId) {
        self.cancelled.insert(task);
        self.ready.push(task);
    }

    pub(super) fn task_is_over(&mut self, task: TaskId) {
        self.cancelled.remove(&task);
        self.awaited.remove(&task);
    }

    /// Sends what waits, if the client may send.
    pub(super) fn flush_queue(&mut self, client: ClientIndex) {
        use super::client_state::ClientState;
        if *self.state.client_state(client) != ClientState::Connected {
            return;
        }
        for (id, transaction) in self.queues[client.slot()].submit_all(self.now) {
            self.calls.push_back(Call::Submit(id, transaction));
        }
    }
}

/// A wait of a task for a value. Ends early at its deadline, or when the task is cancelled: once, so that the procedure can
/// still clean up.
pub(super) struct Wait<T> {
    session: Session,
    value: OneShot<T>,
    deadline: Option<Instant>,
}

impl<T> Future for Wait<T> {
    type Output = Result<T, WaitEnd>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(value) = self.value.take() {
            return Poll::Ready(Ok(value));
        }
        self.session.with(|shared| {
            let task = shared.current;
            if shared.cancelled.remove(&task) {
                return Poll::Ready(Err(WaitEnd::Cancelled));
            }
            match self.deadline {
                Some(deadline) if deadline <= shared.now => return Poll::Ready(Err(WaitEnd::TimedOut)),
                Some(deadline) => drop(shared.timers.insert((deadline, task))),
                None => {}
            }
            Poll::Pending
        })
    }
}

/// A transaction that was submitted. Dropped before its outcome is known, it is cancelled: what has not begun does not
/// begin, and what has begun runs to its end.
pub(super) struct Submitted {
    session: Session,
    id: TransactionId,
    outcome: OneShot<Outcome>,
    began: Instant,
    is_over: bool,
    /// The transaction was refused before it was submitted.
    error: Option<Error>,
}

impl Submitted {
    /// Lets the transaction run, though no procedure waits for it.
    pub(super) fn detach(mut self) {
        self.is_over = true;
    }
}

impl Future for Submitted {
    type Output = Result<Answers, Error>;

    /// The AT channel ends every transaction by its own deadline, so this needs none.
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(error) = self.error.take() {
            return Poll::Ready(Err(error));
        }
        if let Some(outcome) = self.outcome.take() {
            self.is_over = true;
            let waited = self.session.now().saturating_duration_since(self.began);
            self.session.with(|shared| shared.awaited.remove(&shared.current));
            return Poll::Ready(outcome.map_err(|failure| self.session.error(failure, waited)));
        }
        let id = self.id;
        self.session.with(|shared| {
            let task = shared.current;
            if shared.cancelled.remove(&task) {
                return Poll::Ready(Err(Error::Interrupted));
            }
            // A transaction can be submitted by one task and awaited by it later: the outcome wakes that task.
            if let Some((waiting, _)) =
                shared.transactions.get_mut(&id).and_then(|waiter| waiter.outcome.as_mut())
            {
                *waiting = task;
            }
            shared.awaited.insert(task, id);
            Poll::Pending
        })
    }
}

impl Drop for Submitted {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let id = self.id;
        self.session.with(|shared| {
            shared.awaited.retain(|_, awaited| *awaited != id);
            if let Some(waiter) = shared.transactions.get_mut(&id) {
                waiter.outcome = None;
            }
            shared.calls.push_back(Call::Cancel(id));
        });
    }
}
