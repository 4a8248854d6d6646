//! Received messages: puts blocks together, and finds the way back after damage.

mod block;
mod block_time;
mod byte_span;
pub(crate) mod damaged_header;
mod header;
mod held;
mod message;
pub(crate) mod output;
mod overrun;
mod port_errors;
pub(crate) mod reassembly;
mod resync;
mod spacing;
mod topic_filter;

pub(crate) use header::LONGEST_PAYLOAD;
pub use message::ReceivedMessage;
pub use topic_filter::{is_filter, matches_filter};
