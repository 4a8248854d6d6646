//! Any bytes at all on the line, read in any pieces.
#![no_main]
#![allow(dead_code, reason = "the other target uses the rest of the harness")]

#[path = "../harness/mod.rs"]
mod harness;

libfuzzer_sys::fuzz_target!(|case: harness::stream::Case| case.check());
