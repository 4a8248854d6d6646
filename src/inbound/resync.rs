//! Finds the way back after damage.
//!
//! From damage on, what looks like lines may be the rest of a payload, and a payload may look like anything. So every
//! line, prompt and message is held until it is known what it was:
//!
//! - The RXEND of the damaged block comes: what is held was its payload, and is dropped.
//! - Its time is over: what is held is released, in order.
//!
//! Needed by `resync_rules::lines_of_a_damaged_message_are_dropped_at_its_end` and
//! `lines_behind_a_damaged_message_without_an_end_are_released_in_order`.

use std::time::Instant;

use super::byte_span::ByteSpan;
use super::header::Part;
use super::held::{Held, HeldItems};
use super::message::ReceivedMessage;
use super::output::{Output, Outputs};
use crate::at::ClientIndex;

/// With a blank line before it.
const LONGEST_PART_HEADER: u64 = b"\r\n+CMQTTRXPAYLOAD: 0,10240\r\n".len() as u64;
const INSIDE_ANOTHER: &str = "it came inside a damaged message";
const START_IS_LOST: &str = "its +CMQTTRXSTART was lost";

#[derive(Debug, Default)]
pub(crate) struct Resync {
    /// The damaged blocks whose end has not come, by client.
    damaged: [Option<ByteSpan>; 2],
    unknown_client: Option<UnknownClientBlock>,
    evidence: Evidence,
    /// When the time of all damaged blocks is over.
    deadline: Option<Instant>,
    held: HeldItems,
}

/// A damaged block of which not even the client is known.
#[derive(Debug)]
struct UnknownClientBlock {
    beginning: u64,
    /// The longest block there is would end here. Once an RXEND came, there: it may be this block's. Needed by
    /// `damaged_blocks::damage_in_one_message`.
    latest_end: u64,
}

/// Evidence that the end of the damaged block is damaged as well, so that no RXEND will tell what was payload. Needed by
/// `resync_rules::message_that_fits_into_the_missing_bytes_is_not_released` (end is due) and by `random_damage` (places):
/// without it, 200,000 cases invent 20 messages instead of 19.
#[derive(Debug, Default)]
struct Evidence {
    damaged_places: u32,
    /// A header of a block of known length is damaged.
    end_is_due: bool,
}

impl Resync {
    /// A block is damaged. Else only lines are held that came inside a block that may well be sound.
    pub(crate) fn has_damage(&self) -> bool {
        self.unknown_client.is_some() || self.damaged.iter().any(Option::is_some)
    }

