//! A received message as far as it has come, and what its headers may say next.

use std::time::Instant;

use super::doubt::Extent;
use super::header::Part;
use crate::at::ClientIndex;
use crate::at::urc::may_hold_boot_banner;
use crate::inbound::ReceivedMessage;

const SHORTEST_PART_HEADER: usize = b"+CMQTTRXPAYLOAD: 0,0\r\n".len();

#[derive(Debug)]
pub(crate) struct Block {
    topic_total: usize,
    payload_total: usize,
    topic: usize,
    bytes: Vec<u8>,
    part_start: usize,
    /// Where in the stream the current part begins.
    part_position: u64,
    /// No line end followed it, or it did not come whole.
    part_is_cut: bool,
    /// The port's driver counted errors in the input that the block came with.
    is_damaged: bool,
    /// Blank lines before each header: the same number through a block.
    spacing: Option<u8>,
    pub(crate) deadline: Instant,
    pub(crate) extent: Extent,
}

impl Block {
    /// `position` is where its `+CMQTTRXSTART` ends in the stream.
    pub(crate) fn new(topic: usize, payload: usize, position: u64, deadline: Instant) -> Self {
        Self {
            topic_total: topic,
            payload_total: payload,
            topic: 0,
            bytes: Vec::with_capacity(topic + payload),
            part_start: 0,
            part_position: position,
            part_is_cut: false,
            is_damaged: false,
            spacing: None,
            deadline,
            extent: Extent {
                began_at: position,
                ends_after: position + (topic + payload) as u64,
                announced: true,
                topic_over: false,
            },
        }
    }

    /// Why a part of this length cannot come now.
    pub(crate) fn objects_to(
        &mut self,
        part: Part,
        length: usize,
        blanks: Option<u8>,
    ) -> Option<&'static str> {
        if !self.spacing_agrees(blanks) {
            return Some("its lines are not spaced evenly: bytes are missing");
        }
        if part == Part::Payload && self.topic < self.topic_total {
            return Some("its payload began before its topic was complete");
        }
        if length > self.missing(part) {
            return Some("a part is longer than its +CMQTTRXSTART said");
        }
        let may_be_empty = part == Part::Payload && self.payload_total == 0;
        (length == 0 && !may_be_empty).then_some("a part is empty")
    }

    /// How many bytes are announced, and have not come.
    pub(crate) fn missing(&self, part: Part) -> usize {
        match part {
            Part::Topic => self.topic_total - self.topic,
            Part::Payload => self.total() - self.bytes.len(),
        }
    }

    /// `position` is where its header ends in the stream.
    pub(crate) fn begin_part(&mut self, part: Part, length: usize, position: u64) {
        self.part_start = self.bytes.len();
        self.part_position = position;
        self.extent.ends_after = position + self.missing(Part::Payload) as u64;
        if part == Part::Topic {
            self.topic += length;
            self.extent.topic_over = self.topic == self.topic_total;
        }
    }

    /// A header at `position` is garbled; behind it come all the bytes that are missing.
    pub(crate) fn garbled_at(&mut self, position: u64) {
        let next_header = if self.extent.topic_over { 0 } else { SHORTEST_PART_HEADER };
        let missing = self.missing(Part::Payload) + next_header;
        self.extent.ends_after = self.extent.ends_after.max(position + missing as u64);
    }

    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn mark_damaged(&mut self) {
        self.is_damaged = true;
    }

    pub(crate) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    pub(crate) fn cut_part(&mut self) {
        self.part_is_cut = true;
    }

    /// The shortest tail of the current part that runs on into what follows: from its last line end.
    pub(crate) fn eaten_tail(&self) -> Vec<u8> {
        let part = &self.bytes[self.part_start..];
        memchr::memrchr(b'\n', part).map_or_else(Vec::new, |end| part[end + 1..].to_vec())
    }

    /// The lines that the current part may have eaten behind the end of this block, and where in the stream they begin.
    pub(crate) fn eaten_behind_end(&self, client: ClientIndex) -> Option<(&[u8], u64)> {
        let part = &self.bytes[self.part_start..];
        let whole = if self.part_is_cut { part.len() - self.eaten_tail().len() } else { part.len() };
        let part = &part[..whole];
        let end = format!("\n+CMQTTRXEND: {client}\r\n");
        let from = memchr::memmem::find(part, end.as_bytes())? + end.len();
        Some((&part[from..], self.part_position + from as u64))
    }

    pub(crate) fn ends_as_line(&self) -> bool {
        self.bytes[self.part_start..].ends_with(b"\r\n")
    }

    /// The module may have restarted in the middle of the current part, and its boot banner been counted to it.
    pub(crate) fn may_have_eaten_a_boot_banner(&self) -> bool {
        may_hold_boot_banner(&self.bytes[self.part_start..])
    }

    /// Why it cannot end now.
    pub(crate) fn objects_to_end(&mut self, blanks: Option<u8>) -> Option<String> {
        if self.topic < self.topic_total || self.bytes.len() < self.total() {
            let (came, total) = (self.bytes.len(), self.total());
            return Some(format!("{came} of {total} bytes came before its +CMQTTRXEND"));
        }
        let is_even = self.spacing_agrees(blanks);
        (!is_even).then(|| "its lines are not spaced evenly: bytes are missing".to_owned())
    }

    pub(crate) fn into_message(self, client: ClientIndex) -> ReceivedMessage {
        ReceivedMessage::new(client, self.topic_total, self.bytes)
    }

    fn total(&self) -> usize {
        self.topic_total + self.payload_total
    }

    fn spacing_agrees(&mut self, blanks: Option<u8>) -> bool {
        let Some(blanks) = blanks else { return true };
        *self.spacing.get_or_insert(blanks) == blanks
    }
}
