//! Puts received messages together.
//!
//! The engine hands in what the framer finds, in order, and takes the outputs after each.

use std::time::Instant;

use super::block::Block;
use super::block_time::BlockTime;
use super::byte_span::FRAMING_BYTES;
use super::damaged_header::{DamagedHeader, HeaderLine};
use super::header::{HEADER_BEGINNING, Header, LONGEST_CONTENT, LONGEST_PAYLOAD, LONGEST_TOPIC, Part};
use super::output::{Output, Outputs};
use super::overrun::{self, Overrun};
use super::port_errors::PortErrors;
use super::resync::Resync;
use super::spacing::{Before, Gap, Layout, Place};
use crate::at::ClientIndex;
use crate::at::urc::may_hold_boot_banner;

const LENGTH_IS_WRONG: &str = "its length does not agree with its bytes";
const SPACING_IS_WRONG: &str = "its lines are not spaced as usual: bytes are missing";

#[derive(Debug)]
pub(crate) struct Reassembly {
    /// By client.
    blocks: [Option<Block>; 2],
    resync: Resync,
    outputs: Outputs,
    counting: Counting,
    /// Counted bytes that were read over. A module that restarts has its boot banner counted to them.
    skipped: Vec<u8>,
    gap: Gap,
    layout: Layout,
    port_errors: PortErrors,
    time: BlockTime,
}

/// Whose counted bytes are being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    Nothing,
    Block(ClientIndex),
    /// A part of a damaged block: read over, so that nothing in it is taken for a line.
    Skipped,
}

/// The engine's use of a line or a prompt that is no part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It means what it says, now.
    Trusted,
    /// It may be payload. It comes as an output, or not at all.
    Held,
}

/// The time of a message was over.
#[derive(Debug)]
pub(crate) struct TimedOut {
    /// A counted part is unfinished: the framer stops counting, and reads these bytes again as the beginning of a line.
    pub(crate) read_again: Option<Vec<u8>>,
}

impl Reassembly {
    pub(crate) fn new(baudrate: u32) -> Self {
        Self {
            blocks: [None, None],
            resync: Resync::default(),
            outputs: Outputs::default(),
            counting: Counting::Nothing,
            skipped: Vec::new(),
            gap: Gap::of(Before::Line),
            layout: Layout::default(),
            port_errors: PortErrors::default(),
            time: BlockTime::new(baudrate),
        }
    }

    /// The system counted errors somewhere in the input that follows. A message with bytes of it is still read by its
    /// counts, but is lost instead of delivered.
    pub(crate) fn begin_damaged_input(&mut self) {
        self.port_errors.begin();
        self.blocks.iter_mut().flatten().for_each(Block::note_port_errors);
    }

    pub(crate) fn end_damaged_input(&mut self) {
        self.port_errors.end();
    }

    /// Takes a header, and returns how many counted bytes follow. `position` is where its line ends in the stream;
    /// `is_line_end_intact` if exactly CR LF stands behind it.
    pub(crate) fn header(
        &mut self,
        header: HeaderLine,
        is_line_end_intact: bool,
        position: u64,
        now: Instant,
    ) -> usize {
        match header {
            HeaderLine::Sound(header) if is_line_end_intact => self.sound_header(header, position, now),
            HeaderLine::Sound(header) => {
                self.damaged_header(DamagedHeader::with_damaged_line_end(header), position, now)
            }
            HeaderLine::Damaged(header) => self.damaged_header(header, position, now),
        }
    }

    /// A message is damaged, and it is not known yet where its bytes end.
    pub(crate) fn is_resyncing(&self) -> bool {
        self.resync.is_active()
    }

    /// Decides about a line that is no header. `is_known`: the line has a meaning now.
    pub(crate) fn line(&mut self, line: &[u8], is_known: bool, is_echo: bool) -> Trust {
        self.port_errors.line_ends();
        let after = if is_echo { Before::Unspaced } else { Before::Line };
        let gap = std::mem::replace(&mut self.gap, Gap::of(after));
        if self.is_idle() && !self.resync.is_active() {
            return Trust::Trusted;
        }
        let is_spaced_wrong = !is_echo && gap.contradicts_line(line);
        if is_spaced_wrong || (gap.is_behind_part() && self.is_pushed_out(line, is_known)) {
            self.damage_open_blocks(LENGTH_IS_WRONG);
        }
        // An answer or a URC comes between two parts of an intact block, too: needed by
        // `resync_rules::answer_between_the_parts_of_a_message_is_taken_at_once`. Behind damage it may be payload: needed by
        // `resync_rules::lines_behind_a_damaged_message_without_an_end_are_released_in_order`.
        if is_known && !self.resync.is_active() {
            return Trust::Trusted;
        }
        self.resync.hold_line(line, &mut self.outputs);
        Trust::Held
    }

