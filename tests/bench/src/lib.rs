//! Common parts of the programs of the benchmark suite.

pub mod clock;
pub mod flood;
pub mod line;
pub mod message_block;
pub mod module;
pub mod pace;
pub mod reactions;
pub mod scripted;
pub mod terminal;
