//! Puts received messages together, and decides which of the lines around a damaged one may be believed.
//!
//! A block that is structurally sound is delivered. Where one is not, what follows may be the rest of its payload, and a
//! payload may look like anything. So from the damage on, every line, prompt and message is **held** until the damaged
//! block's own `+CMQTTRXEND` shows that it was payload (dropped, and reported), or its time is over (released in order).
//! A `+CMQTTRXEND` that comes before the announced bytes have gone by may itself be payload: it does not end the doubt.
//! Where that end may be gone as well, a message that fits into the bytes that are missing is not released.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::block::Block;
use super::damage::longest;
use super::doubt::Doubt;
use super::header::{Header, Part};
use crate::at::ClientIndex;
use crate::inbound::ReceivedMessage;

pub(crate) const LONGEST_TOPIC: usize = 1024;
pub(crate) const LONGEST_PAYLOAD: usize = 10_240;
/// From `+CMQTTRXSTART` to `+CMQTTRXEND`, beside twice the time the bytes take on the wire.
const BLOCK_TIME: Duration = Duration::from_secs(2);
/// Headers, line ends and other lines of a block.
pub(crate) const FRAMING_BYTES: usize = 256;

/// What the engine does next, in order.
#[derive(Debug)]
pub(crate) enum Output {
    Message(ReceivedMessage),
    Lost {
        client: Option<ClientIndex>,
        why: String,
    },
    /// A boot banner may be among the bytes of a message that was cut short.
    RestartSuspected,
    /// `+CMQTTCONNLOST` or `+CMQTTNONET` may be among them.
    LossSuspected,
    /// Held before, believed now.
    Line(Vec<u8>),
    Prompt,
    /// Held before, and part of a damaged message after all.
    Disbelieved,
}

/// What becomes of a line that is no header of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Believed,
    Held,
}

#[derive(Debug)]
pub(crate) struct Reassembly {
    pub(crate) blocks: [Option<Block>; 2],
    pub(crate) doubt: Option<Doubt>,
    pub(crate) outputs: VecDeque<Output>,
    pub(crate) counting: Counting,
    /// What was read over, for a module that restarts has its boot banner counted to it.
    pub(crate) skipped: Vec<u8>,
    /// Clients whose last block was reported already, so that its late `+CMQTTRXEND` is no news.
    pub(crate) reported: [bool; 2],
    /// Blank lines since the last line or counted part; `None` where a prompt or an echo makes that meaningless.
    blanks: Option<u8>,
    after_part: bool,
    /// The port's driver counted errors in the input that the current line is made of.
    line_is_damaged: bool,
    /// The port's driver counted errors in the input that is being read.
    input_is_damaged: bool,
    seconds_per_byte: f64,
}

/// A message was given up for its time was over.
#[derive(Debug)]
pub(crate) struct GivenUp {
    /// The beginning of the line that an unfinished counted part ate, if one did.
    pub(crate) eaten: Option<Vec<u8>>,
}

/// Whose counted bytes are being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    Nothing,
    Block(ClientIndex),
    /// A part of a block that is damaged: read over, so that nothing in it is taken for a line.
    Skipped,
}

impl Reassembly {
    pub(crate) fn new(baudrate: u32) -> Self {
        Self {
            blocks: [None, None],
            doubt: None,
            outputs: VecDeque::new(),
            counting: Counting::Nothing,
            skipped: Vec::new(),
            reported: [false; 2],
            blanks: Some(0),
            after_part: false,
            line_is_damaged: false,
            input_is_damaged: false,
            seconds_per_byte: 10.0 / f64::from(baudrate.max(1)),
        }
    }

    /// No message is under way, nor the rest of a damaged one, so a command may be written.
    pub(crate) fn may_write(&self) -> bool {
        self.is_idle() && !self.doubts_damage()
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.blocks.iter().all(Option::is_none)
    }

    pub(crate) fn doubts_damage(&self) -> bool {
        self.doubt.as_ref().is_some_and(Doubt::is_about_damage)
    }

    pub(crate) fn has_output(&self) -> bool {
        !self.outputs.is_empty()
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let blocks = self.blocks.iter().flatten().map(|block| block.deadline);
        blocks.chain(self.doubt.as_ref().and_then(Doubt::until)).min()
    }

    /// Everything under way is void: the module rebooted or the port is gone.
    pub(crate) fn reset(&mut self, why: &str) {
        for client in ClientIndex::ALL {
            if self.blocks[client.slot()].take().is_some() {
                self.lose(Some(client), why.to_owned());
            }
        }
        self.release();
        self.counting = Counting::Nothing;
        self.skipped.clear();
    }

