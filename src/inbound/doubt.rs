//! What came since a message was found damaged, and may be the rest of its payload: held until that is known.

use std::time::Instant;

use super::reassembly::Output;
use crate::at::ClientIndex;

/// More than the lines of the longest payload.
const MOST_HELD: usize = 8192;
const MOST_HELD_BYTES: usize = 1 << 20;
/// With a blank line before it.
const LONGEST_PART_HEADER: u64 = b"\r\n+CMQTTRXPAYLOAD: 0,10240\r\n".len() as u64;
pub(crate) const INSIDE_ANOTHER: &str = "it came inside a damaged message";

#[derive(Debug, Default)]
pub(crate) struct Doubt {
    /// The clients whose damaged block has not come to its end.
    damaged: [Option<Extent>; 2],
    anonymous: Option<Anonymous>,
    signs: Signs,
    until: Option<Instant>,
    held: Vec<Held>,
    held_bytes: usize,
}

/// A block that could not even be told to belong to one of the clients: any end may be a line of its payload.
#[derive(Debug)]
struct Anonymous {
    began_at: u64,
    /// Until an end came, which may have been its own.
    ends_before: u64,
}

/// Of damage in more than one place: then the end may be gone as well, which shows what is payload.
#[derive(Debug, Default)]
struct Signs {
    seen: u32,
    /// A header of a known block is garbled, and no end came since.
    end_is_due: bool,
}

#[derive(Debug)]
struct Held {
    output: Output,
    message_ended_at: Option<u64>,
}

/// Where a damaged block ends at the earliest, unless bytes of it are missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) began_at: u64,
    pub(crate) ends_after: u64,
    /// By its `+CMQTTRXSTART`; else by the parts that have come so far.
    pub(crate) announced: bool,
    /// Its topic was complete, so that another topic is another message's.
    pub(crate) topic_over: bool,
}

impl Doubt {
    /// Not only an unknown line or a prompt inside a block that may well be sound.
    pub(crate) fn is_about_damage(&self) -> bool {
        self.anonymous.is_some() || self.damaged.iter().any(Option::is_some)
    }

    /// How long a damaged block is, so that a garbled header is one of its own.
    pub(crate) fn knows_a_whole(&self) -> bool {
        self.damaged.iter().flatten().any(|extent| extent.announced)
    }

    pub(crate) fn extent_of(&self, client: ClientIndex) -> Option<Extent> {
        self.damaged[client.slot()]
    }

    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    pub(crate) fn add(&mut self, client: ClientIndex, extent: Extent, until: Instant) {
        self.damage_seen(extent.began_at);
        let known = &mut self.damaged[client.slot()];
        let announced = extent.announced || known.is_some_and(|known| known.announced);
        let topic_over = extent.topic_over || known.is_some_and(|known| known.topic_over);
        let ends_after = known.map_or(extent.ends_after, |known| known.ends_after.max(extent.ends_after));
        *known = Some(Extent { ends_after, announced, topic_over, ..extent });
        self.until = self.until.max(Some(until));
    }

    /// Another part of it came.
    pub(crate) fn extend(&mut self, client: ClientIndex, ends_after: u64) {
        if let Some(extent) = &mut self.damaged[client.slot()] {
            extent.ends_after = extent.ends_after.max(ends_after);
        }
    }

    /// The damaged block is over, and so is the next one damaged.
    pub(crate) fn another_follows(&mut self, client: ClientIndex, extent: Extent) {
        self.damaged[client.slot()] = Some(extent);
    }

    /// A damaged block ate the beginning of another one, whose rest is still to come.
    pub(crate) fn continue_with(&mut self, client: ClientIndex, extent: Extent, until: Instant) {
        self.another_follows(client, extent);
        self.until = self.until.max(Some(until));
    }

    pub(crate) fn add_anonymous(&mut self, position: u64, longest: usize, until: Instant) {
        self.damage_seen(position);
        let ends_before = position + longest as u64;
        self.anonymous.get_or_insert(Anonymous { began_at: position, ends_before }).ends_before = ends_before;
        self.until = self.until.max(Some(until));
    }

    /// A header of a block whose length is known is garbled.
    pub(crate) fn end_is_due(&mut self) {
        self.signs.end_is_due = true;
    }

    /// What looks like damage before the end of a damaged block is its payload.
    pub(crate) fn damage_seen(&mut self, position: u64) {
        if position >= self.missing_until() {
            self.signs.seen += 1;
        }
    }

    /// A part came whose header ends at `position`: right behind the garbled header, it tells whose that was.
    pub(crate) fn identify(&mut self, position: u64) {
        self.anonymous.take_if(|anonymous| position <= anonymous.began_at + LONGEST_PART_HEADER);
    }

    /// A `+CMQTTRXEND` at `position`: all that was held was payload. It may be payload itself, if it comes too early.
    pub(crate) fn block_ended(&mut self, client: ClientIndex, position: u64) -> Vec<Output> {
        let extent = &mut self.damaged[client.slot()];
        if extent.is_none() && self.anonymous.is_none() {
            return Vec::new();
        }
        // Of a block whose length is not known, lines that were held may be payload with more of it to come.
        let is_accounted_for = |extent: &Extent| extent.announced || self.held.is_empty();
        if extent.take_if(|extent| position >= extent.ends_after && is_accounted_for(extent)).is_some() {
            self.signs.end_is_due = false;
        }
        if let Some(anonymous) = &mut self.anonymous {
            anonymous.ends_before = position;
        }
        self.take_held().map(|held| held.output).collect()
    }

    pub(crate) fn hold(&mut self, output: Output, message_ended_at: Option<u64>) {
        self.held_bytes += match &output {
            Output::Line(line) => line.len(),
            Output::Message(message) => message.size(),
            _ => 0,
        };
        self.held.push(Held { output, message_ended_at });
    }

    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= MOST_HELD || self.held_bytes >= MOST_HELD_BYTES
    }

    /// No end came in time. Then a message that fits into what a damaged one misses may be its payload.
    pub(crate) fn end_unsettled(mut self) -> impl Iterator<Item = Output> {
        let end_may_be_lost = self.signs.end_is_due || self.signs.seen > 1;
        let missing_until = if end_may_be_lost { self.missing_until() } else { 0 };
        self.take_held().map(move |held| match held.output {
            Output::Message(message)
                if held.message_ended_at.is_some_and(|at| at <= missing_until + LONGEST_PART_HEADER) =>
            {
                Output::Lost { client: Some(message.client()), why: INSIDE_ANOTHER.to_owned() }
            }
            output => output,
        })
    }

    fn missing_until(&self) -> u64 {
        let extents = self.damaged.iter().flatten().map(|extent| extent.ends_after);
        let anonymous = self.anonymous.as_ref().map(|anonymous| anonymous.ends_before);
        extents.chain(anonymous).max().unwrap_or(0)
    }

    fn take_held(&mut self) -> impl Iterator<Item = Held> + use<> {
        self.held_bytes = 0;
        std::mem::take(&mut self.held).into_iter()
    }
}
