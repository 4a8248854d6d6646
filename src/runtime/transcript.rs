//! Everything that went over the line, for people to read and for a replay.
//!
//! One element a line: seconds since the beginning, `>` to the module or `<` from it, what it is, and its bytes as text:
//! `\r`, `\n`, `\\`, `\x1a` for what cannot be printed, and `\*` for each byte of a secret.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::bounded_queue::BoundedQueue;
use super::wait::Never;
use crate::at::{Direction, TraceKind};

/// A file that gets each element, written on a thread of its own: a slow disk must not hold up the line.
pub(super) struct Transcript {
    began: Instant,
    unwritten: Arc<Unwritten>,
    end: Mutex<Receiver<io::Error>>,
}

struct Unwritten {
    elements: BoundedQueue<String>,
    missing: AtomicU64,
}

/// The bytes that may wait for a slow disk.
const MOST_BYTES: usize = 64 << 20;

impl Transcript {
    pub(super) fn create(path: &Path, port: &str, baudrate: u32) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        writeln!(file, "# simcom-mqtt transcript 1, port {port}, {baudrate} baud")?;
        let elements = BoundedQueue::new(usize::MAX, MOST_BYTES);
        let unwritten = Arc::new(Unwritten { elements, missing: AtomicU64::new(0) });
        let (sender, end) = channel();
        let source = unwritten.clone();
        thread::Builder::new().name("simcom-mqtt-transcript".to_owned()).spawn(move || {
            if let Err(error) = source.write_all(file) {
                drop(source.elements.close_and_take());
                // The receiver may be gone.
                let _ = sender.send(error);
            }
        })?;
        Ok(Self { began: Instant::now(), unwritten, end: Mutex::new(end) })
    }

    /// Fails once, when the file takes no more.
    pub(super) fn write(
        &self,
        direction: Direction,
        kind: TraceKind,
        bytes: &[u8],
        redacted: &[Range<usize>],
    ) -> io::Result<()> {
        let line = element(self.began.elapsed(), direction, kind, bytes, redacted);
        let size = line.len();
        if !self.unwritten.elements.push(line, size) {
            self.unwritten.missing.fetch_add(1, Ordering::Relaxed);
        }
        self.end.lock().try_recv().map_or(Ok(()), Err)
    }

    /// Writes what is left, unless the disk has stalled.
    pub(super) fn close(&self) -> io::Result<()> {
        const MOST_TIME: Duration = Duration::from_secs(1);
        self.unwritten.elements.close();
        match self.end.lock().recv_timeout(MOST_TIME) {
            Ok(error) => Err(error),
            Err(RecvTimeoutError::Disconnected) => Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "the disk has stalled"))
            }
        }
    }
}

impl Unwritten {
    /// A script that crashes leaves all but the last moment behind: what is waited for comes after what is flushed.
    fn write_all(&self, mut file: BufWriter<File>) -> io::Result<()> {
        loop {
            let waiting = match self.elements.try_pop() {
                Ok(None) => {
                    file.flush()?;
                    self.elements.pop(&Never).map(Some)
                }
                waiting => waiting,
            };
            let missing = self.missing.swap(0, Ordering::Relaxed);
            if missing > 0 {
                writeln!(file, "# {missing} elements are missing here: the disk is slower than the line")?;
            }
            let Ok(Some(line)) = waiting else { return file.flush() };
            file.write_all(line.as_bytes())?;
        }
    }
}

fn element(
    time: Duration,
    direction: Direction,
    kind: TraceKind,
    bytes: &[u8],
    redacted: &[Range<usize>],
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
        if redacted.iter().any(|range| range.contains(&at)) {
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
