//! Common parts of the protocol tests: a module that the test plays on a simulated clock, and the bytes it sends.

mod answers;
mod blocks;
mod damage;
mod firmware;
mod named_on_panic;
mod readable;
mod scripted_module;
mod splitting;

pub use answers::{result_line, then};
pub use blocks::{Block, Spacing, awkward_payloads};
pub use damage::Damage;
pub use firmware::{Firmware, Gap};
pub use named_on_panic::NamedOnPanic;
pub use readable::Readable;
pub use scripted_module::{Reads, ScriptedModule, failed, publish};
pub use splitting::{at_every_split, at_every_two_splits, byte_by_byte};