    /// Marks the open blocks, and those that begin from now on, as damaged: the system counted errors somewhere in the input
    /// that follows. A damaged block is still read by its counts, but is lost instead of delivered.
    pub(crate) fn begin_damaged_input(&mut self) {
        self.input_is_damaged = true;
        self.line_is_damaged = true;
        self.blocks.iter_mut().flatten().for_each(Block::mark_damaged);
    }

    /// A line that began in the damaged input and goes on in the next one stays damaged.
    pub(crate) fn end_damaged_input(&mut self) {
        self.input_is_damaged = false;
    }

    pub(crate) fn blank(&mut self) {
        self.line_is_damaged = self.input_is_damaged;
        self.blanks = self.blanks.map(|count| count.saturating_add(1));
    }

    /// A prompt, an echo or anything else that does not keep to CR LF text CR LF.
    pub(crate) fn spacing_unknown(&mut self) {
        self.blanks = None;
        self.after_part = false;
    }

    /// How many counted bytes follow this header, if any. `position` is where its line ends in the stream.
    pub(crate) fn header(&mut self, header: Header, position: u64, now: Instant) -> Option<usize> {
        let blanks = self.blanks.replace(0);
        let line_is_damaged = std::mem::replace(&mut self.line_is_damaged, self.input_is_damaged);
        self.after_part = false;
        match header {
            Header::Start { client, topic, payload } => {
                self.start(client, topic, payload, position, now);
                if line_is_damaged && let Some(block) = &mut self.blocks[client.slot()] {
                    block.mark_damaged();
                }
                None
            }
            Header::Part { part, client, length } => {
                let count = self.part(part, client, length, blanks, position, now);
                if count == 0 {
                    self.counting = Counting::Nothing;
                    self.spacing_unknown();
                    return None;
                }
                Some(count)
            }
            Header::End { client } => {
                self.end(client, blanks, position, now);
                None
            }
            Header::Garbled => None,
        }
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

    /// The counted bytes are over. If no line end followed them, returns the beginning of the line they ate.
    pub(crate) fn counted_end(&mut self, intact: bool) -> Vec<u8> {
        let counting = std::mem::replace(&mut self.counting, Counting::Nothing);
        self.blanks = Some(0);
        self.after_part = true;
        self.end_skipping();
        if intact {
            return Vec::new();
        }
        self.spacing_unknown();
        let Counting::Block(client) = counting else { return Vec::new() };
        let Some(block) = &mut self.blocks[client.slot()] else { return Vec::new() };
        block.cut_part();
        let tail = block.eaten_tail();
        self.damage(client, "its length does not agree with its bytes");
        tail
    }

    /// A line that is no header: may it be believed now?
    pub(crate) fn line(&mut self, line: &[u8], is_known: bool, is_echo: bool) -> Fate {
        self.line_is_damaged = self.input_is_damaged;
        let blanks = if is_echo { None } else { self.blanks };
        self.blanks = if is_echo { None } else { Some(0) };
        let after_part = std::mem::take(&mut self.after_part);
        if self.doubt.is_none() && self.is_idle() {
            return Fate::Believed;
        }
        // Every line but NMEA has exactly one CR LF before it; else a counted part has eaten it, or bytes were added.
        let spaced = blanks.is_none_or(|count| count == 1 || (count == 0 && line.starts_with(b"$")));
        if after_part && (!spaced || self.may_be_pushed_out(line, is_known)) {
            self.damage_open_blocks("its length does not agree with its bytes");
        }
        if self.doubt.is_none() && is_known {
            return Fate::Believed;
        }
        self.hold(Output::Line(line.to_vec()), None);
        Fate::Held
    }

    /// Line ends that were added to a part may have pushed its rest behind the count: then it ends as a line does.
    fn may_be_pushed_out(&self, line: &[u8], is_known: bool) -> bool {
        !is_known && !line.starts_with(b"+") && self.blocks.iter().flatten().any(Block::ends_as_line)
    }

    /// A prompt: believed at once only outside a block, since a payload may hold a `>`.
    pub(crate) fn prompt(&mut self) -> Fate {
        let unspaced = self.after_part && self.blanks.is_some_and(|count| count != 1);
        self.spacing_unknown();
        if self.doubt.is_none() && self.is_idle() {
            return Fate::Believed;
        }
        if unspaced {
            self.damage_open_blocks("its length does not agree with its bytes");
        }
        self.hold(Output::Prompt, None);
        Fate::Held
    }

    /// Gives up what is overdue.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Option<GivenUp> {
        let mut given_up = false;
        let mut eaten = None;
        for client in ClientIndex::ALL {
            if self.blocks[client.slot()].as_ref().is_none_or(|block| block.deadline > now) {
                continue;
            }
            if let Some(mut block) = self.blocks[client.slot()].take() {
                if self.counting == Counting::Block(client) {
                    block.cut_part();
                    // Whatever comes after such a silence, it is not the rest of a header.
                    let tail = block.eaten_tail();
                    eaten = Some(if tail.starts_with(b"+CMQTTRX") { Vec::new() } else { tail });
                    self.counting = Counting::Nothing;
                }
                self.lose(Some(client), "its +CMQTTRXEND did not come in time".to_owned());
                self.suspect_restart(&block);
                self.lose_eaten(client, &block);
            }
            given_up = true;
        }
        let until = self.doubt.as_ref().map(Doubt::until);
        if until.is_some_and(|until| until.map_or(self.is_idle(), |until| until <= now)) {
            self.release();
            if self.counting == Counting::Skipped {
                eaten = Some(Vec::new());
                self.counting = Counting::Nothing;
                self.end_skipping();
            }
            given_up = true;
        }
        given_up.then_some(GivenUp { eaten })
    }

