//! The sans-IO core alone: received messages by size, and one publish on scripted bytes.
//!
//! `cargo bench --manifest-path tests/bench/Cargo.toml`

use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use simcom_mqtt_bench::scripted;

const STREAM: usize = 1 << 20;
const FRAMING: usize = 110;

fn received_messages(criterion: &mut Criterion) {
    let now = Instant::now();
    for (unit, sizes) in [("bytes", &[10_240][..]), ("messages", &[1, 10, 100, 1_000, 10_240])] {
        let mut group = criterion.benchmark_group(format!("receive/{unit}"));
        for &size in sizes {
            let count = STREAM / (size + FRAMING);
            let stream = scripted::stream(size, count);
            let amount = if unit == "bytes" {
                Throughput::Bytes(stream.len() as u64)
            } else {
                Throughput::Elements(count as u64)
            };
            group.throughput(amount);
            group.bench_with_input(BenchmarkId::from_parameter(size), &stream, |bencher, stream| {
                let mut engine = scripted::opened_engine(now);
                bencher.iter(|| assert_eq!(scripted::receive(&mut engine, black_box(stream), now), count));
            });
        }
    }
}

fn one_publish(criterion: &mut Criterion) {
    let now = Instant::now();
    let mut engine = scripted::opened_engine(now);
    criterion.bench_function("publish/64 B", |bencher| {
        bencher.iter(|| assert!(scripted::publish(&mut engine, black_box(&[b'x'; 64]), now)));
    });
}

criterion_group!(benches, received_messages, one_publish);
criterion_main!(benches);
