//! Workload for callgrind: `count-instructions receive-100|receive-10240|publish-64`; only calls of `counted` count.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use simcom_mqtt_bench::scripted;

/// So many repetitions that one-time work does not matter.
const REPETITIONS: usize = 100;

fn main() -> ExitCode {
    let now = Instant::now();
    let mut engine = scripted::opened_engine(now);
    match std::env::args().nth(1).as_deref() {
        Some("receive-100") => {
            let stream = scripted::stream(100, REPETITIONS);
            counted(&mut || assert_eq!(scripted::receive(&mut engine, black_box(&stream), now), REPETITIONS));
        }
        Some("receive-10240") => {
            let stream = scripted::stream(10_240, REPETITIONS);
            counted(&mut || assert_eq!(scripted::receive(&mut engine, black_box(&stream), now), REPETITIONS));
        }
        Some("publish-64") => counted(&mut || {
            for _ in 0..REPETITIONS {
                assert!(scripted::publish(&mut engine, black_box(&[b'x'; 64]), now));
            }
        }),
        _ => {
            eprintln!("usage: count-instructions receive-100|receive-10240|publish-64");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Callgrind finds this function by its name.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
    black_box(());
}
