//! Everything that went over the line, for people to read and for a replay.
//!
//! One element a line: seconds since the beginning, `>` to the module or `<` from it, what it is, and its bytes as text:
//! `\r`, `\n`, `\\`, `\x1a` for what cannot be printed, and `\*` for each byte of a secret.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::protocol::{Direction, TraceKind};

/// A file that gets each element, written on a thread of its own: a slow disk must not hold up the line.
pub(super) struct Transcript {
    began: Instant,
    elements: Mutex<Option<Sender<String>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Transcript {
    pub(super) fn create(path: &Path, port: &str, baudrate: u32) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        writeln!(file, "# simcom-mqtt transcript 1, port {port}, {baudrate} baud")?;
        file.flush()?;
        let (sender, receiver) = channel();
        let thread = thread::Builder::new()
            .name("simcom-mqtt-transcript".to_owned())
            .spawn(move || write_all(file, &receiver))?;
        let (elements, thread) = (Mutex::new(Some(sender)), Mutex::new(Some(thread)));
        Ok(Self { began: Instant::now(), elements, thread })
    }

    pub(super) fn write(&self, direction: Direction, kind: TraceKind, bytes: &[u8], masked: &[Range<usize>]) {
        let line = element(self.began.elapsed(), direction, kind, bytes, masked);
        if let Some(elements) = &*self.elements.lock() {
            // The thread ends only with its sender, or when the disk is full, which it has said.
            let _ = elements.send(line);
        }
    }

    /// Writes what is left.
    pub(super) fn close(&self) {
        drop(self.elements.lock().take());
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

fn write_all(mut file: BufWriter<File>, elements: &Receiver<String>) {
    /// A script that crashes leaves all but the last moment behind.
    const FLUSH_AFTER: Duration = Duration::from_millis(100);
    let mut unflushed = false;
    loop {
        let received = if unflushed {
            elements.recv_timeout(FLUSH_AFTER)
        } else {
            elements.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        let written = match received {
            Ok(ref line) => file.write_all(line.as_bytes()),
            Err(RecvTimeoutError::Timeout) => file.flush(),
            Err(RecvTimeoutError::Disconnected) => break,
        };
        if written.is_err() {
            return;
        }
        unflushed = received.is_ok();
    }
    let _ = file.flush();
}

fn element(
    time: Duration,
    direction: Direction,
    kind: TraceKind,
    bytes: &[u8],
    masked: &[Range<usize>],
) -> String {
    let arrow = match direction {
        Direction::ToModule => '>',
        Direction::FromModule => '<',
    };
    let kind = match kind {
        TraceKind::Line => "line",
        TraceKind::Prompt => "prompt",
        TraceKind::Data => "data",
        TraceKind::Raw => "raw",
    };
    let mut text = format!("{:.6} {arrow} {kind} ", time.as_secs_f64());
    for (at, byte) in bytes.iter().enumerate() {
        if masked.iter().any(|range| range.contains(&at)) {
            text.push_str("\\*");
            continue;
        }
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(*byte)),
            // Writing to a String cannot fail.
            _ => drop(write!(text, "\\x{byte:02x}")),
        }
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_a_line_that_people_can_read() {
        let line = b"AT+X=\"a\\b\",\"secret\"\r";
        let text = element(
            Duration::from_millis(1500),
            Direction::ToModule,
            TraceKind::Line,
            line,
            std::slice::from_ref(&(12..18)),
        );
        assert_eq!(text, "1.500000 > line AT+X=\"a\\\\b\",\"\\*\\*\\*\\*\\*\\*\"\\r\n");
        let data = element(Duration::ZERO, Direction::FromModule, TraceKind::Data, b"\x00*\xff\r\n", &[]);
        assert_eq!(data, "0.000000 < data \\x00*\\xff\\r\\n\n");
    }
}
