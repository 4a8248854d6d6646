//! Lines, prompts and messages of which it is not known yet if they are part of a damaged message.

use super::message::ReceivedMessage;

/// More than the lines of the longest payload.
const MOST_HELD: usize = 8192;
const MOST_HELD_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(crate) enum Held {
    Line(Vec<u8>),
    Prompt,
    Message { message: ReceivedMessage, ended_at: u64 },
}

/// In the order in which they came, and bounded.
#[derive(Debug, Default)]
pub(crate) struct HeldItems {
    items: Vec<Held>,
    bytes: usize,
}

impl HeldItems {
    pub(crate) fn push(&mut self, item: Held) {
        self.bytes += match &item {
            Held::Line(line) => line.len(),
            Held::Message { message, .. } => message.size(),
            Held::Prompt => 0,
        };
        self.items.push(item);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.items.len() >= MOST_HELD || self.bytes >= MOST_HELD_BYTES
    }

    pub(crate) fn take(&mut self) -> impl Iterator<Item = Held> + use<> {
        self.bytes = 0;
        std::mem::take(&mut self.items).into_iter()
    }
}
