//! Drives an [`Engine`] as the I/O thread does; the test plays the module and sets the clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::then;
use simcom_mqtt::at::{ClientIndex, Command, ResultCode};
use simcom_mqtt::channel::{
    Answers, Counters, Engine, Event, FailedCommand, Failure, Outcome, Settings, Transaction, TransactionId,
};

pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(9);

/// How the bytes of the module are grouped into reads.
#[derive(Clone, Debug)]
pub enum Reads {
    /// Each `send` of the script is one read.
    Whole,
    Single,
    /// Cuts before these bytes, counted over the whole script.
    Cut(Vec<usize>),
    /// Pieces of these lengths, repeated.
    Pieces(Vec<usize>),
}

pub struct ScriptedModule {
    pub engine: Engine,
    pub now: Instant,
    reads: Reads,
    sent: usize,
    pieces: usize,
    written: Vec<u8>,
    /// Positions in `written` before which the driver requested a drain.
    drains: Vec<usize>,
    events: VecDeque<Event>,
    history: Vec<String>,
    traces: Vec<u8>,
}

impl ScriptedModule {
    pub fn new() -> Self {
        Self::reading(Reads::Whole)
    }

    pub fn reading(reads: Reads) -> Self {
        Self::at_baudrate(115_200, reads)
    }

    pub fn at_baudrate(baudrate: u32, reads: Reads) -> Self {
        Self {
            engine: Engine::new(Settings { command_timeout: COMMAND_TIMEOUT, baudrate }),
            now: Instant::now(),
            reads,
            sent: 0,
            pieces: 0,
            written: Vec::new(),
            drains: Vec::new(),
            events: VecDeque::new(),
            history: Vec::new(),
            traces: Vec::new(),
        }
    }

    // Calls of the driver's user.

    pub fn submit(&mut self, id: TransactionId, transaction: Transaction) {
        self.engine.submit(id, transaction, self.now);
        self.settle();
    }

    /// Submits one command without data, with a timeout of a minute.
    pub fn run(&mut self, id: TransactionId, line: &str) {
        self.submit(id, Transaction::single(Command::new(line), Duration::from_secs(60)));
    }

    pub fn enter(&mut self, id: TransactionId, line: &str, data: &[u8]) {
        self.submit(id, Transaction::single(Command::new(line).with_data(data), Duration::from_secs(60)));
    }

    /// Acquires a client and plays the answer.
    pub fn acquire(&mut self, id: TransactionId, client: u8) {
        let line = format!("AT+CMQTTACCQ={client},\"rig\"");
        self.run(id, &line);
        self.expect_line(&line);
        self.send(then(&["OK"]));
        self.expect_success(id);
        self.take_events();
    }

    /// Submits TOPIC, PAYLOAD and PUB, with a timeout of a minute.
    pub fn publish(&mut self, id: TransactionId, client: u8, topic: &[u8], payload: &[u8]) {
        self.submit(id, publish(client, topic, payload));
    }

    pub fn open(&mut self, id: TransactionId) {
        self.engine.open(id, self.now);
        self.settle();
    }

    pub fn cancel(&mut self, id: TransactionId) {
        self.engine.cancel(id, self.now);
        self.settle();
    }

    /// Lifts the barriers: every failure was judged.
    pub fn lift_lane_barriers(&mut self) -> bool {
        let had_waited = self.engine.lift_lane_barriers(self.now);
        self.settle();
        had_waited
    }

    pub fn close(&mut self) {
        self.engine.close(self.now);
        self.settle();
    }

    pub fn lose_port(&mut self, reason: &str) {
        self.engine.handle_port_lost(reason.to_owned(), self.now);
        self.settle();
    }

    /// Submits a command, and sends `stray` when this many bytes of it are written.
    pub fn run_half_written(&mut self, id: TransactionId, command: Command, written: usize, stray: &[u8]) {
        self.engine.submit(id, Transaction::single(command, Duration::from_secs(60)), self.now);
        if written > 0 {
            self.engine.handle_written(written, self.now);
        }
        self.engine.handle_input(stray, self.now);
        self.settle();
    }

