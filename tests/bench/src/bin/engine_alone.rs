//! The protocol engine without a port: `engine-alone PAYLOAD_SIZE COUNT` takes that many messages, and prints the
//! time and the number of bytes as a line of JSON.

use std::hint::black_box;
use std::time::Instant;

use simcom_mqtt_bench::scripted;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let [size, count] = &words[..] else { return Err("usage: engine-alone PAYLOAD_SIZE COUNT".into()) };
    let (size, count) = (size.parse()?, count.parse()?);
    let stream = scripted::stream(size, count);
    let mut engine = scripted::opened_engine(Instant::now());
    // The first run allocates the memory.
    scripted::receive(&mut engine, &stream, Instant::now());
    let began = Instant::now();
    let received = scripted::receive(&mut engine, black_box(&stream), began);
    let elapsed = began.elapsed();
    assert_eq!(received, count);
    println!("{{\"nanoseconds\": {}, \"bytes\": {}}}", elapsed.as_nanos(), stream.len());
    Ok(())
}
