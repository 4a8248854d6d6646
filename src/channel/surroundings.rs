//! The things that every step of the channel acts on.

use std::time::Instant;

use super::event_queue::EventQueue;
use super::wire::Wire;

/// The line to the module, the events for the caller, and the time.
pub(super) struct Surroundings<'e> {
    pub(super) wire: &'e mut Wire,
    pub(super) events: &'e mut EventQueue,
    pub(super) now: Instant,
}
