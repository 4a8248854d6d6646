//! What came since a message was found damaged, and may be the rest of its payload: held until that is known.

use std::time::Instant;

use super::ClientIndex;
use super::reassembly::Output;

/// More than the lines of the longest payload.
const MOST_HELD: usize = 8192;
const MOST_HELD_BYTES: usize = 1 << 20;

#[derive(Debug, Default)]
pub(crate) struct Doubt {
    /// The clients whose damaged block has not come to its end.
    damaged: [Option<Extent>; 2],
    /// The block could not even be told to belong to one of them.
    anonymous: bool,
    until: Option<Instant>,
    held: Vec<Output>,
    held_bytes: usize,
}

/// Where a damaged block ends at the earliest, unless bytes of it are missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    pub(crate) ends_after: u64,
    /// By its `+CMQTTRXSTART`; else by the parts that have come so far.
    pub(crate) announced: bool,
    /// Its topic was complete, so that another topic is another message's.
    pub(crate) topic_over: bool,
}

impl Doubt {
    /// Not only an unknown line or a prompt inside a block that may well be sound.
    pub(crate) fn is_about_damage(&self) -> bool {
        self.anonymous || self.damaged.iter().any(Option::is_some)
    }

    pub(crate) fn extent_of(&self, client: ClientIndex) -> Option<Extent> {
        self.damaged[client.slot()]
    }

    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    pub(crate) fn add(&mut self, client: ClientIndex, extent: Extent, until: Instant) {
        let known = &mut self.damaged[client.slot()];
        let announced = extent.announced || known.is_some_and(|known| known.announced);
        let topic_over = extent.topic_over || known.is_some_and(|known| known.topic_over);
        let ends_after = known.map_or(extent.ends_after, |known| known.ends_after.max(extent.ends_after));
        *known = Some(Extent { ends_after, announced, topic_over });
        self.until = self.until.max(Some(until));
    }

    /// Another part of it came.
    pub(crate) fn extend(&mut self, client: ClientIndex, ends_after: u64) {
        if let Some(extent) = &mut self.damaged[client.slot()] {
            extent.ends_after = extent.ends_after.max(ends_after);
        }
    }

    pub(crate) fn add_anonymous(&mut self, until: Instant) {
        self.anonymous = true;
        self.until = self.until.max(Some(until));
    }

    /// A `+CMQTTRXEND` at `position`: all that was held was payload. It may be payload itself, if it comes too early.
    pub(crate) fn block_ended(&mut self, client: ClientIndex, position: u64) -> Vec<Output> {
        let extent = self.damaged[client.slot()];
        if extent.is_none() && !self.anonymous {
            return Vec::new();
        }
        if extent.is_none_or(|extent| position >= extent.ends_after) {
            self.damaged[client.slot()] = None;
            self.anonymous = false;
        }
        self.take_held()
    }

    pub(crate) fn hold(&mut self, output: Output) {
        self.held_bytes += match &output {
            Output::Line(line) => line.len(),
            Output::Message(message) => message.size(),
            _ => 0,
        };
        self.held.push(output);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= MOST_HELD || self.held_bytes >= MOST_HELD_BYTES
    }

    pub(crate) fn take_held(&mut self) -> Vec<Output> {
        self.held_bytes = 0;
        std::mem::take(&mut self.held)
    }
}
