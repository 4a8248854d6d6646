use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::hub::Hub;
use super::keeper::Trouble;
use super::keeping::{Keeping, Parked, Verdict};
use super::late::LateResult;
use super::mailbox::{Mailbox, Request, Submission};
use super::ticket::Completion;
use crate::link::Driver;
use crate::protocol::{ClientIndex, Engine, Event, Failure, Outcome, TransactionId};

/// Stands between the engine and everybody else, on the I/O thread.
pub(super) struct ModemDriver {
    engine: Engine,
    mailbox: Arc<Mailbox>,
    hub: Arc<Hub>,
    claims: HashMap<TransactionId, Claim>,
    keeping: Keeping,
    received_at: SystemTime,
    finished: bool,
}

struct Claim {
    completion: Option<Completion>,
    late: Option<Arc<LateResult>>,
    /// What to do again when the connection is back.
    kept: Option<(ClientIndex, Parked)>,
}

impl Claim {
    fn new(completion: Completion) -> Self {
        Self { completion: Some(completion), late: None, kept: None }
    }
}

impl ModemDriver {
    pub(super) fn new(engine: Engine, mailbox: Arc<Mailbox>, hub: Arc<Hub>) -> Self {
        Self {
            engine,
            mailbox,
            hub,
            claims: HashMap::new(),
            keeping: Keeping::default(),
            received_at: SystemTime::now(),
            finished: false,
        }
    }

    /// The opening is under way before the thread starts.
    pub(super) fn open(&mut self, id: TransactionId, completion: Completion, now: Instant) {
        self.claims.insert(id, Claim::new(completion));
        self.engine.open(id, now);
    }

    fn handle_request(&mut self, request: Request, now: Instant) {
        match request {
            Request::Submit(submission) => self.submit(submission, now),
            Request::Open(id, completion) => self.open(id, completion, now),
            Request::Abandon(id) => {
                if self.keeping.withdraw(id) {
                    self.finish(id, Err(Failure::Cancelled));
                }
                self.engine.abandon(id, now);
            }
            Request::Withdraw(id, answer) => {
                let parked = self.keeping.withdraw(id);
                if parked {
                    self.finish(id, Err(Failure::Cancelled));
                }
                let taken_back = parked || self.engine.withdraw(id);
                answer.fill(if taken_back { Err(Failure::Cancelled) } else { Ok(Vec::new()) });
            }
            Request::Keep(client, policy) => self.keeping.keep(client, policy),
            Request::Forget(client) => {
                for (id, failure) in self.keeping.forget(client) {
                    self.finish(id, Err(failure));
                }
            }
            Request::ComeBack(client) => {
                for parked in self.keeping.come_back(client) {
                    let transaction = parked.transaction(now);
                    let id = parked.id;
                    if let Some(claim) = self.claims.get_mut(&id) {
                        claim.kept = Some((client, parked));
                        self.engine.submit(id, transaction, now);
                    }
                }
            }
            Request::Trace(on) => self.engine.set_tracing(on),
            Request::Close => {
                self.engine.close();
                self.finished = true;
            }
        }
    }

    fn submit(&mut self, submission: Submission, now: Instant) {
        let Submission { id, transaction, completion, late, restores } = submission;
        let kept =
            transaction.needs_connection_of().filter(|client| !restores && self.keeping.is_kept(*client));
        let parked = kept.map(|client| (client, Parked::new(id, transaction.clone(), now)));
        let mut claim = Claim { completion: Some(completion), late, kept: None };
        match parked {
            Some((client, parked)) if self.keeping.is_away(client) => {
                self.claims.insert(id, claim);
                self.keeping.park(client, parked);
            }
            kept => {
                claim.kept = kept;
                self.claims.insert(id, claim);
                self.engine.submit(id, transaction, now);
            }
        }
    }

    /// Over, or to be done again when the connection is back.
    fn complete(&mut self, id: TransactionId, outcome: Outcome) {
        let kept = self.claims.get_mut(&id).and_then(|claim| claim.kept.take());
        let Some((client, parked)) = kept else {
            self.finish(id, outcome);
            return;
        };
        match self.keeping.judge(client, parked, outcome) {
            Verdict::Over(outcome) => self.finish(id, outcome),
            Verdict::Parked => {}
            Verdict::Doubted => self.hub.keeper().notify(Trouble::Doubt),
        }
    }

    fn finish(&mut self, id: TransactionId, outcome: Outcome) {
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

    fn late(&mut self, id: TransactionId, result: &Result<(), Failure>) {
        let Some(claim) = self.claims.get(&id) else { return };
        if claim.completion.is_some() {
            // It goes out again, so this was its last attempt's. A success is one all the same.
            if result.is_ok() && self.keeping.withdraw_written(id) {
                self.finish(id, Ok(Vec::new()));
            }
            return;
        }
        if let Some(late) = self.claims.remove(&id).and_then(|claim| claim.late) {
            late.resolve(result);
        }
    }

    fn hand_out_events(&mut self) {
        while let Some(event) = self.engine.poll_event() {
            self.keeping.observe(&event);
            match event {
                Event::Completed { id, outcome } => self.complete(id, outcome),
                Event::Late { id, result } => self.late(id, &result),
                event => self.hub.handle(event, self.received_at),
            }
        }
    }
}

impl Driver for ModemDriver {
    fn handle_wake(&mut self, now: Instant) {
        for request in self.mailbox.take() {
            self.handle_request(request, now);
            // What was lost before a request must not be taken for lost after it.
            self.hand_out_events();
        }
    }

    fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        self.received_at = SystemTime::now();
        self.engine.handle_input(bytes, now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        for (id, failure) in self.keeping.take_expired(now) {
            self.finish(id, Err(failure));
        }
        self.engine.handle_timeout(now);
    }

    fn handle_port_lost(&mut self, reason: String, now: Instant) {
        self.engine.handle_port_lost(reason, now);
    }

    fn handle_port_attached(&mut self, _now: Instant) {
        self.engine.handle_port_attached();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout().into_iter().chain(self.keeping.poll_timeout()).min()
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
        for client in ClientIndex::ALL {
            self.keeping.forget(client);
        }
        self.engine.close();
        self.hand_out_events();
        for request in self.mailbox.shut() {
            match request {
                Request::Submit(submission) => end(Some(submission.completion), submission.late),
                Request::Open(_, completion) => end(Some(completion), None),
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
