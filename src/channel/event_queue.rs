//! The events that the caller has not taken yet, and the counters.

use std::collections::VecDeque;

use super::event::{Counters, Event, TransactionId};
use super::failure::{Failure, Outcome};
use super::lane_barrier::LaneBarrier;
use super::queued_transaction::{Lane, Owner, QueuedTransaction};
use crate::at::command_kind::Operation;
use crate::at::command_line::CommandLine;

#[derive(Debug, Default)]
pub(super) struct EventQueue {
    events: VecDeque<Event>,
    counters: Counters,
    /// Closed by a failure that the caller has not seen yet.
    barrier: LaneBarrier,
}

impl EventQueue {
    pub(super) fn push(&mut self, event: Event) {
        match &event {
            Event::Message(_) => self.counters.messages += 1,
            Event::MessageLost { .. } => self.counters.damaged_messages += 1,
            Event::Urc { is_known: false, .. } => self.counters.unknown_lines += 1,
            _ => {}
        }
        self.events.push_back(event);
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    /// For what is counted and is no event.
    pub(super) fn counters_mut(&mut self) -> &mut Counters {
        &mut self.counters
    }

    /// Tells the caller how its transaction ended. The driver's own transactions have no caller.
    pub(super) fn complete(&mut self, transaction: &QueuedTransaction, outcome: Outcome) {
        if let Owner::Caller(id) | Owner::Opening(id) = transaction.owner() {
            self.barrier.handle_outcome(transaction, &outcome);
            self.push(Event::Completed { id, outcome });
        }
    }

    /// Tells the caller the result of a publish whose outcome was unknown before.
    pub(super) fn complete_deferred(&mut self, transaction: &QueuedTransaction, result: Result<(), Failure>) {
        let is_publish = transaction.command().kind().operation() == Some(Operation::Publish);
        if let (Owner::Caller(id), true) = (transaction.owner(), is_publish) {
            self.push(Event::DeferredResult { id, result });
        }
    }

    /// The command changed something on the MQTT stack, if it is one that does.
    pub(super) fn note_success(&mut self, line: &CommandLine) {
        if line.kind().acts() && line.kind().name.is_mqtt() {
            self.push(Event::CommandSucceeded(line.clone()));
        }
    }

    pub(super) fn has_deferred_result_of(&self, id: TransactionId) -> bool {
        let is_it = |event: &Event| matches!(event, Event::DeferredResult { id: of, .. } if *of == id);
        self.events.iter().any(is_it)
    }

    pub(super) fn is_lane_blocked(&self, lane: Lane) -> bool {
        self.barrier.blocks(lane)
    }

    pub(super) fn lift_lane_barriers(&mut self) -> bool {
        self.barrier.lift()
    }
}
