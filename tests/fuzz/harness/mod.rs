//! Plays a file of the corpus on the protocol engine, and checks the invariants.
//!
//! Used by the fuzzer, and by `cargo test`, which plays every file of the corpus.

pub mod channel;
mod engine_bench;
mod module_output;
pub mod stream;
mod transactions;
mod well_behaved_module;
mod written;
