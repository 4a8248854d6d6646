//! The module's MQTT service as a state machine without I/O.

use std::time::Instant;

use super::client_state::ClientState;
use super::executor::{Executor, Task, TaskId};
use super::offline_queue::{OfflineQueue, Settled};
use super::output::Output;
use super::session::{Call, PortState, Session};
use super::settings::Settings;
use crate::at::ClientIndex;
use crate::channel::{Counters, Engine, Event, Failure, LostBy, Outcome, TransactionId};

/// Makes a procedure on the I/O thread, which it never leaves.
pub type Procedure = Box<dyn FnOnce(Session) -> Task + Send>;

/// The AT channel, the procedures that use it, and what is known of the module.
///
/// The order of calls is that of [`Engine`]: hand in bytes, time-outs or requests, write [`MqttService::unwritten`], take all
/// outputs, and sleep until [`MqttService::poll_timeout`]. After each call that hands something in, all that follows from
/// it has happened: procedures went on as far as they can, and the outputs tell the results in their order.
pub struct MqttService {
    engine: Engine,
    session: Session,
    executor: Executor,
}

impl MqttService {
    pub fn new(engine: Engine, settings: Settings, now: Instant) -> Self {
        Self { engine, session: Session::new(settings, now), executor: Executor::default() }
    }

    /// Starts a procedure. `id` names it for [`MqttService::cancel`].
    pub fn start(&mut self, id: TaskId, procedure: Procedure, now: Instant) {
        self.set_now(now);
        let task = procedure(self.session.clone());
        self.executor.insert(id, task);
        self.session.with(|shared| shared.ready.push(id));
        self.settle(now);
    }

    /// Ends what a procedure waits for: it cleans up and ends.
    pub fn cancel(&mut self, id: TaskId, now: Instant) {
        self.set_now(now);
        self.session.with(|shared| shared.cancel(id));
        self.settle(now);
    }

