//! Plays modules on pseudo-terminals: `bench-peer [--baudrate N] [--round-trip-ms N] [--ports N]`.
//!
//! Prints its ports on the first line of its output, as JSON, and then takes orders on its input until that ends:
//! `flood <payload size> <count>` and `messages <payload size> <count> <interval in us>` on every port, `reset`, and
//! `stats`, answered by a line of JSON with an object a port.

use std::io::{Write, stdout};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdin;
use simcom_mqtt_bench::line::{Line, Settings};

/// A timer is late by about this time, so the rest is waited actively.
const SPIN: Duration = Duration::from_micros(40);

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-peer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let (settings, ports) = arguments()?;
    rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1))?;
    let mut lines = (0..ports).map(|_| Line::open(settings)).collect::<Result<Vec<_>, _>>()?;
    let paths: Vec<_> = lines.iter().map(|line| format!("{:?}", line.host_path())).collect();
    tell(&format!("[{}]", paths.join(", ")))?;

    let mut buffer = vec![0; 64 * 1024];
    let mut words = Vec::new();
    // Several ports share one thread, so none may spin.
    let spin = if ports == 1 && settings.baudrate.is_some() { SPIN } else { Duration::ZERO };
    loop {
        let ready = wait(&lines, spin)?;
        if ready[0] != PollFlags::empty() {
            let count = rustix::io::read(stdin(), &mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            words.extend_from_slice(&buffer[..count]);
            while let Some(end) = words.iter().position(|byte| *byte == b'\n') {
                let order: Vec<u8> = words.drain(..=end).collect();
                obey(&mut lines, String::from_utf8_lossy(&order).trim())?;
            }
        }
        for (line, ready) in lines.iter_mut().zip(&ready[1..]) {
            if ready.contains(PollFlags::OUT) {
                line.handle_writable();
            }
            if ready.contains(PollFlags::IN) {
                line.read(&mut buffer)?;
            }
            if !line.is_full() {
                line.write()?;
            }
        }
    }
}

fn arguments() -> Result<(Settings, usize), Box<dyn std::error::Error>> {
    let mut settings = Settings::default();
    let mut ports = 1;
    let mut words = std::env::args().skip(1);
    while let Some(option) = words.next() {
        let value = words.next().ok_or_else(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--baudrate" => settings.baudrate = Some(value.parse()?).filter(|baudrate| *baudrate > 0),
            "--round-trip-ms" => settings.round_trip = Duration::from_millis(value.parse()?),
            "--ports" => ports = value.parse()?,
            _ => return Err(format!("unknown option {option}").into()),
        }
    }
    Ok((settings, ports))
}

/// Waits, and returns for which operations the standard input and each line are ready.
fn wait(lines: &[Line], spin: Duration) -> rustix::io::Result<Vec<PollFlags>> {
    let input = stdin();
    let mut watched = vec![PollFd::new(&input, PollFlags::IN)];
    let descriptors: Vec<_> = lines.iter().map(Line::descriptor).collect();
    for (line, descriptor) in lines.iter().zip(&descriptors) {
        let flags = if line.is_full() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
        watched.push(PollFd::new(descriptor, flags));
    }
    let next_due = lines.iter().filter_map(Line::next_due).min();
    let timeout = next_due.map(|due| {
        let left = due.saturating_duration_since(Instant::now()).saturating_sub(spin);
        Timespec::try_from(left).expect("nothing is due in centuries")
    });
    match poll(&mut watched, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error),
    }
    Ok(watched.iter().map(PollFd::revents).collect())
}

fn obey(lines: &mut [Line], order: &str) -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<_> = order.split_whitespace().collect();
    match words[..] {
        ["flood", size, count] => {
            for line in lines {
                line.begin_flood(size.parse()?, count.parse()?);
            }
        }
        ["messages", size, count, interval] => {
            for line in lines {
                line.begin_messages(size.parse()?, count.parse()?, Duration::from_micros(interval.parse()?));
            }
        }
        ["reset"] => lines.iter_mut().for_each(Line::reset),
        ["stats"] => {
            let lines: Vec<_> = lines.iter().map(Line::to_json).collect();
            tell(&format!("[{}]", lines.join(", ")))?;
        }
        _ => return Err(format!("unknown order {order:?}").into()),
    }
    Ok(())
}

fn tell(line: &str) -> std::io::Result<()> {
    let mut output = stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()
}
