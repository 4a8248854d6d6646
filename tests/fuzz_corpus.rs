//! Every file of the fuzzers' corpus, through the same checks: what once was found stays found.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]

#[path = "fuzz/harness/mod.rs"]
mod harness;

use std::fs;
use std::path::Path;

use arbitrary::{Arbitrary, Unstructured};

fn play_all(folder: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(folder);
    let mut played = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let named = NamedOnPanic(&path);
        check(&fs::read(&path).unwrap());
        drop(named);
        played += 1;
    }
    assert!(played > 0, "{} is empty", folder.display());
}

/// Says which file broke it, should one do so.
struct NamedOnPanic<'a>(&'a Path);

impl Drop for NamedOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("file: {}", self.0.display());
        }
    }
}

fn case<'a, C: Arbitrary<'a>>(file: &'a [u8]) -> C {
    C::arbitrary_take_rest(Unstructured::new(file)).unwrap()
}

#[test]
fn of_streams() {
    play_all("stream", |file| case::<harness::stream::Case>(file).check());
}

#[test]
fn of_channels() {
    play_all("channel", |file| case::<harness::channel::Case>(file).check());
}
