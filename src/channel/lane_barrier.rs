//! Order within a lane: what comes behind a failure waits until the caller has said whether it is to wait, too.

use std::time::Instant;

use super::engine::Engine;
use super::job::{Job, Lane, Owner};
use crate::at::ClientIndex;
use crate::channel::{Outcome, TransactionId};

/// The lanes in which one failed that keeps its order, and nobody has judged that yet.
#[derive(Debug, Default)]
pub(crate) struct Halts([bool; Lane::COUNT]);

impl Halts {
    pub(crate) fn note(&mut self, job: &Job, outcome: &Outcome) {
        self.0[job.lane.slot()] |= job.keeps_order && outcome.is_err();
    }

    pub(crate) fn concern(&self, job: &Job) -> bool {
        self.0[job.lane.slot()]
    }
}

impl Engine {
    /// Takes those back that keep their order and have not begun, in it. Their outcomes are not told.
    pub fn cancel_queued_of(&mut self, client: ClientIndex) -> Vec<TransactionId> {
        let lane = Lane::Client(client);
        let taken = self
            .queues
            .take_where(|job| job.lane == lane && job.keeps_order && matches!(job.owner, Owner::Caller(_)));
        let id = |job: Job| match job.owner {
            Owner::Caller(id) => Some(id),
            _ => None,
        };
        taken.into_iter().filter_map(id).collect()
    }

    /// All events were taken, and all failures judged. Whether a lane had waited for that: then more may come.
    pub fn lift_lane_barriers(&mut self, now: Instant) -> bool {
        let had_waited = std::mem::take(&mut self.halts).0.contains(&true);
        if had_waited {
            self.advance(now);
        }
        had_waited
    }
}
