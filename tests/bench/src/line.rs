//! One port: the module's half behind a pseudo-terminal, its pace and its reaction times.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::clock;
use crate::flood::{Flood, Ticker};
use crate::module::Module;
use crate::pace::Pace;
use crate::reactions::Reactions;
use crate::terminal::PseudoTerminal;

/// Bytes in a full-speed USB packet.
const PACED_PIECE: usize = 64;

#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Baud rate of the UART in both directions; `None` means no delay.
    pub baudrate: Option<u32>,
    /// From the `OK` of a PUB to its result.
    pub round_trip: Duration,
}

#[derive(Debug)]
pub struct Line {
    settings: Settings,
    terminal: PseudoTerminal,
    module: Module,
    incoming: Pace,
    outgoing: Pace,
    outbox: VecDeque<Piece>,
    results: VecDeque<(Instant, Vec<u8>)>,
    flood: Option<Flood>,
    ticker: Option<Ticker>,
    /// True while the terminal takes no more bytes.
    is_full: bool,
    own: Reactions,
    host: Reactions,
    awaiting_host_since: Option<Instant>,
    first_input: Option<Instant>,
    last_output: Option<Instant>,
    flood_record: Option<FloodRecord>,
}

#[derive(Debug)]
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
    written: usize,
    ends_answer: bool,
    stamp_at: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct FloodRecord {
    bytes: u64,
    began: u64,
    ended: u64,
}

impl Line {
    pub fn open(settings: Settings) -> rustix::io::Result<Self> {
        Ok(Self {
            settings,
            terminal: PseudoTerminal::open()?,
            module: Module::default(),
            incoming: Pace::new(settings.baudrate),
            outgoing: Pace::new(settings.baudrate),
            outbox: VecDeque::new(),
            results: VecDeque::new(),
            flood: None,
            ticker: None,
            is_full: false,
            own: Reactions::default(),
            host: Reactions::default(),
            awaiting_host_since: None,
            first_input: None,
            last_output: None,
            flood_record: None,
        })
    }

    pub fn host_path(&self) -> &str {
        &self.terminal.host_path
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.terminal.module_end.as_fd()
    }

    pub fn is_full(&self) -> bool {
        self.is_full
    }

    pub fn begin_flood(&mut self, payload_size: usize, count: u64) {
        let flood = Flood::new(payload_size, count);
        self.outgoing.begin(Instant::now());
        self.flood_record = Some(FloodRecord { bytes: flood.length(), began: clock::monotonic(), ended: 0 });
        self.flood = Some(flood);
    }

    pub fn begin_messages(&mut self, payload_size: usize, count: u64, interval: Duration) {
        self.ticker = Some(Ticker::new(payload_size, count, interval, Instant::now()));
    }

    /// Clears the measurements.
    pub fn reset(&mut self) {
        self.own.clear();
        self.host.clear();
        self.incoming.forget_busy();
        self.outgoing.forget_busy();
        self.awaiting_host_since = None;
        self.first_input = None;
        self.last_output = None;
        self.flood_record = None;
    }

    pub fn next_due(&self) -> Option<Instant> {
        let piece = self.outbox.front().filter(|_| !self.is_full).map(|piece| piece.due);
        let result = self.results.front().map(|(due, _)| *due);
        [piece, result, self.ticker.as_ref().map(|ticker| ticker.due)].into_iter().flatten().min()
    }

