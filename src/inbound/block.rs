//! A received message as far as it has come, and what its headers may say next.

use std::time::Instant;

use super::byte_span::ByteSpan;
use super::header::Part;
use super::message::ReceivedMessage;
use super::spacing::{BlockSpacing, Gap, Layout, Place};
use crate::at::ClientIndex;
use crate::at::urc::may_hold_boot_banner;

#[derive(Debug)]
pub(crate) struct Block {
    topic_total: usize,
    payload_total: usize,
    /// Bytes of the topic that part headers have announced.
    topic_begun: usize,
    /// The content, topic and payload side by side, as far as it has come.
    content: Vec<u8>,
    /// Where in `content` the current part begins, and where in the stream.
    part_start: usize,
    part_position: u64,
    /// The current part did not come whole, or no line end followed it. So its last bytes may be the beginning of a line.
    part_is_cut: bool,
    /// The port's driver counted errors in the input that the block came with.
    has_port_errors: bool,
    spacing: BlockSpacing,
    span: ByteSpan,
    deadline: Instant,
}

impl Block {
    /// `position` is where the RXSTART ends in the stream.
    pub(crate) fn new(topic: usize, payload: usize, position: u64, deadline: Instant) -> Self {
        Self {
            topic_total: topic,
            payload_total: payload,
            topic_begun: 0,
            content: Vec::with_capacity(topic + payload),
            part_start: 0,
            part_position: position,
            part_is_cut: false,
            has_port_errors: false,
            spacing: BlockSpacing::default(),
            span: ByteSpan::announced(position, topic + payload),
            deadline,
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(crate) fn span(&self) -> ByteSpan {
        self.span
    }

    pub(crate) fn spacing(&self) -> BlockSpacing {
        self.spacing
    }

    /// Decides if the blank lines before a header show that the part before it is damaged.
    pub(crate) fn is_spaced_unusually(&mut self, place: Place, gap: Gap, layout: &mut Layout) -> bool {
        let is_unusual = layout.contradicts(place, gap, self.spacing, self.current_part());
        if !is_unusual {
            self.spacing.note(place, gap);
        }
        is_unusual
    }

    pub(crate) fn note_port_errors(&mut self) {
        self.has_port_errors = true;
    }

    pub(crate) fn has_port_errors(&self) -> bool {
        self.has_port_errors
    }

    /// The bytes of the current part that have come.
    pub(crate) fn current_part(&self) -> &[u8] {
        &self.content[self.part_start..]
    }

    /// How many bytes are announced, and have not come.
    pub(crate) fn missing(&self, part: Part) -> usize {
        match part {
            Part::Topic => self.topic_total - self.topic_begun,
            Part::Payload => self.total() - self.content.len(),
        }
    }

    /// Returns why a part of this length cannot come now.
    pub(crate) fn objection_to_part(&self, part: Part, length: usize) -> Option<&'static str> {
        // Content is kept in the order in which it comes, so the payload would become the topic. Needed by
        // `resync_rules::payload_before_the_whole_topic_is_damage`.
        if part == Part::Payload && self.topic_begun < self.topic_total {
            return Some("its payload began before its topic was complete");
        }
        // Needed by `resync_rules::part_longer_than_announced_is_damage`.
        if length > self.missing(part) {
            return Some("a part is longer than its +CMQTTRXSTART said");
        }
        // Some firmware may announce an empty payload in a header of its own: needed by
        // `splits_of_messages::empty_payload_with_a_header_is_received`. No other part is empty: needed by
        // `resync_rules::empty_part_is_damage`.
        let may_be_empty = part == Part::Payload && self.payload_total == 0;
        (length == 0 && !may_be_empty).then_some("a part is empty")
    }

    /// `position` is where the part's header ends in the stream.
    pub(crate) fn begin_part(&mut self, part: Part, length: usize, position: u64) {
        self.part_start = self.content.len();
        self.part_position = position;
        self.span.content_follows(position, self.missing(Part::Payload));
        if part == Part::Topic {
            self.topic_begun += length;
            if self.topic_begun == self.topic_total {
                self.span.complete_topic();
            }
        }
    }

    /// A damaged header ends at `position`: all the bytes that are missing may come behind it. Needed by
    /// `damaged_blocks::gap_that_joins_two_headers`.
    pub(crate) fn header_is_damaged(&mut self, position: u64) {
        self.span.extend_to(position + self.missing(Part::Payload) as u64);
    }

    /// A part ends at `position` that is longer than announced: the block may end later than announced, too. Needed by
    /// `damaged_blocks::damage_in_one_message`.
    pub(crate) fn part_may_end_at(&mut self, position: u64) {
        self.span.extend_to(position);
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.content.extend_from_slice(bytes);
    }

    pub(crate) fn cut_part(&mut self) {
        self.part_is_cut = true;
    }

    /// The bytes behind the last line end of the current part. If its count ran over into the next line, they are the
    /// beginning of that line.
    ///
    /// Example: `hello` lost four bytes, so the count of 5 took `o␍␊+C`, and the line goes on with `GEV: x`. Needed by
    /// `resync_rules::line_whose_beginning_was_counted_is_read_again`.
    pub(crate) fn tail_of_part(&self) -> &[u8] {
        let part = self.current_part();
        memchr::memrchr(b'\n', part).map_or(&[], |end| &part[end + 1..])
    }

    /// The whole lines that the current part took behind the end of this block, and where they begin in the stream.
    pub(crate) fn lines_behind_end(&self, client: ClientIndex) -> Option<(&[u8], u64)> {
        let part = self.current_part();
        // The framer reads the beginning of a line again, so it is left out here. Needed by
        // `resync_rules::start_whose_beginning_was_counted_is_reported_by_its_own_message_only`.
        let whole = if self.part_is_cut { part.len() - self.tail_of_part().len() } else { part.len() };
        let part = &part[..whole];
        let end = format!("\n+CMQTTRXEND: {client}\r\n");
        let from = memchr::memmem::find(part, end.as_bytes())? + end.len();
        Some((&part[from..], self.part_position + from as u64))
    }

    /// See `Reassembly::is_pushed_out`.
    pub(crate) fn part_ends_as_line(&self) -> bool {
        self.current_part().ends_with(b"\r\n")
    }

    /// The module may have restarted in the middle of the current part, and its boot banner been counted to the part.
    /// Needed by `resync_rules::boot_banner_in_a_damaged_message_is_asked_about`.
    pub(crate) fn part_may_hold_boot_banner(&self) -> bool {
        may_hold_boot_banner(self.current_part())
    }

    /// All announced bytes came, so the block can end.
    pub(crate) fn is_whole(&self) -> bool {
        self.topic_begun == self.topic_total && self.content.len() == self.total()
    }

    /// Returns why a block that is not whole cannot end.
    pub(crate) fn objection_to_end(&self) -> String {
        format!("{} of {} bytes came before its +CMQTTRXEND", self.content.len(), self.total())
    }

    pub(crate) fn into_message(self, client: ClientIndex) -> ReceivedMessage {
        ReceivedMessage::new(client, self.topic_total, self.content)
    }

    fn total(&self) -> usize {
        self.topic_total + self.payload_total
    }
}
