//! What a file of the corpus does to the protocol engine, and what must hold whatever it does.
//!
//! Used by the fuzzer, and by `cargo test`, which plays every file of the corpus.

pub mod channel;
mod rig;
pub mod stream;
mod transactions;
mod utterances;
mod well_behaved_module;
mod written;
