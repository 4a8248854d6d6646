//! The physical limit: a host that discards the bytes it reads.
//!
//! `bare-host read PORT PAYLOAD_SIZE COUNT`, `bare-host publish PORT COUNT PAYLOAD_SIZE` and `bare-host poll
//! PAYLOAD_SIZE COUNT PORT...` print `ready`, wait for a line and then start. The answer is a line of JSON. The input
//! is the peer's flood of that many messages.

use std::io::{BufRead, Write, stdin, stdout};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use simcom_mqtt_bench::clock;
use simcom_mqtt_bench::flood::Flood;
use simcom_mqtt_bench::module::publish_pieces;
use simcom_mqtt_bench::reactions::Reactions;
use simcom_mqtt_bench::terminal::open_raw;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["read", port, size, count] => read(port, size, count),
        ["publish", port, count, size] => publish(port, count, size),
        ["poll", size, count, ref ports @ ..] => poll_ports(ports, size, count),
        _ => Err("usage: bare-host read|publish|poll …, see its source".into()),
    };
    match result.and_then(|answer| tell(&answer)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bare-host: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(port: &str, size: &str, count: &str) -> Result<String, Failure> {
    let port = open_raw(Path::new(port))?;
    let mut remaining = Flood::new(size.parse()?, count.parse()?).length();
    let mut buffer = vec![0; 64 * 1024];
    wait_for_start()?;
    while remaining > 0 {
        remaining = remaining.saturating_sub(rustix::io::read(&port, &mut buffer)? as u64);
    }
    Ok(format!("{{\"ended_ns\": {}}}", clock::monotonic()))
}

fn publish(port: &str, count: &str, size: &str) -> Result<String, Failure> {
    let port = open_raw(Path::new(port))?;
    let pieces = publish_pieces(0, b"bench/topic", &vec![b'x'; size.parse()?]);
    let expected: [&[u8]; 5] =
        [b"\r\n>", b"\r\nOK\r\n", b"\r\n>", b"\r\nOK\r\n", b"\r\nOK\r\n\r\n+CMQTTPUB: 0,0\r\n"];
    let mut times = Reactions::default();
    wait_for_start()?;
    for _ in 0..count.parse::<usize>()? {
        let began = Instant::now();
        for (piece, answer) in pieces.iter().zip(expected) {
            write_all(&port, piece)?;
            read_exactly(&port, answer.len())?;
        }
        times.push(began.elapsed());
    }
    Ok(format!("{{\"latencies_ns\": {:?}}}", times.as_nanoseconds()))
}

fn poll_ports(ports: &[&str], size: &str, count: &str) -> Result<String, Failure> {
    let ports = ports.iter().map(|port| open_raw(Path::new(port))).collect::<Result<Vec<_>, _>>()?;
    let mut remaining = Flood::new(size.parse()?, count.parse()?).length() * ports.len() as u64;
    let mut buffer = vec![0; 64 * 1024];
    wait_for_start()?;
    let before = processor_time();
    while remaining > 0 {
        let mut watched: Vec<_> = ports.iter().map(|port| PollFd::new(port, PollFlags::IN)).collect();
        poll(&mut watched, None)?;
        for (port, watched) in ports.iter().zip(&watched) {
            if watched.revents().contains(PollFlags::IN) {
                remaining = remaining.saturating_sub(rustix::io::read(port, &mut buffer)? as u64);
            }
        }
    }
    let used = processor_time().saturating_sub(before);
    Ok(format!("{{\"processor_ns\": {}, \"ended_ns\": {}}}", used.as_nanos(), clock::monotonic()))
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("the time used is never negative")
}

fn write_all(port: &OwnedFd, mut bytes: &[u8]) -> Result<(), Failure> {
    while !bytes.is_empty() {
        bytes = &bytes[rustix::io::write(port, bytes)?..];
    }
    Ok(())
}

fn read_exactly(port: &OwnedFd, mut count: usize) -> Result<(), Failure> {
    let mut buffer = [0; 256];
    while count > 0 {
        let read = rustix::io::read(port, &mut buffer)?;
        count = count.checked_sub(read).ok_or("the module sent more than expected")?;
    }
    Ok(())
}

fn wait_for_start() -> Result<(), Failure> {
    tell("ready")?;
    stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

fn tell(line: &str) -> Result<(), Failure> {
    let mut output = stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}
