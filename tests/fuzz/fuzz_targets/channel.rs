//! Commands, time, a port that blocks, and a module that says anything at any moment.
#![no_main]
#![allow(dead_code, reason = "the other target uses the rest of the harness")]

#[path = "../harness/mod.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|case: harness::channel::Case| case.check());
