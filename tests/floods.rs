//! Floods of input cost bounded memory, counted by the allocator.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use simcom_mqtt::at::Command;
use simcom_mqtt::channel::{Engine, Event, Settings, Transaction};

const MEBIBYTE: usize = 1 << 20;
/// The I/O thread reads at most this at once.
const LONGEST_READ: usize = 64 * 1024;

/// The system's allocator, which counts the bytes in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns the number of bytes that this process has allocated.
fn in_use() -> usize {
    IN_USE.load(Ordering::Relaxed)
}

struct Flooded {
    engine: Engine,
    now: Instant,
    unsolicited: usize,
    lost: usize,
}

impl Flooded {
    fn new(is_traced: bool) -> Self {
        let mut engine = Engine::new(Settings { command_timeout: Duration::from_secs(9), baudrate: 115_200 });
        engine.set_tracing(is_traced);
        Self { engine, now: Instant::now(), unsolicited: 0, lost: 0 }
    }

    fn run(&mut self, line: &str) {
        let transaction = Transaction::single(Command::new(line), Duration::from_secs(60));
        self.engine.submit(1, transaction, self.now);
        self.settle();
    }

    fn read(&mut self, bytes: &[u8]) {
        self.engine.handle_input(bytes, self.now);
        self.settle();
    }

    fn settle(&mut self) {
        let count = self.engine.unwritten().len();
        self.engine.handle_written(count, self.now);
        while let Some(event) = self.engine.poll_event() {
            match event {
                Event::Urc { .. } => self.unsolicited += 1,
                Event::MessageLost { .. } => self.lost += 1,
                _ => {}
            }
        }
    }
}

/// Reads `pattern` over and over, `total` bytes or a few more, and returns by how much the process grew.
fn growth(flooded: &mut Flooded, pattern: &[u8], total: usize) -> usize {
    let flood = pattern.repeat(LONGEST_READ / pattern.len());
    flooded.read(&flood);
    let before = in_use();
    let mut most = before;
    for read in 0..total.div_ceil(flood.len()) {
        flooded.read(&flood);
        if read % 64 == 0 {
            most = most.max(in_use());
        }
    }
    most.max(in_use()) - before
}

/// One test only: another test would run beside it and be measured too.
#[test]
fn floods_cost_bounded_memory() {
    ten_million_unsolicited_lines();
    for pattern in [
        &b"x"[..],
        b"\r",
        b"\n",
        b"\r\n",
        b">",
        b"\0\xff",
        b"\r\nOK\r\n",
        b"\r\nERROR\r\n",
        b"\r\n+CMQTTRXSTART: 0,99999,99999\r\n",
        b"\r\n+CMQTTRXSTART: 0,-1,-1\r\n",
        b"\r\n+CMQTTRXSTART: 0,1024,10240\r\n",
        b"+CMQTTRXTOPIC: 0,1024\r\n",
        b"+CMQTTRXPAYLOAD: 1,10240\r\n",
        b"+CMQTTRXEND: 1\r\n",
        b"+CMQTTRX",
        b"+CMQTTRX\r\n",
        b"\r\n+CMQTTPUB: 0,0\r\n",
        b"\r\n+CMQTTPUB: 0,14\r\n",
        b"\r\n+CMQTTCONNLOST: 0,1\r\n",
        b"\r\nRDY\r\n",
        b"AT+CMQTTPUB=0,1,60\r",
        b"AT+CMQTTPUB=0,1,60\r\r\n",
    ] {
        for (line, is_traced) in [("AT+CMQTTPUB=0,1,60", true), ("AT+CMQTTSUB?", false)] {
            let mut flooded = Flooded::new(is_traced);
            flooded.run(line);
            let grown = growth(&mut flooded, pattern, 8 * MEBIBYTE);
            assert!(grown < 4 * MEBIBYTE, "{grown} bytes for {} after {line}", pattern.escape_ascii());
        }
    }
}

fn ten_million_unsolicited_lines() {
    const LINES: usize = 10_000_000;
    let line = b"\r\n+CGEV: ME PDN ACT 1\r\n";
    let mut flooded = Flooded::new(false);
    let begun = Instant::now();
    let grown = growth(&mut flooded, line, LINES * line.len());
    eprintln!("{} lines in {:?}, {grown} bytes more in memory", flooded.unsolicited, begun.elapsed());
    assert!(flooded.unsolicited >= LINES);
    assert!(grown < MEBIBYTE, "{grown} bytes");
}