    fn start(&mut self, client: ClientIndex, topic: usize, payload: usize, position: u64, now: Instant) {
        self.reported[client.slot()] = false;
        if self.blocks[client.slot()].is_some() {
            self.damage(client, "another message began before its +CMQTTRXEND");
        }
        if !(1..=LONGEST_TOPIC).contains(&topic) || payload > LONGEST_PAYLOAD {
            self.lose(Some(client), format!("impossible lengths: topic {topic}, payload {payload}"));
            self.begin_anonymous_doubt(position, now);
            return;
        }
        let deadline = self.deadline(topic + payload, now);
        self.blocks[client.slot()] = Some(Block::new(topic, payload, position, deadline));
    }

    fn part(
        &mut self,
        part: Part,
        client: ClientIndex,
        length: usize,
        blanks: Option<u8>,
        position: u64,
        now: Instant,
    ) -> usize {
        let Some(block) = &mut self.blocks[client.slot()] else {
            return self.orphan(part, client, length, position, now);
        };
        if let Some(why) = block.objects_to(part, length, blanks) {
            if length > longest(part) {
                block.garbled_at(position);
                self.damage(client, why);
                return 0;
            }
            // Either length may be the wrong one, so no more is read over than the shorter, and the end may come later.
            let count = length.min(block.missing(part));
            block.extent.ends_after = block.extent.ends_after.max(position + length as u64);
            self.give_up(client, why);
            self.counting = Counting::Skipped;
            return count;
        }
        block.begin_part(part, length, position);
        self.counting = Counting::Block(client);
        length
    }

    fn end(&mut self, client: ClientIndex, blanks: Option<u8>, position: u64, now: Instant) {
        let Some(mut block) = self.blocks[client.slot()].take() else {
            if self.doubt.is_some() {
                self.damaged_block_ended(client, position);
            } else if !self.reported[client.slot()] {
                self.lose(Some(client), "nothing but its +CMQTTRXEND came".to_owned());
            }
            return;
        };
        if let Some(why) = block.objects_to_end(blanks) {
            self.lose(Some(client), why);
            self.begin_doubt(client, block.extent, block.deadline);
            if !block.extent.topic_over {
                // Both headers are gone: its lengths may be what the gap left of them.
                self.begin_anonymous_doubt(position, now);
            }
            self.lose_eaten(client, &block);
            self.damaged_block_ended(client, position);
            return;
        }
        if block.is_damaged() {
            self.lose(Some(client), "the serial port counted errors while it came".to_owned());
            return;
        }
        let message = Output::Message(block.into_message(client));
        // Inside another block it may be that one's payload: its end will tell.
        if self.doubts_damage() || !self.is_idle() {
            self.hold(message, Some(position));
            return;
        }
        self.release();
        self.outputs.push_back(message);
    }

    pub(crate) fn deadline(&self, bytes: usize, now: Instant) -> Instant {
        now + BLOCK_TIME + self.time_on_the_wire(bytes)
    }

    /// Twice what they take.
    pub(crate) fn time_on_the_wire(&self, bytes: usize) -> Duration {
        #[allow(clippy::cast_precision_loss)] // at most 11,520
        let seconds = 2.0 * self.seconds_per_byte * (bytes + FRAMING_BYTES) as f64;
        Duration::from_secs_f64(seconds.min(600.0))
    }
}
