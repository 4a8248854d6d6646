//! Received messages: puts blocks together, and finds the way back after damage.
//!
//! The module sends a message as a block. Topic and payload may hold anything, so they are taken by count. `␍␊` is a
//! line end:
//!
//! ```text
//!   ␍␊+CMQTTRXSTART: 0,3,9␍␊             client 0, 3 bytes of topic, 9 of payload
//!   +CMQTTRXTOPIC: 0,3␍␊ t/1 ␍␊           a part: its header, its counted bytes, a line end
//!   +CMQTTRXPAYLOAD: 0,5␍␊ hello ␍␊       a long payload, and a long topic, come in several parts
//!   +CMQTTRXPAYLOAD: 0,4␍␊  you ␍␊
//!   +CMQTTRXEND: 0␍␊
//! ```
//!
//! Bytes can be lost, added or altered on the line, which has no checksum. Inventing a message is worse than losing one.
//! So a block that breaks a rule is dropped and reported, and what comes behind the damage is not trusted at once:
//!
//! ```text
//!   +CMQTTRXSTART: 0,3,49␍␊+CMQTTRXTOPIC: 0,3␍␊ t/1 ␍␊+CMQTTRXPAYLOAx; 0,49␍␊ OK␍␊+CMQTTRXEND: 0␍␊ … ␍␊+CMQTTRXEND: 0␍␊
//!   |<------------ read by the rules ------------->|  |<--- damage --->||<-- 49 bytes, read as lines: -->||<-- the end -->|
//!                                                                       |<-- held, then dropped ------->|
//! ```
//!
//! The first `+CMQTTRXEND: 0` comes before the announced bytes have come, so it is payload; the second one is the end.
//!
//! | file | decides |
//! |---|---|
//! | `header`, `damaged_header` | which lines are headers, or what damage left of one |
//! | `block` | which header may come next, and if the block is whole |
//! | `spacing` | if the blank lines around a part show that the part is damaged |
//! | `reassembly` | what each element of the stream is; drops damaged blocks |
//! | `resync`, `byte_span`, `held` | which lines and messages behind the damage to trust |
//! | `overrun` | what the count of a damaged part took that was not its own |
//!
//! Each rule names the test that needs it. Those of `resync_rules` show one example for each rule, byte by byte.

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
