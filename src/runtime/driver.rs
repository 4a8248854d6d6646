use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::hub::Hub;
use super::keeping::{Absence, Keeping, Verdict};
use super::late::LateResult;
use super::mailbox::{Mailbox, Request, Submission};
use super::parked::Parked;
use super::ticket::Completion;
use crate::at::ClientIndex;
use crate::channel::{Counters, Engine, Event, Failure, LostBy, Outcome, TransactionId};
use crate::link::{Driver, LineErrors, PortIdentity};

/// Stands between the engine and everybody else, on the I/O thread.
pub(super) struct ModemDriver {
    engine: Engine,
    mailbox: Arc<Mailbox>,
    hub: Arc<Hub>,
    identity: Arc<PortIdentity>,
    claims: HashMap<TransactionId, Claim>,
    keeping: Keeping,
    received_at: SystemTime,
    line_errors: LineErrors,
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
    pub(super) fn new(
        engine: Engine,
        mailbox: Arc<Mailbox>,
        hub: Arc<Hub>,
        identity: Arc<PortIdentity>,
    ) -> Self {
        Self {
            engine,
            mailbox,
            hub,
            identity,
            claims: HashMap::new(),
            keeping: Keeping::default(),
            received_at: SystemTime::now(),
            line_errors: LineErrors::default(),
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
                self.engine.cancel(id, now);
            }
            Request::Withdraw(id, answer) => {
                let taken_back = self.withdraw(id, now);
                answer.fill(if taken_back { Err(Failure::Cancelled) } else { Ok(Vec::new()) });
            }
            Request::Keep(client, policy) => {
                self.forget(client, now);
                let is_connected = self.hub.facts().is_connected(client);
                self.keeping.keep(client, policy, (!is_connected).then_some(Absence::Doubted));
                if !is_connected {
                    // Lost between its connection and here.
                    self.hub.keeper(client).look();
                }
            }
            Request::Forget(client) => self.forget(client, now),
            Request::GiveUp(client) => self.give_up(client),
            Request::ComeBack { client, found_after, is_new } => {
                self.come_back(client, found_after, is_new, now);
            }
            Request::Restarted => self.engine.confirm_restart(now),
            Request::Trace(on) => self.engine.set_tracing(on),
            Request::Close => {
                self.engine.close(now);
                self.finished = true;
            }
        }
    }

    fn withdraw(&mut self, id: TransactionId, now: Instant) -> bool {
        if self.keeping.withdraw(id) {
            self.finish(id, Err(Failure::Cancelled));
            return true;
        }
        let kept = self.claims.get(&id).and_then(|claim| claim.kept.as_ref());
        let was_written = kept.is_some_and(|(_, parked)| parked.was_written());
        !was_written && self.engine.cancel_queued(id, now)
    }

    /// A connection that was only doubted takes what waits for it, before anything that ends it.
    fn forget(&mut self, client: ClientIndex, now: Instant) {
        if self.keeping.is_doubted(client) && self.hub.facts().is_connected(client) {
            let (_, parked) = self.keeping.come_back(client);
            self.submit_again(client, parked, now);
        }
        self.give_up(client);
    }

    fn give_up(&mut self, client: ClientIndex) {
        let (absence, parked) = self.keeping.forget(client);
        for (id, failure) in parked {
            self.finish(id, Err(failure));
        }
        if let Some(Absence::Lost(cause)) = absence {
            self.hub.end_waits(client, &cause);
        }
    }

    /// Unless it was lost again meanwhile, which its keeper looks after.
    fn come_back(&mut self, client: ClientIndex, found_after: Option<u64>, is_new: bool, now: Instant) {
        let is_back = match found_after {
            Some(losses) => self.hub.keeper(client).losses() == losses,
            None => self.hub.facts().is_connected(client),
        };
        if !is_back || !self.keeping.is_kept(client) {
            return;
        }
        self.hub.change_facts(|facts| facts.is_back(client));
        let (absence, parked) = self.keeping.come_back(client);
        if is_new || matches!(absence, Some(Absence::Lost(_))) {
            self.hub.reconnected(client);
        }
        self.submit_again(client, parked, now);
    }

    fn submit_again(&mut self, client: ClientIndex, parked: VecDeque<Parked>, now: Instant) {
        for parked in parked {
            let (id, transaction) = (parked.id(), parked.transaction(now));
            if let Some(claim) = self.claims.get_mut(&id) {
                claim.kept = Some((client, parked));
                self.engine.submit(id, transaction, now);
            }
        }
    }

    fn submit(&mut self, submission: Submission, now: Instant) {
        let Submission { id, transaction, completion, late, waits_for_connection } = submission;
        let kept = transaction
            .needs_connection_of()
            .filter(|client| waits_for_connection && self.keeping.is_kept(*client));
        let transaction = if kept.is_some() { transaction.keeping_order() } else { transaction };
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
    fn complete(&mut self, id: TransactionId, outcome: Outcome, now: Instant) {
        let kept = self.claims.get_mut(&id).and_then(|claim| claim.kept.take());
        let Some((client, parked)) = kept else {
            self.finish(id, outcome);
            return;
        };
        match self.keeping.judge(client, parked, outcome, now) {
            Verdict::Over(outcome) => self.finish(id, outcome),
            Verdict::Parked => self.park_those_behind(client),
            Verdict::Doubted => {
                self.park_those_behind(client);
                self.hub.keeper(client).look();
            }
        }
    }

    /// What has not begun must not overtake what waits.
    fn park_those_behind(&mut self, client: ClientIndex) {
        for id in self.engine.cancel_queued_of(client) {
            if let Some((client, parked)) = self.claims.get_mut(&id).and_then(|claim| claim.kept.take()) {
                self.keeping.park(client, parked);
            }
        }
    }

    fn finish(&mut self, id: TransactionId, outcome: Outcome) {
        let Some(claim) = self.claims.get_mut(&id) else { return };
        let completion = claim.completion.take();
        let may_come = self.engine.may_be_deferred(id);
        if let Err(unknown @ Failure::ResultUnknown { .. }) = &outcome
            && let Some(late) = claim.late.as_ref().filter(|_| !may_come)
        {
            late.resolve(&Err(unknown.clone()));
        }
        if !may_come {
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

    fn counters(&self) -> Counters {
        let LineErrors { framing, parity, overruns, breaks } = self.line_errors;
        Counters {
            framing_errors: framing,
            parity_errors: parity,
            overruns,
            breaks,
            ..self.engine.counters()
        }
    }

    fn hand_out_events(&mut self, now: Instant) {
        // Whoever is woken by an event may look at them.
        self.hub.set_counters(self.counters());
        loop {
            while let Some(event) = self.engine.poll_event() {
                self.hand_out(event, now);
            }
            if !self.engine.lift_lane_barriers(now) {
                return;
            }
        }
    }

    fn hand_out(&mut self, event: Event, now: Instant) {
        self.keeping.observe(&event);
        match event {
            Event::Completed { id, outcome } => self.complete(id, outcome, now),
            Event::DeferredResult { id, result } => self.late(id, &result),
            event => {
                self.end_waits(&event);
                self.hub.handle(event, self.received_at);
            }
        }
    }

    /// Whoever waits for a message of a client that nobody brings back waits in vain.
    fn end_waits(&self, event: &Event) {
        let (clients, cause) = match event {
            Event::ConnectionLost { client, cause } => (vec![*client], LostBy::Connection(*cause)),
            // Told of each connection before.
            Event::NetworkLost => {
                let facts = self.hub.facts();
                let connected = ClientIndex::ALL.into_iter().filter(|client| facts.is_connected(*client));
                (connected.collect(), LostBy::Network)
            }
            Event::Restarted => (ClientIndex::ALL.to_vec(), LostBy::Restart),
            Event::PortLost(reason) => (ClientIndex::ALL.to_vec(), LostBy::Port(reason.clone())),
            _ => return,
        };
        for client in clients.into_iter().filter(|client| !self.keeping.is_kept(*client)) {
            self.hub.end_waits(client, &cause);
        }
    }
}

impl Driver for ModemDriver {
    fn handle_wake(&mut self, now: Instant) {
        for request in self.mailbox.take() {
            self.handle_request(request, now);
            // What was lost before a request must not be taken for lost after it.
            self.hand_out_events(now);
        }
    }

    fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        self.received_at = SystemTime::now();
        self.engine.handle_input(bytes, now);
        self.hand_out_events(now);
    }

    fn handle_damaged_input(&mut self, bytes: &[u8], errors: LineErrors, now: Instant) {
        self.received_at = SystemTime::now();
        self.line_errors += errors;
        self.engine.handle_damaged_input(bytes, now);
        self.hand_out_events(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        for (id, failure) in self.keeping.take_expired(now) {
            self.finish(id, Err(failure));
        }
        self.engine.handle_timeout(now);
        self.hand_out_events(now);
    }

    fn handle_port_lost(&mut self, reason: String, now: Instant) {
        self.identity.note_loss();
        self.engine.handle_port_lost(reason, now);
        self.hand_out_events(now);
    }

    fn handle_port_attached(&mut self, _now: Instant) {
        self.engine.handle_port_attached();
        self.hub.port_is_back();
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.engine.poll_timeout().into_iter().chain(self.keeping.poll_timeout()).min()
    }

    fn poll_transmit(&mut self) -> &[u8] {
        self.engine.unwritten()
    }

    fn handle_transmitted(&mut self, count: usize, now: Instant) {
        self.engine.handle_written(count, now);
        self.hand_out_events(now);
    }

    fn must_drain(&self) -> bool {
        self.engine.must_drain()
    }

    fn flush(&mut self) {
        self.hub.set_counters(self.counters());
    }

    fn is_finished(&self) -> bool {
        self.finished
    }
}

impl Drop for ModemDriver {
    /// Nobody is left waiting, whatever ended the thread.
    fn drop(&mut self) {
        let now = Instant::now();
        self.engine.close(now);
        self.hand_out_events(now);
        for (id, failure) in self.keeping.close() {
            self.finish(id, Err(failure));
        }
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