    /// Cancels a publish if no byte of it was written. Returns whether it is cancelled.
    pub fn cancel_unwritten(&mut self, id: TaskId, now: Instant) -> bool {
        self.set_now(now);
        if !self.executor.contains(id) {
            return false;
        }
        let transaction = self.session.with(|shared| shared.awaited.get(&id).copied());
        let is_cancelled = transaction.is_none_or(|transaction| self.withdraw(transaction, now));
        if transaction.is_none() {
            self.session.with(|shared| shared.cancel(id));
        }
        self.settle(now);
        is_cancelled
    }

    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        self.set_now(now);
        self.engine.handle_input(bytes, now);
        self.settle(now);
    }

    /// Takes bytes that the system knows to be damaged.
    pub fn handle_damaged_input(&mut self, bytes: &[u8], now: Instant) {
        self.set_now(now);
        self.engine.handle_damaged_input(bytes, now);
        self.settle(now);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.set_now(now);
        for client in ClientIndex::ALL {
            let expired = self.session.with(|shared| {
                let reason = shared.loss_of(client);
                shared.queues[client.slot()].take_expired(reason.as_ref(), now)
            });
            for (id, failure) in expired {
                self.finish(id, Err(failure));
            }
        }
        self.session.with(|shared| {
            while shared.timers.first().is_some_and(|(deadline, _)| *deadline <= now) {
                if let Some((_, task)) = shared.timers.pop_first() {
                    shared.ready.push(task);
                }
            }
        });
        self.engine.handle_timeout(now);
        self.settle(now);
    }

    pub fn handle_written(&mut self, count: usize, now: Instant) {
        self.set_now(now);
        self.engine.handle_written(count, now);
        self.settle(now);
    }

    pub fn handle_port_lost(&mut self, reason: String, now: Instant) {
        self.set_now(now);
        self.session.with(|shared| {
            if matches!(shared.port, PortState::Open) {
                shared.port = PortState::Lost;
            }
        });
        self.engine.handle_port_lost(reason, now);
        self.settle(now);
    }

    pub fn handle_port_attached(&mut self, now: Instant) {
        self.set_now(now);
        self.engine.handle_port_attached();
        self.port_opening_ended(PortState::Open, &Ok(()));
        self.settle(now);
    }

    /// The port that [`Output::OpenPort`] asked for could not be opened.
    pub fn port_not_opened(&mut self, reason: String, now: Instant) {
        self.set_now(now);
        self.port_opening_ended(PortState::Lost, &Err(reason));
        self.settle(now);
    }

    pub fn set_tracing(&mut self, on: bool) {
        self.engine.set_tracing(on);
    }

    /// Ends everything with [`Error::Closed`](super::Error::Closed).
    pub fn close(&mut self, now: Instant) {
        self.set_now(now);
        self.engine.close(now);
        self.settle(now);
        let waiting = self.session.with(|shared| {
            let queued = shared.queues.iter_mut().flat_map(OfflineQueue::close);
            let mut waiting: Vec<_> = queued.collect();
            let ended = |id: &TransactionId| (*id, Err(Failure::Closed));
            waiting.extend(shared.transactions.keys().map(ended));
            waiting
        });
        for (id, outcome) in waiting {
            self.finish(id, outcome);
        }
        self.session.with(|shared| {
            for (_, waiter) in shared.transactions.drain() {
                if let Some(deferred) = waiter.deferred {
                    shared.outputs.push_back(Output::Result(Box::new(move || {
                        deferred.resolve(Err(Failure::Closed));
                    })));
                }
            }
        });
        self.settle(now);
        self.executor.clear();
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        let others = self.session.with(|shared| {
            let queues = shared.queues.iter().filter_map(OfflineQueue::poll_timeout).min();
            let timer = shared.timers.first().map(|(deadline, _)| *deadline);
            queues.into_iter().chain(timer).min()
        });
        self.engine.poll_timeout().into_iter().chain(others).min()
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.session.with(|shared| shared.outputs.pop_front())
    }

    pub fn unwritten(&self) -> &[u8] {
        self.engine.unwritten()
    }

    pub fn must_drain(&self) -> bool {
        self.engine.must_drain()
    }

    pub fn counters(&self) -> Counters {
        self.engine.counters()
    }

    fn set_now(&mut self, now: Instant) {
        self.session.with(|shared| shared.now = now);
    }

    /// Lets everything happen that follows from what came in. A procedure goes on right behind the event that it waits
    /// for, before the next event is looked at: so no later event is taken for an earlier one.
    fn settle(&mut self, now: Instant) {
        loop {
            self.run_procedures(now);
            if let Some(event) = self.engine.poll_event() {
                self.handle_event(event, now);
            } else if !self.engine.lift_lane_barriers(now) {
                return;
            }
        }
    }

    fn run_procedures(&mut self, now: Instant) {
        loop {
            while let Some(call) = self.session.with(|shared| shared.calls.pop_front()) {
                self.carry_out(call, now);
            }
            let Some(task) = self.session.with(|shared| shared.ready.pop()) else { return };
            self.session.with(|shared| shared.set_current(task));
            self.executor.poll(task);
            if !self.executor.contains(task) {
                self.session.with(|shared| shared.task_is_over(task));
            }
        }
    }

    fn carry_out(&mut self, call: Call, now: Instant) {
        match call {
            Call::Submit(id, transaction) => self.engine.submit(id, transaction, now),
            Call::Open(id) => self.engine.open(id, now),
            Call::Cancel(id) => {
                if self.session.with(|shared| shared.queues.iter_mut().any(|queue| queue.cancel(id))) {
                    self.finish(id, Err(Failure::Cancelled));
                }
                self.engine.cancel(id, now);
            }
            Call::Finish(id, outcome) => self.finish(id, outcome),
            Call::NoteRestart => self.engine.confirm_restart(now),
            Call::Spawn(id, task) => {
                self.executor.insert(id, task);
                self.session.with(|shared| shared.ready.push(id));
            }
            Call::Drop(id) => self.executor.remove(id),
        }
    }

    fn handle_event(&mut self, event: Event, now: Instant) {
        match event {
            Event::Completed { id, outcome } => self.complete(id, outcome, now),
            Event::DeferredResult { id, result } => self.late(id, result),
            Event::CommandSucceeded(_) | Event::DataEntryAborted(_) => self.session.with(|shared| {
                if shared.state.observe(&event) {
                    shared.publish_state();
                }
            }),
            Event::ConnectionLost { .. }
            | Event::NetworkLost
            | Event::Restarted
            | Event::PortLost(_)
            | Event::Mute
            | Event::ConnectionLossSuspected => self.handle_loss(event),
            Event::Message(_) | Event::MessageLost { .. } | Event::Trace { .. } | Event::Urc { .. } => {
                self.session.with(|shared| {
                    if let Event::Urc { line, .. } = &event {
                        shared.offer_line(line);
                    }
                    shared.outputs.push_back(Output::Event(event));
                });
            }
        }
    }

    /// A loss of the connection, or a sign of one.
    fn handle_loss(&mut self, event: Event) {
        self.session.with(|shared| {
            if matches!(event, Event::Restarted | Event::PortLost(_)) {
                // The card may be another one.
                shared.refused_pin = None;
            }
            let connected = ClientIndex::ALL.map(|client| shared.state.has_connection(client));
            if shared.state.observe(&event) {
                shared.publish_state();
            }
            for client in ClientIndex::ALL {
                let (concerned, cause) = match &event {
                    Event::ConnectionLost { client: lost, cause } => {
                        (*lost == client, Some(LostBy::Connection(*cause)))
                    }
                    // Of a connection that was lost before, that was told before.
                    Event::NetworkLost => (true, connected[client.slot()].then_some(LostBy::Network)),
                    Event::Restarted => (true, Some(LostBy::Restart)),
                    Event::PortLost(reason) => (true, Some(LostBy::Port(reason.clone()))),
                    Event::Mute | Event::ConnectionLossSuspected => (true, None),
                    _ => (false, None),
                };
                if concerned {
                    shared.note_trouble(client);
                }
                if let Some(cause) = cause.filter(|_| concerned && !shared.state.reconnects(client)) {
                    shared.outputs.push_back(Output::MessagesEnded(client, cause));
                }
            }
            shared.outputs.push_back(Output::Event(event));
        });
    }

    /// A transaction is over, or it waits for the connection to come back.
    fn complete(&mut self, id: TransactionId, outcome: Outcome, now: Instant) {
        let client = self.session.with(|shared| shared.transactions.get(&id).and_then(|known| known.queue));
        let Some(client) = client else {
            self.finish(id, outcome);
            return;
        };
        let settled = self.session.with(|shared| {
            let policy = shared.reconnects[client.slot()].as_ref().map(|known| known.policy.resend_qos2);
            shared.queues[client.slot()].settle(id, outcome, policy, now)
        });
        match settled {
            Settled::Done(outcome) => self.finish(id, outcome),
            Settled::Waits => self.hold_those_behind(client),
            Settled::WaitsForCheck => {
                self.hold_those_behind(client);
                self.session.with(|shared| {
                    if *shared.state.client_state(client) == ClientState::Connected {
                        shared.state.set_state(client, ClientState::Suspect { is_mute: false });
                        shared.publish_state();
                    }
                    shared.note_trouble(client);
                });
            }
        }
    }

    /// Requests that have not begun must not overtake those that wait.
    fn hold_those_behind(&mut self, client: ClientIndex) {
        let ids = self.engine.cancel_queued_of(client);
        self.session.with(|shared| shared.queues[client.slot()].hold(&ids));
    }

    /// Tells the outcome of a transaction.
    fn finish(&mut self, id: TransactionId, outcome: Outcome) {
        let may_come = self.engine.may_be_deferred(id);
        self.session.with(|shared| {
            let Some(waiter) = shared.transactions.get_mut(&id) else { return };
            let receiver = waiter.outcome.take();
            if let Err(unknown @ Failure::ResultUnknown { .. }) = &outcome
                && let Some(deferred) = waiter.deferred.clone().filter(|_| !may_come)
            {
                let unknown = unknown.clone();
                let tell = move || deferred.resolve(Err(unknown));
                shared.outputs.push_back(Output::Result(Box::new(tell)));
            }
            if !may_come {
                shared.transactions.remove(&id);
            }
            if let Some((task, slot)) = receiver {
                slot.fill(outcome);
                shared.ready.push(task);
            }
        });
    }

    /// The result of a publish whose outcome was unknown.
    fn late(&mut self, id: TransactionId, result: Result<(), Failure>) {
        let is_awaited =
            self.session.with(|shared| shared.transactions.get(&id).map(|known| known.outcome.is_some()));
        match is_awaited {
            None => {}
            // It waits to go out again, so this is the result of an earlier attempt. A success is one all the same.
            Some(true) => {
                let remove = |client: &ClientIndex| {
                    self.session.with(|shared| shared.queues[client.slot()].remove_waiting(id))
                };
                if result.is_ok() && ClientIndex::ALL.iter().any(remove) {
                    self.finish(id, Ok(Vec::new()));
                }
            }
            Some(false) => self.session.with(|shared| {
                let deferred = shared.transactions.remove(&id).and_then(|known| known.deferred);
                if let Some(deferred) = deferred {
                    let tell = move || deferred.resolve(result);
                    shared.outputs.push_back(Output::Result(Box::new(tell)));
                }
            }),
        }
    }

    /// Cancels a transaction unless its first byte was written. Returns whether it is cancelled.
    fn withdraw(&mut self, id: TransactionId, now: Instant) -> bool {
        let (is_cancelled, was_written) = self.session.with(|shared| {
            let is_cancelled = shared.queues.iter_mut().any(|queue| queue.cancel(id));
            (is_cancelled, shared.queues.iter().any(|queue| queue.was_written(id)))
        });
        if is_cancelled {
            self.finish(id, Err(Failure::Cancelled));
        }
        is_cancelled || (!was_written && self.engine.cancel_queued(id, now))
    }

    fn port_opening_ended(&mut self, state: PortState, result: &Result<(), String>) {
        self.session.with(|shared| {
            if let PortState::Opening(waiting) = std::mem::replace(&mut shared.port, state) {
                for (task, opened) in waiting {
                    opened.fill(result.clone());
                    shared.ready.push(task);
                }
            }
        });
    }
}
