//! What becomes of a damaged message, and of what comes behind it.

use std::time::Instant;

use super::block::Block;
use super::doubt::{Extent, INSIDE_ANOTHER};
use super::header::{Header, Part, Remains};
use super::reassembly::{Counting, FRAMING_BYTES, LONGEST_PAYLOAD, LONGEST_TOPIC, Output, Reassembly};
use crate::at::ClientIndex;
use crate::at::urc::{Urc, may_hold_boot_banner};

impl Reassembly {
    /// A header is damaged itself: what to go on with.
    #[cold]
    pub(crate) fn garbled(&mut self, remains: Remains, position: u64, now: Instant) -> Header {
        let last = remains.last.filter(|header| self.may_come_now(*header));
        self.note_garbled(position, position - remains.run_on as u64, now);
        self.spacing_unknown();
        last.unwrap_or(Header::Garbled)
    }

    fn may_come_now(&self, header: Header) -> bool {
        let Header::Part { part, client, length } = header else { return true };
        self.blocks[client.slot()].as_ref().is_none_or(|block| length <= block.missing(part))
    }

    /// A part whose `+CMQTTRXSTART` was lost is read over by its count, so that nothing in it is taken for a line.
    pub(crate) fn orphan(
        &mut self,
        part: Part,
        client: ClientIndex,
        length: usize,
        position: u64,
        now: Instant,
    ) -> usize {
        let longest = longest(part);
        let ends_after = position + length.min(longest) as u64;
        let extent = Extent { began_at: position, ends_after, announced: false, topic_over: false };
        let known = self.doubt.as_ref().and_then(|doubt| doubt.extent_of(client));
        let belongs = match known {
            None => {
                self.lose(Some(client), "its +CMQTTRXSTART was lost".to_owned());
                self.begin_doubt(client, extent, self.deadline(LONGEST_TOPIC + LONGEST_PAYLOAD, now));
                if let Some(doubt) = &mut self.doubt {
                    doubt.identify(position);
                }
                true
            }
            Some(known) if part == Part::Topic && known.topic_over => {
                self.lose(Some(client), "its +CMQTTRXSTART was lost".to_owned());
                let is_over = position >= known.ends_after;
                if let Some(doubt) = self.doubt.as_mut().filter(|_| is_over) {
                    doubt.another_follows(client, extent);
                }
                is_over || extent.ends_after <= known.ends_after + FRAMING_BYTES as u64
            }
            // A header beyond the end of its block is payload that looks like one.
            Some(known) => !known.announced || extent.ends_after <= known.ends_after + FRAMING_BYTES as u64,
        };
        if !belongs || length > longest {
            return 0;
        }
        if let Some(doubt) = &mut self.doubt {
            doubt.extend(client, extent.ends_after);
        }
        self.counting = Counting::Skipped;
        length
    }

    /// `header_end` is where in the line at `position` the damaged header itself ends.
    fn note_garbled(&mut self, position: u64, header_end: u64, now: Instant) {
        if !self.is_idle() {
            self.blocks.iter_mut().flatten().for_each(|block| block.garbled_at(header_end));
            self.damage_open_blocks("a header is garbled");
            return;
        }
        if let Some(doubt) = self.doubt.as_mut().filter(|doubt| doubt.knows_a_whole()) {
            doubt.damage_seen(position);
            return;
        }
        if !self.doubts_damage() {
            self.lose(None, "its header is garbled".to_owned());
        }
        self.begin_anonymous_doubt(position, now);
    }

    pub(crate) fn damage_open_blocks(&mut self, why: &str) {
        for client in ClientIndex::ALL {
            self.damage(client, why);
        }
    }

    pub(crate) fn damage(&mut self, client: ClientIndex, why: &str) {
        let Some(block) = self.give_up(client, why) else { return };
        if let Some(doubt) = self.doubt.as_mut().filter(|_| block.missing(Part::Payload) > 0) {
            doubt.end_is_due();
        }
    }

    pub(crate) fn give_up(&mut self, client: ClientIndex, why: &str) -> Option<Block> {
        let block = self.blocks[client.slot()].take()?;
        self.lose(Some(client), why.to_owned());
        self.suspect_restart(&block);
        self.begin_doubt(client, block.extent, block.deadline);
        self.lose_eaten(client, &block);
        Some(block)
    }

