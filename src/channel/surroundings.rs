use std::time::Instant;

use super::event_queue::EventQueue;
use super::wire::Wire;

/// What the channel acts on: the line to the module, the events for the caller, and the time.
pub(super) struct Surroundings<'e> {
    pub(super) wire: &'e mut Wire,
    pub(super) events: &'e mut EventQueue,
    pub(super) now: Instant,
}
