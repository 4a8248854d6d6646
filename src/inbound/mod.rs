//! Received messages: blocks are put together, and damage is detected.

pub(crate) mod block;
pub(crate) mod damage;
pub(crate) mod doubt;
pub(crate) mod header;
pub(crate) mod message;
pub(crate) mod reassembly;
pub(crate) mod topic_filter;

pub use message::ReceivedMessage;
pub use topic_filter::{is_filter, matches_filter};