    /// Its count may have run on, over messages and news that came behind it.
    pub(crate) fn lose_eaten(&mut self, client: ClientIndex, block: &Block) {
        let Some((bytes, position)) = block.eaten_behind_end(client) else { return };
        let mut offset = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            offset += line.len();
            let line = line.strip_suffix(b"\r\n").unwrap_or(line);
            match (Header::parse(line), Urc::parse(line)) {
                (Some(Header::Start { client, topic, payload }), _)
                    if topic <= LONGEST_TOPIC && payload <= LONGEST_PAYLOAD =>
                {
                    self.lose(Some(client), "it was counted to a damaged message".to_owned());
                    let length = topic + payload;
                    if offset + length + SHORTEST_FRAMING > bytes.len() {
                        let began_at = position + offset as u64;
                        let ends_after = began_at + length as u64;
                        let extent = Extent { began_at, ends_after, announced: true, topic_over: false };
                        let until = block.deadline + self.time_on_the_wire(length);
                        self.doubt.get_or_insert_default().continue_with(client, extent, until);
                    }
                }
                (_, Some(Urc::ConnectionLost { .. } | Urc::NoNetwork)) => {
                    self.outputs.push_back(Output::LossSuspected);
                }
                _ => {}
            }
        }
    }

    pub(crate) fn suspect_restart(&mut self, block: &Block) {
        if block.may_have_eaten_a_boot_banner() {
            self.outputs.push_back(Output::RestartSuspected);
        }
    }

    pub(crate) fn end_skipping(&mut self) {
        if self.skipped.is_empty() {
            return;
        }
        if may_hold_boot_banner(&std::mem::take(&mut self.skipped)) {
            self.outputs.push_back(Output::RestartSuspected);
        }
    }

    pub(crate) fn lose(&mut self, client: Option<ClientIndex>, why: String) {
        match client {
            Some(client) => self.reported[client.slot()] = true,
            None => self.reported = [true; 2],
        }
        self.outputs.push_back(Output::Lost { client, why });
    }

    pub(crate) fn begin_doubt(&mut self, client: ClientIndex, extent: Extent, until: Instant) {
        self.doubt.get_or_insert_default().add(client, extent, until);
    }

    pub(crate) fn begin_anonymous_doubt(&mut self, position: u64, now: Instant) {
        let longest = LONGEST_TOPIC + LONGEST_PAYLOAD + FRAMING_BYTES;
        let until = self.deadline(LONGEST_TOPIC + LONGEST_PAYLOAD, now);
        self.doubt.get_or_insert_default().add_anonymous(position, longest, until);
    }

    /// The `+CMQTTRXEND` of a block that was given up: all that was held since was its payload.
    pub(crate) fn damaged_block_ended(&mut self, client: ClientIndex, position: u64) {
        let Some(doubt) = &mut self.doubt else { return };
        let held = doubt.block_ended(client, position);
        if !doubt.is_about_damage() {
            self.doubt = None;
        }
        for output in held {
            match output {
                Output::Line(_) => self.outputs.push_back(Output::Disbelieved),
                Output::Message(message) => {
                    self.lose(Some(message.client()), INSIDE_ANOTHER.to_owned());
                }
                other => drop(other),
            }
        }
    }

    pub(crate) fn hold(&mut self, output: Output, message_ended_at: Option<u64>) {
        let doubt = self.doubt.get_or_insert_default();
        doubt.hold(output, message_ended_at);
        if doubt.is_full() {
            self.release();
        }
    }

    pub(crate) fn release(&mut self) {
        let Some(doubt) = self.doubt.take() else { return };
        for output in doubt.end_unsettled() {
            match output {
                Output::Lost { client, why } => self.lose(client, why),
                output => self.outputs.push_back(output),
            }
        }
    }
}

/// Of a message with a topic of one byte and a payload as short.
const SHORTEST_FRAMING: usize =
    b"+CMQTTRXTOPIC: 0,1\r\n\r\n+CMQTTRXPAYLOAD: 0,1\r\n\r\n+CMQTTRXEND: 0\r\n".len();

pub(crate) fn longest(part: Part) -> usize {
    if part == Part::Topic { LONGEST_TOPIC } else { LONGEST_PAYLOAD }
}