    pub fn read(&mut self, buffer: &mut [u8]) -> rustix::io::Result<()> {
        loop {
            let count = match rustix::io::read(&self.terminal.module_end, &mut *buffer) {
                Ok(count) => count,
                Err(Errno::AGAIN | Errno::IO) => return Ok(()),
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error),
            };
            self.handle_input(&buffer[..count], Instant::now());
        }
    }

    fn handle_input(&mut self, mut input: &[u8], now: Instant) {
        if let Some(since) = self.awaiting_host_since.take() {
            self.host.push(now - since);
        }
        self.first_input.get_or_insert(now);
        while !input.is_empty() {
            let (taken, answer) = self.module.step(input);
            input = &input[taken..];
            let arrived = self.incoming.pass(taken, now);
            let Some(mut answer) = answer else { continue };
            if self.settings.round_trip.is_zero() {
                answer.at_once.append(&mut answer.after_round_trip);
            }
            self.say(&answer.at_once, arrived);
            if !answer.after_round_trip.is_empty() {
                self.results.push_back((arrived + self.settings.round_trip, answer.after_round_trip));
            }
        }
    }

    /// Puts bytes that are ready at `ready` on the line, in packets if it has a pace.
    fn say(&mut self, bytes: &[u8], ready: Instant) {
        let size = if self.settings.baudrate.is_some() { PACED_PIECE } else { bytes.len() };
        let count = bytes.len().div_ceil(size.max(1));
        for (at, packet) in bytes.chunks(size.max(1)).enumerate() {
            let due = self.outgoing.pass(packet.len(), ready);
            let ends_answer = at + 1 == count;
            self.outbox.push_back(Piece {
                due,
                bytes: packet.to_vec(),
                written: 0,
                ends_answer,
                stamp_at: None,
            });
        }
    }

    pub fn handle_writable(&mut self) {
        self.is_full = false;
    }

    /// Writes all bytes that are due.
    pub fn write(&mut self) -> rustix::io::Result<()> {
        let now = Instant::now();
        self.take_due(now);
        loop {
            self.refill();
            let Some(piece) = self.outbox.front_mut().filter(|piece| piece.due <= now) else { return Ok(()) };
            if let Some(at) = piece.stamp_at.take() {
                Ticker::stamp(&mut piece.bytes, at, clock::monotonic());
            }
            match rustix::io::write(&self.terminal.module_end, &piece.bytes[piece.written..]) {
                Ok(count) => piece.written += count,
                Err(Errno::AGAIN) => {
                    self.is_full = true;
                    return Ok(());
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
            if piece.written < piece.bytes.len() {
                continue;
            }
            let written_at = Instant::now();
            if piece.ends_answer {
                self.own.push(written_at - piece.due);
                self.awaiting_host_since = Some(written_at);
                self.last_output = Some(written_at);
            }
            self.outbox.pop_front();
        }
    }

    fn take_due(&mut self, now: Instant) {
        while self.results.front().is_some_and(|(due, _)| *due <= now) {
            if let Some((due, result)) = self.results.pop_front() {
                self.say(&result, due);
            }
        }
        if let Some(ticker) = self.ticker.as_mut().filter(|ticker| ticker.due <= now) {
            let due = ticker.due;
            match ticker.tick() {
                Some((bytes, at)) => self.outbox.push_back(Piece {
                    due,
                    bytes,
                    written: 0,
                    ends_answer: false,
                    stamp_at: Some(at),
                }),
                None => self.ticker = None,
            }
        }
    }

    fn refill(&mut self) {
        if !self.outbox.is_empty() {
            return;
        }
        let Some(flood) = &mut self.flood else { return };
        let most = if self.settings.baudrate.is_some() { PACED_PIECE } else { usize::MAX };
        let bytes = flood.next(most).to_vec();
        if bytes.is_empty() {
            self.flood = None;
            if let Some(record) = &mut self.flood_record {
                record.ended = clock::monotonic();
            }
            return;
        }
        let due = self.outgoing.pass_next(bytes.len());
        self.outbox.push_back(Piece { due, bytes, written: 0, ends_answer: false, stamp_at: None });
    }

    pub fn to_json(&self) -> String {
        let wall = match (self.first_input, self.last_output) {
            (Some(first), Some(last)) => last.saturating_duration_since(first),
            _ => Duration::ZERO,
        };
        let ideal = self.incoming.busy() + self.outgoing.busy();
        let flood = self.flood_record.map_or("null".to_owned(), |FloodRecord { bytes, began, ended }| {
            format!("{{\"bytes\": {bytes}, \"began_ns\": {began}, \"ended_ns\": {ended}}}")
        });
        format!(
            "{{\"publishes\": {}, \"wall_ns\": {}, \"ideal_ns\": {}, \"own_total_ns\": {}, \"own\": {}, \"host\": {}, \"flood\": {flood}}}",
            self.module.publishes(),
            wall.as_nanos(),
            ideal.as_nanos(),
            self.own.total().as_nanos(),
            self.own.to_json(),
            self.host.to_json(),
        )
    }
}