    // Actions of the module.

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let mut rest = bytes.as_ref();
        while !rest.is_empty() {
            let (read, later) = rest.split_at(self.next_read(rest.len()));
            self.sent += read.len();
            self.engine.handle_input(read, self.now);
            self.settle();
            rest = later;
        }
    }

    /// Sends bytes in one read, in which the port's driver counted errors.
    pub fn send_damaged(&mut self, bytes: &[u8]) {
        self.engine.handle_damaged_input(bytes, self.now);
        self.settle();
    }

    pub fn expect_line(&mut self, line: &str) {
        let wanted = format!("{line}\r");
        self.expect_data(wanted.as_bytes());
    }

    pub fn expect_data(&mut self, data: &[u8]) {
        let shown = |bytes: &[u8]| bytes[..bytes.len().min(400)].escape_ascii().to_string();
        let found = &self.written[..self.written.len().min(data.len())];
        assert!(found == data, "wanted {:?}, written {:?}", shown(data), shown(&self.written));
        self.written.drain(..data.len());
        self.drains = self.drains.iter().filter_map(|at| at.checked_sub(data.len())).collect();
    }

    /// Checks that a command works. Denies a suspected restart: lost bytes can look like a boot banner.
    pub fn expect_to_work(&mut self) {
        const ID: TransactionId = 9;
        if self.take_written() == b"AT+CMQTTREL?\r" {
            self.send(then(&["OK"]));
        }
        self.run(ID, "AT");
        self.expect_line("AT");
        self.send(then(&["OK"]));
        self.expect_success(ID);
    }

    /// Plays the answer to the last written sync probe, and returns its name.
    pub fn answer_probe(&mut self) -> String {
        let written = self.take_written();
        let line = written.split(|byte| *byte == b'\r').rfind(|line| !line.is_empty()).expect("a sync probe");
        let line = std::str::from_utf8(line).unwrap();
        let name = line.strip_prefix("AT+").and_then(|rest| rest.strip_suffix("=?"));
        let name = name.unwrap_or_else(|| panic!("{line} is no sync probe")).to_owned();
        self.send(then(&[&format!("+{name}: (0-1),(1-1024)"), "OK"]));
        name
    }

    pub fn expect_nothing_written(&self) {
        assert!(self.written.is_empty(), "written: {:?}", self.written.escape_ascii().to_string());
    }

    pub fn take_written(&mut self) -> Vec<u8> {
        self.drains.clear();
        std::mem::take(&mut self.written)
    }

    /// Returns the positions of drains in the bytes that are not expected yet.
    pub fn drains(&self) -> &[usize] {
        &self.drains
    }

    // Time.

    /// Advances the clock: wakes the driver at each deadline, and once more at the end.
    pub fn wait(&mut self, time: Duration) {
        let target = self.now + time;
        let mut wakes = 0;
        while let Some(next) = self.engine.poll_timeout().filter(|next| *next <= target) {
            wakes += 1;
            assert!(wakes < 10_000, "woken again and again, last for {next:?}");
            self.now = self.now.max(next);
            self.time_out();
        }
        self.now = target;
        self.time_out();
    }

    pub fn wait_ms(&mut self, milliseconds: u64) {
        self.wait(Duration::from_millis(milliseconds));
    }

    /// Advances the clock with one late wake, as for a delayed I/O thread.
    pub fn oversleep(&mut self, time: Duration) {
        self.now += time;
        self.time_out();
    }

    // Events of the driver.

    pub fn outcome(&mut self, id: TransactionId) -> Option<Outcome> {
        let at = self
            .events
            .iter()
            .position(|event| matches!(event, Event::Completed { id: completed, .. } if *completed == id))?;
        match self.events.remove(at) {
            Some(Event::Completed { outcome, .. }) => Some(outcome),
            _ => unreachable!(),
        }
    }

    pub fn expect_success(&mut self, id: TransactionId) -> Answers {
        match self.outcome(id) {
            Some(Ok(answers)) => answers,
            other => panic!("{id} came to {other:?}; {:?}", self.events),
        }
    }

    pub fn expect_failure(&mut self, id: TransactionId) -> Failure {
        match self.outcome(id) {
            Some(Err(failure)) => failure,
            other => panic!("{id} came to {other:?}; {:?}", self.events),
        }
    }

    /// Returns the result code of a refusal.
    pub fn expect_refusal(&mut self, id: TransactionId) -> Option<u16> {
        match self.expect_failure(id) {
            Failure::Refused { code, .. } => code.map(ResultCode::number),
            other => panic!("{id} failed with {other:?}"),
        }
    }

    pub fn outcome_is_known(&self, id: TransactionId) -> bool {
        let is_it =
            |event: &Event| matches!(event, Event::Completed { id: completed, .. } if *completed == id);
        self.events.iter().any(is_it)
    }

    pub fn expect_in_flight(&self, id: TransactionId) {
        let over = self
            .events
            .iter()
            .find(|event| matches!(event, Event::Completed { id: completed, .. } if *completed == id));
        assert!(over.is_none(), "{over:?}");
    }

    pub fn late(&mut self, id: TransactionId) -> Option<Result<(), Failure>> {
        let at = self
            .events
            .iter()
            .position(|event| matches!(event, Event::DeferredResult { id: late, .. } if *late == id))?;
        match self.events.remove(at) {
            Some(Event::DeferredResult { result, .. }) => Some(result),
            _ => unreachable!(),
        }
    }

    /// Returns client, topic and payload of every message since the last call.
    pub fn messages(&mut self) -> Vec<(u8, Vec<u8>, Vec<u8>)> {
        let mut messages = Vec::new();
        self.events.retain(|event| {
            let Event::Message(message) = event else { return true };
            messages.push((message.client().number(), message.topic().to_vec(), message.payload().to_vec()));
            false
        });
        messages
    }

    pub fn expect_message(&mut self, client: u8, topic: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) {
        let messages = self.messages();
        assert_eq!(messages, [(client, topic.as_ref().to_vec(), payload.as_ref().to_vec())]);
    }

    /// Returns the clients of the messages reported lost since the last call.
    pub fn losses(&mut self) -> Vec<Option<ClientIndex>> {
        let mut losses = Vec::new();
        self.events.retain(|event| {
            let Event::MessageLost { client, .. } = event else { return true };
            losses.push(*client);
            false
        });
        losses
    }

    /// Returns the URCs since the last call.
    pub fn urcs(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        self.events.retain(|event| {
            let Event::Urc { line, .. } = event else { return true };
            lines.push(String::from_utf8_lossy(line).into_owned());
            false
        });
        lines
    }

    /// Returns all events that no other call has taken.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.drain(..).collect()
    }

    /// Asserts that only events of commands are left.
    pub fn expect_no_other_events(&self) {
        let news = self.events.iter().find(|event| !matches!(event, Event::CommandSucceeded(_)));
        assert!(news.is_none(), "{news:?}");
    }

    /// Returns all events and counters, for comparison.
    pub fn history(&self) -> (Vec<String>, Counters) {
        (self.history.clone(), self.engine.counters())
    }

    pub fn bytes_sent(&self) -> usize {
        self.sent
    }

    /// Returns the trace, with one element in each line.
    pub fn traces(&self) -> &[u8] {
        &self.traces
    }

    fn next_read(&mut self, available: usize) -> usize {
        let length = match &self.reads {
            Reads::Whole => available,
            Reads::Single => 1,
            Reads::Cut(cuts) => {
                let next = cuts.iter().filter(|cut| **cut > self.sent).min();
                next.map_or(available, |cut| cut - self.sent)
            }
            Reads::Pieces(lengths) => {
                self.pieces += 1;
                lengths[(self.pieces - 1) % lengths.len()].max(1)
            }
        };
        length.min(available)
    }

    fn time_out(&mut self) {
        self.engine.handle_timeout(self.now);
        self.settle();
        let next = self.engine.poll_timeout();
        assert!(next.is_none_or(|next| next > self.now), "asks for a time that is already past");
    }

    /// Writes bytes and takes events, as required after each call of the engine.
    fn settle(&mut self) {
        loop {
            let bytes = self.engine.unwritten().to_vec();
            if bytes.is_empty() {
                break;
            }
            if self.engine.must_drain() {
                self.drains.push(self.written.len());
            }
            self.written.extend_from_slice(&bytes);
            self.engine.handle_written(bytes.len(), self.now);
        }
        while let Some(event) = self.engine.poll_event() {
            if let Event::Trace { bytes, .. } = &event {
                self.traces.extend_from_slice(bytes);
                self.traces.push(b'\n');
                continue;
            }
            self.history.push(format!("{event:?}"));
            self.events.push_back(event);
        }
    }
}

/// Returns the command of a failure.
pub fn failed(line: &str) -> FailedCommand {
    FailedCommand::from(Command::new(line).line())
}

/// Returns TOPIC, PAYLOAD (unless it is empty) and PUB as one transaction.
pub fn publish(client: u8, topic: &[u8], payload: &[u8]) -> Transaction {
    let mut commands = vec![Command::new(format!("AT+CMQTTTOPIC={client},{}", topic.len())).with_data(topic)];
    if !payload.is_empty() {
        commands.push(Command::new(format!("AT+CMQTTPAYLOAD={client},{}", payload.len())).with_data(payload));
    }
    commands.push(Command::new(format!("AT+CMQTTPUB={client},1,60")));
    Transaction::new(commands, Duration::from_secs(60)).retrying_while_busy()
}
