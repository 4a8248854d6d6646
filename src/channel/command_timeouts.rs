//! A command without an answer: it is given up, and the channel brought back to command mode.

use std::time::Instant;

use super::channel_state::Channel;
use super::engine::Engine;
use super::event::Event;
use super::job::{Owner, Pending, PendingState};
use super::recovery::{Progress, Recovery};
use super::running::{LISTING_FENCE_NAME, Running};
use super::staged_payload::filling_for;
use crate::at::Operation;
use crate::channel::{Awaited, Failure, UnknownReason};

impl Engine {
    pub(crate) fn give_up_on_channel(&mut self, now: Instant) {
        match &mut self.channel {
            Channel::Recovering(recovery) => {
                let progress = recovery.handle_timeout(&mut self.fences, &mut self.outbox, now);
                self.recovery_went(progress, now);
            }
            Channel::Running(running) if running.limit <= now => self.give_up_running(now),
            _ => {}
        }
    }

    fn give_up_running(&mut self, now: Instant) {
        let Channel::Running(mut running) = std::mem::replace(&mut self.channel, Channel::Idle) else {
            return;
        };
        if let Some((code, line)) = running.contested.take() {
            self.resolve_given_up(running.job.lane, code, &line);
        }
        let line = &running.job.command().line;
        self.fences.avoided =
            if line.kind().lists_topics() { LISTING_FENCE_NAME.to_vec() } else { line.name().to_vec() };
        let awaited = running.awaited();
        if awaited == Awaited::Channel {
            let failure = running.job.not_started();
            self.finish(running.job, Err(failure));
            return;
        }
        if let Some(code) = running.lone_result() {
            self.end_by_result(*running, code);
            self.recover(&[], now);
            return;
        }
        let owed = running.owed_data();
        let filling = filling_for(line, owed);
        if owed > 0 {
            let command = running.job.command().clone();
            self.undo_filling(&command, now);
        }
        let shown = running.job.current();
        if running.job.owner == Owner::RestartCheck {
            // Written before the module had come up.
            self.ask_whether_it_restarted(now);
            self.recover(&[], now);
            return;
        }
        if running.met_banner {
            self.wait_for_restart_check(*running, awaited, now);
            self.recover(&filling, now);
            return;
        }
        let Some((operation, _)) = running.operation() else {
            self.finish(running.job, Err(Failure::NoAnswer { command: shown, awaited }));
            self.recover(&filling, now);
            return;
        };
        // It was written, or will be filled up if it asks for data after all: its result may still come.
        let failure = match operation {
            Operation::Publish => Failure::ResultUnknown { command: shown, reason: UnknownReason::Timeout },
            _ => Failure::NoAnswer { command: shown, awaited },
        };
        self.forget_given_up(running.job.lane);
        let slot = running.job.lane.slot();
        self.report(&running.job, Err(failure));
        let mut pending = Pending::new(running.job, operation, PendingState::GivenUp, now);
        pending.filled = (awaited == Awaited::Prompt && owed > 0).then_some(owed);
        self.pending[slot] = Some(pending);
        self.recover(&filling, now);
    }

    /// Unless the module restarted, its result may still come; if nothing of it reached the broker yet, it begins again.
    fn wait_for_restart_check(&mut self, running: Running, awaited: Awaited, now: Instant) {
        let operation = running.operation().map(|(operation, _)| operation);
        let job = running.job;
        if let Some(operation) = operation.filter(|_| awaited == Awaited::FinalResult) {
            self.forget_given_up(job.lane);
            let slot = job.lane.slot();
            self.pending[slot] = Some(Pending::new(job, operation, PendingState::AwaitingResult, now));
        } else if job.needs_connection() {
            self.queues.push_front(job.again(None));
        } else {
            let failure = Failure::NoAnswer { command: job.current(), awaited };
            self.perhaps_restarted.push((job, failure));
        }
    }

    pub(crate) fn recover(&mut self, filling: &[u8], now: Instant) {
        self.framer.data_entry_over(false);
        self.outbox.give_up();
        let byte_time = self.wire_time(1);
        let recovery = Recovery::after_silence(filling, byte_time, &mut self.fences, &mut self.outbox, now);
        self.channel = Channel::Recovering(recovery);
    }

    pub(crate) fn handle_recovery_line(&mut self, line: &[u8], now: Instant) -> bool {
        let Channel::Recovering(recovery) = &mut self.channel else { return false };
        let progress = recovery.handle_line(line, &mut self.fences, &mut self.outbox, now);
        if let Some(progress) = progress {
            self.recovery_went(progress, now);
        }
        progress.is_some()
    }

    fn recovery_went(&mut self, progress: Progress, now: Instant) {
        let Channel::Recovering(recovery) = &self.channel else { return };
        let was_opening = recovery.is_opening();
        match progress {
            Progress::Ongoing => return,
            Progress::Recovered => self.channel = Channel::Idle,
            Progress::Mute => {
                self.channel = Channel::Mute;
                if !was_opening {
                    self.events.push_back(Event::Mute);
                }
                let waiting =
                    self.queues.take_where(|job| !was_opening || matches!(job.owner, Owner::Opening(_)));
                for job in waiting {
                    let failure = Failure::Mute { command: job.named() };
                    self.finish(job, Err(failure));
                }
            }
        }
        self.advance(now);
    }
}
