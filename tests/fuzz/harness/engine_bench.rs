use std::collections::HashMap;
use std::time::{Duration, Instant};

use simcom_mqtt::at::Direction;
use simcom_mqtt::channel::{Engine, Event, Failure, Outcome, Settings, Transaction, TransactionId};

pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(9);

/// Drives an engine as the I/O thread does, and checks the invariants after every step.
pub struct EngineBench {
    pub engine: Engine,
    pub now: Instant,
    pub port: Port,
    pub read_length: usize,
    /// Bytes written since the port was opened.
    pub written: Vec<u8>,
    pub outcomes: HashMap<TransactionId, Vec<Outcome>>,
    pub late: HashMap<TransactionId, usize>,
    /// All events in order.
    events: Vec<Event>,
    pub messages: usize,
    traced: Vec<u8>,
    sent: Vec<u8>,
    reported_bytes: usize,
    commands: usize,
}

/// Number of bytes that a port takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    Free,
    Slow(usize),
    Blocked,
}

impl EngineBench {
    pub fn new(baudrate: u32) -> Self {
        let mut engine = Engine::new(Settings { command_timeout: COMMAND_TIMEOUT, baudrate });
        engine.set_tracing(true);
        Self {
            engine,
            now: Instant::now(),
            port: Port::Free,
            read_length: usize::MAX,
            written: Vec::new(),
            outcomes: HashMap::new(),
            late: HashMap::new(),
            events: Vec::new(),
            messages: 0,
            traced: Vec::new(),
            sent: Vec::new(),
            reported_bytes: 0,
            commands: 0,
        }
    }

    /// Returns true if a possible boot banner caused a query; its time depends on the reads.
    pub fn has_asked_for_a_restart(&self) -> bool {
        memchr::memmem::find(&self.written, b"AT+CMQTTREL?").is_some()
    }

    pub fn submit(&mut self, id: TransactionId, transaction: Transaction) {
        self.commands += 1;
        self.engine.submit(id, transaction, self.now);
        self.settle();
    }

    /// Sends bytes to the driver, in reads of `read_length`.
    pub fn send(&mut self, bytes: &[u8]) {
        for read in bytes.chunks(self.read_length.max(1)) {
            self.sent.extend_from_slice(read);
            self.engine.handle_input(read, self.now);
            self.settle();
        }
    }

    /// Advances the clock and wakes the engine at each deadline; calls `woken` each time.
    pub fn pass(&mut self, time: Duration, mut woken: impl FnMut(&mut Self)) {
        const MOST_WAKES: usize = 5_000;
        let end = self.now + time;
        let mut wakes = 0;
        while let Some(next) = self.engine.poll_timeout().filter(|next| *next <= end) {
            wakes += 1;
            assert!(wakes < MOST_WAKES, "woken again and again");
            self.now = self.now.max(next);
            self.time_out();
            woken(self);
        }
        self.now = end;
        self.time_out();
        woken(self);
    }

    /// Advances the clock with one late wake.
    pub fn oversleep(&mut self, time: Duration) {
        self.now += time;
        self.time_out();
    }

    /// Writes the engine's bytes to the port, and takes its events.
    pub fn settle(&mut self) {
        loop {
            let unwritten = self.engine.unwritten();
            let count = match self.port {
                Port::Free => unwritten.len(),
                Port::Slow(most) => unwritten.len().min(most),
                Port::Blocked => 0,
            };
            if count == 0 {
                break;
            }
            self.written.extend_from_slice(&unwritten[..count]);
            self.engine.handle_written(count, self.now);
            if self.port != Port::Free {
                break;
            }
        }
        while let Some(event) = self.engine.poll_event() {
            self.take(event);
        }
        // The events grow only with the input.
        let most = 16 * self.sent.len() + 4_096 * (self.commands + 1);
        assert!(
            self.reported_bytes <= most,
            "{} bytes reported of {} sent",
            self.reported_bytes,
            self.sent.len()
        );
        assert!(self.sent.starts_with(&self.traced), "the trace differs from the input");
    }

    fn time_out(&mut self) {
        self.engine.handle_timeout(self.now);
        self.settle();
        let next = self.engine.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "asks for a time that is already past");
    }

    /// Returns all events but the trace.
    pub fn history(&self) -> Vec<String> {
        let events = self.events.iter().filter(|event| !matches!(event, Event::Trace { .. }));
        events.map(|event| format!("{event:?}")).collect()
    }

    fn take(&mut self, event: Event) {
        match &event {
            Event::Trace { direction: Direction::FromModule, bytes, redacted, .. } => {
                self.show(bytes.clone(), redacted);
            }
            Event::Completed { id, outcome } => self.outcomes.entry(*id).or_default().push(outcome.clone()),
            Event::DeferredResult { id, .. } => *self.late.entry(*id).or_default() += 1,
            Event::Message(message) => {
                self.messages += 1;
                self.reported_bytes += message.size();
            }
            Event::MessageLost { why, .. } => self.reported_bytes += why.len(),
            Event::Urc { line, .. } => self.reported_bytes += line.len(),
            _ => {}
        }
        self.events.push(event);
    }

    /// Appends bytes to the trace, with secrets as asterisks.
    fn show(&mut self, mut bytes: Vec<u8>, redacted: &[std::ops::Range<usize>]) {
        let from = self.traced.len();
        for range in redacted {
            assert!(bytes[range.clone()].iter().all(|byte| *byte == b'*'));
            bytes[range.clone()].copy_from_slice(&self.sent[from..][range.clone()]);
        }
        self.traced.extend_from_slice(&bytes);
    }

    /// Asserts that the transaction has ended exactly once.
    pub fn expect_answered(&self, id: TransactionId, cancelled: bool) {
        let outcomes = self.outcomes.get(&id).map_or(&[][..], Vec::as_slice);
        assert!(outcomes.len() <= 1, "{id} was answered twice: {outcomes:?}");
        if cancelled {
            return;
        }
        assert_eq!(outcomes.len(), 1, "{id} was never answered");
        let late = self.late.get(&id).copied().unwrap_or_default();
        let is_unknown = matches!(outcomes[0], Err(Failure::ResultUnknown { .. }));
        assert_eq!(late, usize::from(is_unknown), "the late result of {id}, {:?}", outcomes[0]);
    }
}

/// Prints the last events when a check fails.
impl Drop for EngineBench {
    fn drop(&mut self) {
        const MOST: usize = 100;
        if std::thread::panicking() {
            for event in &self.events[self.events.len().saturating_sub(MOST)..] {
                eprintln!("{}", describe(event));
            }
        }
    }
}

fn describe(event: &Event) -> String {
    match event {
        Event::Trace { direction, kind, bytes, .. } => {
            format!("{direction:?} {kind:?} {}", bytes.escape_ascii())
        }
        event => format!("{event:?}"),
    }
}
