//! The events of the driver must not depend on how a stream is cut into reads.

use simcom_mqtt::channel::Counters;

use super::{NamedOnPanic, Reads, ScriptedModule};

/// Plays the script whole, byte by byte, and cut in two at every byte, and compares the events.
pub fn at_every_split(script: impl Fn(&mut ScriptedModule)) {
    let (expected, length) = byte_by_byte_after_whole(&script);
    for cut in 1..length {
        compare(&script, Reads::Cut(vec![cut]), &expected);
    }
}

/// Also cuts in three at every two bytes, for short streams.
pub fn at_every_two_splits(script: impl Fn(&mut ScriptedModule)) {
    let (expected, length) = byte_by_byte_after_whole(&script);
    for first in 1..length {
        for second in first..length {
            compare(&script, Reads::Cut(vec![first, second]), &expected);
        }
    }
}

/// Plays the script whole and byte by byte only, for long streams.
pub fn byte_by_byte(script: impl Fn(&mut ScriptedModule)) {
    byte_by_byte_after_whole(&script);
}

type History = (Vec<String>, Counters);

fn byte_by_byte_after_whole(script: &impl Fn(&mut ScriptedModule)) -> (History, usize) {
    let mut module = ScriptedModule::new();
    script(&mut module);
    let expected = module.history();
    compare(script, Reads::Single, &expected);
    (expected, module.bytes_sent())
}

fn compare(script: &impl Fn(&mut ScriptedModule), reads: Reads, expected: &History) {
    let named = NamedOnPanic(format!("reads: {reads:?}"));
    let mut module = ScriptedModule::reading(reads);
    script(&mut module);
    assert_eq!(&module.history(), expected, "{}", named.0);
}