    /// Decides about a prompt. Inside a block it is held, for it may be a `>` of the payload. Needed by
    /// `resync_rules::prompt_inside_a_damaged_message_is_dropped`.
    pub(crate) fn prompt(&mut self) -> Trust {
        let gap = std::mem::replace(&mut self.gap, Gap::of(Before::Unspaced));
        if self.is_idle() && !self.resync.is_active() {
            return Trust::Trusted;
        }
        // Needed by `resync_rules::prompt_without_a_line_end_before_it_shows_that_a_part_lost_bytes`.
        if gap.contradicts_line(b">") {
            self.damage_open_blocks(LENGTH_IS_WRONG);
        }
        self.resync.hold_prompt(&mut self.outputs);
        Trust::Held
    }

    pub(crate) fn blank_line(&mut self) {
        self.port_errors.line_ends();
        self.gap.add_blank_line();
    }

    /// An echo or anything else came that does not keep to CR LF text CR LF.
    pub(crate) fn unspaced(&mut self) {
        self.gap = Gap::of(Before::Unspaced);
    }

    pub(crate) fn counted(&mut self, bytes: &[u8]) {
        match self.counting {
            Counting::Nothing => {}
            Counting::Skipped => self.skipped.extend_from_slice(bytes),
            Counting::Block(client) => {
                if let Some(block) = &mut self.blocks[client.slot()] {
                    block.take(bytes);
                }
            }
        }
    }

    /// The counted bytes are over. Returns what the framer reads again: if no line end followed, the count ran over into
    /// the next line, and took the beginning of it.
    pub(crate) fn counted_end(&mut self, is_line_end_intact: bool) -> Vec<u8> {
        let counting = std::mem::replace(&mut self.counting, Counting::Nothing);
        let client = if let Counting::Block(client) = counting { Some(client) } else { None };
        self.gap = Gap::of(Before::Part(client));
        self.end_skipping();
        if is_line_end_intact {
            return Vec::new();
        }
        // Bytes that are read again have no line end before them, and that is no evidence of further damage. Needed by
        // `resync_rules::line_that_is_read_again_is_no_evidence_against_the_other_client`.
        self.unspaced();
        let Some(client) = client else { return Vec::new() };
        let Some(block) = &mut self.blocks[client.slot()] else { return Vec::new() };
        block.cut_part();
        let tail = block.tail_of_part().to_vec();
        self.damage(client, LENGTH_IS_WRONG);
        tail
    }