    /// Something is damaged or held.
    pub(crate) fn is_active(&self) -> bool {
        self.has_damage() || !self.held.is_empty()
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// `is_idle`: no block is open. Lines that were held inside a block without damage wait for its end.
    pub(crate) fn is_overdue(&self, is_idle: bool, now: Instant) -> bool {
        self.is_active() && self.deadline.map_or(is_idle, |deadline| deadline <= now)
    }

    /// The block of this client is damaged. If it is already, the fake start of a block in its payload does not make it
    /// shorter. Needed by `resync_rules::two_fake_starts_in_a_damaged_message_do_not_end_it_early`.
    pub(crate) fn block_is_damaged(&mut self, client: ClientIndex, span: ByteSpan, deadline: Instant) {
        self.note_damage(span.beginning());
        let known = &mut self.damaged[client.slot()];
        *known = Some(known.map_or(span, |known| span.with(&known)));
        self.extend_deadline(deadline);
    }

    /// A block is damaged so that its client is not known. `position` is where the damage ends at the earliest, and
    /// `longest` how many bytes the block may still have.
    pub(crate) fn unknown_block_is_damaged(&mut self, position: u64, longest: usize, deadline: Instant) {
        self.note_damage(position);
        let latest_end = position + longest as u64;
        // The first damage is the one that a part tells the client of. Needed by `random_damage`: without it, 200,000 cases
        // invent 21 messages instead of 19.
        let known = self.unknown_client.take();
        let beginning = known.map_or(position, |known| known.beginning);
        self.unknown_client = Some(UnknownClientBlock { beginning, latest_end });
        self.extend_deadline(deadline);
    }

    /// The length of a damaged block is known, so that a damaged header is taken for one of its own.
    pub(crate) fn knows_a_length(&self) -> bool {
        self.damaged.iter().flatten().any(ByteSpan::is_announced)
    }

    /// Damage before the end of a damaged block is its payload that looks like a damaged header. Needed by
    /// `damaged_blocks::damage_in_one_message`.
    pub(crate) fn note_damage(&mut self, position: u64) {
        if position >= self.missing_until() {
            self.evidence.damaged_places += 1;
        }
    }

    /// A header of a block is damaged whose content did not come whole.
    pub(crate) fn end_is_due(&mut self) {
        self.evidence.end_is_due = true;
    }

    /// Another block of this client began among the bytes that a damaged one took, and goes on behind them.
    pub(crate) fn another_goes_on(&mut self, client: ClientIndex, span: ByteSpan, deadline: Instant) {
        self.damaged[client.slot()] = Some(span);
        self.extend_deadline(deadline);
    }

    /// A part came without an open block. Its header ends at `position`. Returns how many counted bytes follow.
    #[cold]
    pub(crate) fn part_without_block(
        &mut self,
        part: Part,
        client: ClientIndex,
        length: usize,
        position: u64,
        deadline: Instant,
        outputs: &mut Outputs,
    ) -> usize {
        let span = ByteSpan::of_part(position, length.min(part.longest()));
        let end = span.earliest_end();
        let is_of_a_block = match self.damaged[client.slot()] {
            None => {
                outputs.report_lost(Some(client), START_IS_LOST.to_owned());
                self.block_is_damaged(client, span, deadline);
                // Right behind a damaged header, the part tells whose that was. Needed by
                // `resync_rules::part_right_behind_a_damaged_start_tells_its_client`.
                self.unknown_client.take_if(|block| position <= block.beginning + LONGEST_PART_HEADER);
                true
            }
            // Needed by `resync_rules::another_topic_after_a_whole_one_is_another_message`.
            Some(known) if part == Part::Topic && known.topic_is_complete() => {
                outputs.report_lost(Some(client), START_IS_LOST.to_owned());
                let is_over = known.is_over_at(position);
                // The block before is over, and its length says nothing about this one. Needed by `random_damage`: without
                // it, 200,000 cases invent 22 messages instead of 19.
                if is_over {
                    self.damaged[client.slot()] = Some(span);
                }
                is_over || known.has_room_until(end)
            }
            // The header of a part that goes beyond the end of the block is payload. Needed by
            // `resync_rules::part_header_inside_a_damaged_message_that_goes_beyond_its_end_is_payload`.
            Some(known) => !known.is_announced() || known.has_room_until(end),
        };
        // Needed by `resync_rules::part_without_a_start_that_is_longer_than_any_is_not_read_over`.
        if !is_of_a_block || length > part.longest() {
            return 0;
        }
        // Needed by `random_damage`: without it, 200,000 cases invent 22 messages instead of 19.
        if let Some(known) = &mut self.damaged[client.slot()] {
            known.extend_to(end);
        }
        length
    }

    /// An RXEND came without an open block, and ends at `position`. What is held was payload.
    pub(crate) fn end_came(&mut self, client: ClientIndex, position: u64, outputs: &mut Outputs) {
        let span = &mut self.damaged[client.slot()];
        if span.is_none() && self.unknown_client.is_none() {
            // Of the other client, so it may be payload of the damaged block. Needed by
            // `resync_rules::end_of_the_other_client_inside_a_damaged_message_is_payload`.
            return;
        }
        // An RXEND before the announced bytes came is payload. Needed by
        // `resync_rules::end_before_the_announced_bytes_came_is_payload`. Without the length of the block, lines that were
        // held may be payload with more of it to come. Needed by
        // `resync_rules::end_in_a_message_of_unknown_length_may_be_payload`.
        let is_accounted_for = |span: &ByteSpan| span.is_announced() || self.held.is_empty();
        span.take_if(|span| span.is_over_at(position) && is_accounted_for(span));
        if let Some(block) = &mut self.unknown_client {
            block.latest_end = position;
        }
        for item in self.held.take() {
            match item {
                Held::Line(_) => outputs.push(Output::LineDropped),
                Held::Prompt => {}
                Held::Message { message, .. } => {
                    outputs.report_lost(Some(message.client()), INSIDE_ANOTHER.to_owned());
                }
            }
        }
        if !self.has_damage() {
            *self = Self::default();
        }
    }

    pub(crate) fn hold_line(&mut self, line: &[u8], outputs: &mut Outputs) {
        self.hold(Held::Line(line.to_vec()), outputs);
    }

    pub(crate) fn hold_prompt(&mut self, outputs: &mut Outputs) {
        self.hold(Held::Prompt, outputs);
    }

    pub(crate) fn hold_message(&mut self, message: ReceivedMessage, ended_at: u64, outputs: &mut Outputs) {
        self.hold(Held::Message { message, ended_at }, outputs);
    }

    /// Ends the resync without an RXEND, and releases what is held.
    #[inline]
    pub(crate) fn release(&mut self, outputs: &mut Outputs) {
        if self.is_active() {
            self.release_held(outputs);
        }
    }

    #[cold]
    fn release_held(&mut self, outputs: &mut Outputs) {
        let held = self.held.take();
        // Where the end may be lost too, a message that fits into what is missing may be payload. Needed by
        // `resync_rules::message_that_fits_into_the_missing_bytes_is_not_released`.
        let end_may_be_lost = self.evidence.end_is_due || self.evidence.damaged_places > 1;
        let payload_until = end_may_be_lost.then(|| self.missing_until() + LONGEST_PART_HEADER);
        for item in held {
            match item {
                Held::Line(line) => outputs.push(Output::Line(line)),
                Held::Prompt => outputs.push(Output::Prompt),
                Held::Message { message, ended_at }
                    if payload_until.is_some_and(|until| ended_at <= until) =>
                {
                    outputs.report_lost(Some(message.client()), INSIDE_ANOTHER.to_owned());
                }
                Held::Message { message, .. } => outputs.push(Output::Message(message)),
            }
        }
        *self = Self::default();
    }

    fn hold(&mut self, item: Held, outputs: &mut Outputs) {
        self.held.push(item);
        // Needed by `resync_rules::held_lines_are_released_before_they_are_too_many`.
        if self.held.is_full() {
            self.release(outputs);
        }
    }

    fn extend_deadline(&mut self, deadline: Instant) {
        self.deadline = self.deadline.max(Some(deadline));
    }

    /// Where the last of the damaged blocks ends.
    fn missing_until(&self) -> u64 {
        let spans = self.damaged.iter().flatten().map(ByteSpan::earliest_end);
        let unknown = self.unknown_client.as_ref().map(|block| block.latest_end);
        spans.chain(unknown).max().unwrap_or(0)
    }
}
