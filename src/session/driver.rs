use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::hub::Hub;
use super::late::LateResult;
use super::mailbox::{Mailbox, Request};
use super::ticket::Completion;
use crate::link::Driver;
use crate::protocol::{Engine, Event, Failure, Outcome, TransactionId};

/// Stands between the engine and everybody else, on the I/O thread.
pub(super) struct ModemDriver {
    engine: Engine,
    mailbox: Arc<Mailbox>,
    hub: Arc<Hub>,
    claims: HashMap<TransactionId, Claim>,
    received_at: SystemTime,
    finished: bool,
}

struct Claim {
    completion: Option<Completion>,
    late: Option<Arc<LateResult>>,
}

impl ModemDriver {
    pub(super) fn new(engine: Engine, mailbox: Arc<Mailbox>, hub: Arc<Hub>) -> Self {
        let received_at = SystemTime::now();
        Self { engine, mailbox, hub, claims: HashMap::new(), received_at, finished: false }
    }

    /// The opening is under way before the thread starts.
    pub(super) fn open(&mut self, id: TransactionId, completion: Completion, now: Instant) {
        self.claims.insert(id, Claim { completion: Some(completion), late: None });
        self.engine.open(id, now);
    }

    fn handle_request(&mut self, request: Request, now: Instant) {
        match request {
            Request::Submit { id, transaction, completion, late } => {
                self.claims.insert(id, Claim { completion: Some(completion), late });
                self.engine.submit(id, transaction, now);
            }
            Request::Abandon(id) => self.engine.abandon(id, now),
            Request::Withdraw(id, answer) => {
                let taken_back = self.engine.withdraw(id);
                answer.fill(if taken_back { Err(Failure::Cancelled) } else { Ok(Vec::new()) });
            }
            Request::Trace(on) => self.engine.set_tracing(on),
            Request::Close => {
                self.engine.close();
                self.finished = true;
            }
        }
    }

    fn complete(&mut self, id: TransactionId, outcome: Outcome) {
        let Some(claim) = self.claims.get_mut(&id) else { return };
        let completion = claim.completion.take();
        let is_open = claim.late.is_some() && matches!(outcome, Err(Failure::ResultUnknown { .. }));
        if !is_open {
            self.claims.remove(&id);
        }
        if let Some(completion) = completion {
            completion.complete(outcome);
        }
    }

    fn hand_out_events(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::Completed { id, outcome } => self.complete(id, outcome),
                Event::Late { id, result } => {
                    if let Some(late) = self.claims.remove(&id).and_then(|claim| claim.late) {
                        late.resolve(&result);
                    }
                }
                event => self.hub.handle(event, self.received_at),
            }
        }
    }
}

impl Driver for ModemDriver {
    fn handle_wake(&mut self, now: Instant) {
        for request in self.mailbox.take() {
            self.handle_request(request, now);
        }
    }

    fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        self.received_at = SystemTime::now();
        self.engine.handle_input(bytes, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.engine.handle_timeout(now);
    }

    fn handle_port_lost(&mut self, reason: String, now: Instant) {
        self.engine.handle_port_lost(reason, now);
    }

    fn handle_port_attached(&mut self, _now: Instant) {}

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout()
    }

    fn poll_transmit(&mut self) -> &[u8] {
        self.engine.unwritten()
    }

    fn handle_transmitted(&mut self, count: usize, now: Instant) {
        self.engine.handle_written(count, now);
    }

    fn must_drain(&self) -> bool {
        self.engine.must_drain()
    }

    fn flush(&mut self) {
        self.hub.set_counters(self.engine.counters());
        self.hand_out_events();
    }

    fn is_finished(&self) -> bool {
        self.finished
    }
}

impl Drop for ModemDriver {
    /// Nobody is left waiting, whatever ended the thread.
    fn drop(&mut self) {
        self.engine.close();
        self.hand_out_events();
        for request in self.mailbox.shut() {
            match request {
                Request::Submit { completion, late, .. } => end(Some(completion), late),
                Request::Withdraw(_, answer) => answer.fill(Ok(Vec::new())),
                _ => {}
            }
        }
        for (_, claim) in self.claims.drain() {
            end(claim.completion, claim.late);
        }
        self.hub.close();
    }
}

fn end(completion: Option<Completion>, late: Option<Arc<LateResult>>) {
    if let Some(completion) = completion {
        completion.complete(Err(Failure::Closed));
    }
    if let Some(late) = late {
        late.resolve(&Err(Failure::Closed));
    }
}