    /// Drops blocks whose time is over, and ends the resync when its time is over.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<TimedOut> {
        let mut timed_out = None;
        for client in ClientIndex::ALL {
            let overdue = self.blocks[client.slot()].take_if(|block| block.deadline() <= now);
            if let Some(block) = overdue {
                let timed_out = timed_out.get_or_insert(TimedOut { read_again: None });
                if let Some(tail) = self.block_timed_out(client, block) {
                    timed_out.read_again = Some(tail);
                }
            }
        }
        if self.resync.is_overdue(self.is_idle(), now) {
            let timed_out = timed_out.get_or_insert(TimedOut { read_again: None });
            self.resync.release(&mut self.outputs);
            if self.counting == Counting::Skipped {
                timed_out.read_again = Some(Vec::new());
                self.counting = Counting::Nothing;
                self.end_skipping();
            }
        }
        timed_out
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let blocks = self.blocks.iter().flatten().map(Block::deadline);
        blocks.chain(self.resync.deadline()).min()
    }

    pub(crate) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop()
    }

    /// No message is under way, nor the rest of a damaged one, so a command may be written.
    pub(crate) fn may_write(&self) -> bool {
        self.is_idle() && !self.resync.has_damage()
    }

    /// Drops everything under way: the module restarted or the port is gone.
    pub(crate) fn reset(&mut self, why: &str) {
        for client in ClientIndex::ALL {
            if self.blocks[client.slot()].take().is_some() {
                self.outputs.report_lost(Some(client), why.to_owned());
            }
        }
        self.resync.release(&mut self.outputs);
        self.counting = Counting::Nothing;
        self.skipped.clear();
        self.layout = Layout::default();
    }

    fn is_idle(&self) -> bool {
        self.blocks.iter().all(Option::is_none)
    }

    fn sound_header(&mut self, header: Header, position: u64, now: Instant) -> usize {
        let has_port_errors = self.port_errors.line_ends();
        let gap = std::mem::replace(&mut self.gap, Gap::of(Before::Line));
        if self.cannot_stand_behind_part(header, gap) {
            self.damage_open_blocks(LENGTH_IS_WRONG);
        }
        match header {
            Header::Start { client, topic, payload } => {
                self.start(client, topic, payload, position, now);
                if has_port_errors && let Some(block) = &mut self.blocks[client.slot()] {
                    block.note_port_errors();
                }
                0
            }
            Header::Part { part, client, length } => {
                let count = self.part(part, client, length, gap, position, now);
                if count == 0 {
                    self.counting = Counting::Nothing;
                    // The line end of the empty part is read as a blank line. Needed by
                    // `splits_of_messages::empty_payload_with_a_header_is_received`.
                    self.unspaced();
                }
                count
            }
            Header::End { client } => {
                self.end(client, gap, position, now);
                0
            }
        }
    }

    /// Decides if a header right behind a part of an open block shows that the part is damaged.
    fn cannot_stand_behind_part(&self, header: Header, gap: Gap) -> bool {
        // Behind damage it may be a header of the damaged block. Needed by
        // `resync_rules::header_of_a_damaged_message_is_no_evidence_against_the_other_client`.
        if !gap.is_behind_part() || self.resync.has_damage() {
            return false;
        }
        match header {
            // A line like any other. Needed by
            // `resync_rules::start_without_a_line_end_before_it_shows_that_a_part_lost_bytes`.
            Header::Start { .. } => gap.contradicts_line(b"+"),
            // Without an RXSTART before, it is payload that was pushed behind the count. Needed by
            // `resync_rules::header_of_a_client_without_a_message_shows_that_a_part_was_pushed_behind_its_count`.
            Header::Part { client, .. } | Header::End { client } => self.blocks[client.slot()].is_none(),
        }
    }

    fn start(&mut self, client: ClientIndex, topic: usize, payload: usize, position: u64, now: Instant) {
        self.outputs.block_begins(client);
        // Needed by `resync_rules::second_start_drops_the_first_message`.
        if self.blocks[client.slot()].is_some() {
            self.damage(client, "another message began before its +CMQTTRXEND");
        }
        if !(1..=LONGEST_TOPIC).contains(&topic) || payload > LONGEST_PAYLOAD {
            let why = format!("impossible lengths: topic {topic}, payload {payload}");
            self.outputs.report_lost(Some(client), why);
            // The client may be as wrong as the lengths. Needed by
            // `resync_rules::start_with_impossible_lengths_is_damage_of_an_unknown_message`.
            self.damage_unknown_block(position, now);
            return;
        }
        let deadline = self.time.deadline(topic + payload, now);
        self.blocks[client.slot()] = Some(Block::new(topic, payload, position, deadline));
    }

    fn part(
        &mut self,
        part: Part,
        client: ClientIndex,
        length: usize,
        gap: Gap,
        position: u64,
        now: Instant,
    ) -> usize {
        let Some(block) = &mut self.blocks[client.slot()] else {
            let deadline = self.time.deadline(LONGEST_CONTENT, now);
            let outputs = &mut self.outputs;
            let count = self.resync.part_without_block(part, client, length, position, deadline, outputs);
            self.counting = Counting::Skipped;
            return count;
        };
        let place = if part == Part::Topic { Place::Topic } else { Place::Payload };
        let is_uneven = block.is_spaced_unusually(place, gap, &mut self.layout);
        let uneven = is_uneven.then_some(SPACING_IS_WRONG);
        let Some(why) = uneven.or_else(|| block.objection_to_part(part, length)) else {
            block.begin_part(part, length, position);
            self.counting = Counting::Block(client);
            return length;
        };
        self.refuse_part(part, client, length, why, position)
    }

    /// A part came that cannot come now. Returns how many bytes are read over.
    #[cold]
    fn refuse_part(
        &mut self,
        part: Part,
        client: ClientIndex,
        length: usize,
        why: &str,
        position: u64,
    ) -> usize {
        let Some(block) = &mut self.blocks[client.slot()] else { return 0 };
        // No part is as long, so its header is damaged. Needed by
        // `resync_rules::part_longer_than_any_can_be_is_not_read_over` and
        // `end_behind_a_part_header_with_an_impossible_length_may_be_payload`.
        if length > part.longest() {
            block.header_is_damaged(position);
            self.damage(client, why);
            return 0;
        }
        // Either length may be the wrong one: no more is read over than the shorter, and the end may come after the longer.
        // Needed by `resync_rules::part_with_the_wrong_length_is_read_over_by_the_shorter_length`.
        let count = length.min(block.missing(part));
        block.part_may_end_at(position + length as u64);
        self.drop_block(client, why);
        self.counting = Counting::Skipped;
        count
    }

    fn end(&mut self, client: ClientIndex, gap: Gap, position: u64, now: Instant) {
        let Some(mut block) = self.blocks[client.slot()].take() else {
            self.end_without_block(client, position);
            return;
        };
        let is_uneven = block.is_spaced_unusually(Place::End, gap, &mut self.layout);
        if is_uneven || !block.is_whole() {
            let why = if is_uneven { SPACING_IS_WRONG.to_owned() } else { block.objection_to_end() };
            self.end_of_damaged_block(client, &block, why, position, now);
            return;
        }
        if block.has_port_errors() {
            let why = "the serial port counted errors while it came".to_owned();
            self.outputs.report_lost(Some(client), why);
            return;
        }
        let spacing = block.spacing();
        let message = block.into_message(client);
        // Inside another block it may be payload of that: the other's end will tell. Needed by
        // `damaged_blocks::damage_in_two_messages` and
        // `resync_rules::message_inside_a_damaged_one_of_the_other_client_is_not_delivered`.
        if self.resync.has_damage() || !self.is_idle() {
            self.resync.hold_message(message, position, &mut self.outputs);
            return;
        }
        self.layout.learn(spacing);
        self.resync.release(&mut self.outputs);
        self.outputs.push(Output::Message(message));
    }

    #[cold]
    fn end_without_block(&mut self, client: ClientIndex, position: u64) {
        // Only behind damage it may be payload. Needed by
        // `resync_rules::end_of_a_client_without_a_message_is_reported_while_a_line_is_held`.
        if self.resync.has_damage() {
            self.resync.end_came(client, position, &mut self.outputs);
        } else if !self.outputs.is_reported(client) {
            self.outputs.report_lost(Some(client), "nothing but its +CMQTTRXEND came".to_owned());
        }
    }

    #[cold]
    fn end_of_damaged_block(
        &mut self,
        client: ClientIndex,
        block: &Block,
        why: String,
        position: u64,
        now: Instant,
    ) {
        self.outputs.report_lost(Some(client), why);
        self.resync.block_is_damaged(client, block.span(), block.deadline());
        if !block.span().topic_is_complete() {
            // No part header came: then the RXSTART may be payload, or its lengths may be what damage left of them.
            // Needed by `damaged_blocks::gap_that_joins_two_headers`.
            self.damage_unknown_block(position, now);
        }
        self.report_overrun(client, block);
        self.resync.end_came(client, position, &mut self.outputs);
    }

    #[cold]
    fn damaged_header(&mut self, header: DamagedHeader, position: u64, now: Instant) -> usize {
        // If the line ends like a header that may come now, go on with it.
        let last = header.last.filter(|header| self.may_come_now(*header));
        self.note_damaged_header(position, header.trailing, now);
        if let Some(header) = last {
            return self.sound_header(header, position, now);
        }
        self.gap = Gap::of(Before::Line);
        self.port_errors.line_ends();
        0
    }

    /// A part longer than what is missing is not the block's. Needed by `damaged_blocks::damage_in_one_message`.
    fn may_come_now(&self, header: Header) -> bool {
        let Header::Part { part, client, length } = header else { return true };
        self.blocks[client.slot()].as_ref().is_none_or(|block| length <= block.missing(part))
    }

    /// `trailing` bytes at the end of the line at `position` stand behind the header.
    fn note_damaged_header(&mut self, position: u64, trailing: usize, now: Instant) {
        if !self.is_idle() {
            let header_end = position - trailing as u64;
            self.blocks.iter_mut().flatten().for_each(|block| block.header_is_damaged(header_end));
            self.damage_open_blocks("a header is garbled");
            return;
        }
        // Inside a damaged block of known length it is payload. Needed by
        // `resync_rules::damaged_header_inside_a_damaged_message_is_payload`.
        if self.resync.knows_a_length() {
            self.resync.note_damage(position);
            return;
        }
        if !self.resync.has_damage() {
            self.outputs.report_lost(None, "its header is garbled".to_owned());
        }
        self.damage_unknown_block(position, now);
    }

    /// Line ends that were added to a part may have pushed the rest of the part behind its count. Then the part ends with
    /// a line end, and its rest looks like an unknown line.
    ///
    /// Example: of the payload `a␍␊OK`, `a␍␊␍␊␍␊` is counted, and `OK` stands behind it. Needed by
    /// `resync_rules::unknown_line_behind_a_part_that_ends_as_a_line_was_pushed_behind_its_count`. Lines with a meaning, and
    /// those of other features, do not count: needed by `splits_of_publishes` and
    /// `resync_rules::line_of_another_feature_behind_a_part_that_ends_as_a_line_is_no_damage`.
    fn is_pushed_out(&self, line: &[u8], is_known: bool) -> bool {
        !is_known && !line.starts_with(b"+") && self.blocks.iter().flatten().any(Block::part_ends_as_line)
    }

    fn damage_open_blocks(&mut self, why: &str) {
        for client in ClientIndex::ALL {
            self.damage(client, why);
        }
    }

    fn damage(&mut self, client: ClientIndex, why: &str) {
        let Some(block) = self.drop_block(client, why) else { return };
        // If all content came, what follows is not payload. Needed by `damaged_blocks::damage_in_one_message`.
        if block.missing(Part::Payload) > 0 {
            self.resync.end_is_due();
        }
    }

    fn damage_unknown_block(&mut self, position: u64, now: Instant) {
        let deadline = self.time.deadline(LONGEST_CONTENT, now);
        self.resync.unknown_block_is_damaged(position, LONGEST_CONTENT + FRAMING_BYTES, deadline);
    }

    fn drop_block(&mut self, client: ClientIndex, why: &str) -> Option<Block> {
        let block = self.blocks[client.slot()].take()?;
        self.outputs.report_lost(Some(client), why.to_owned());
        self.suspect_restart(&block);
        self.resync.block_is_damaged(client, block.span(), block.deadline());
        self.report_overrun(client, &block);
        Some(block)
    }

    /// Returns what the framer reads again if the part was unfinished.
    fn block_timed_out(&mut self, client: ClientIndex, mut block: Block) -> Option<Vec<u8>> {
        let mut read_again = None;
        if self.counting == Counting::Block(client) {
            block.cut_part();
            // After such a silence, nothing goes on with a header. Needed by
            // `damaged_blocks::message_cut_at_any_byte_is_reported`.
            let tail = block.tail_of_part();
            let is_header = tail.starts_with(HEADER_BEGINNING);
            read_again = Some(if is_header { Vec::new() } else { tail.to_vec() });
            self.counting = Counting::Nothing;
        }
        self.outputs.report_lost(Some(client), "its +CMQTTRXEND did not come in time".to_owned());
        self.suspect_restart(&block);
        self.report_overrun(client, &block);
        read_again
    }

    /// Reports what the block's count ran over behind its end.
    fn report_overrun(&mut self, client: ClientIndex, block: &Block) {
        let Some((lines, position)) = block.lines_behind_end(client) else { return };
        for found in overrun::look_through(lines, position) {
            match found {
                Overrun::Message { client, rest } => {
                    let why = "it was counted to a damaged message".to_owned();
                    self.outputs.report_lost(Some(client), why);
                    if let Some(rest) = rest {
                        let deadline = block.deadline() + self.time.twice_on_the_wire(rest.content);
                        self.resync.another_goes_on(client, rest.span, deadline);
                    }
                }
                Overrun::Loss => self.outputs.push(Output::LossSuspected),
            }
        }
    }

    fn suspect_restart(&mut self, block: &Block) {
        if block.part_may_hold_boot_banner() {
            self.outputs.push(Output::RestartSuspected);
        }
    }

    fn end_skipping(&mut self) {
        if !self.skipped.is_empty() && may_hold_boot_banner(&std::mem::take(&mut self.skipped)) {
            self.outputs.push(Output::RestartSuspected);
        }
    }
}
