//! A driver that reports its events to the test, on its thread.
#![allow(dead_code, unused_imports)]

use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use simcom_mqtt::link::{Address, Driver, FlowControl, IoThread, LineErrors, Port, Settings, Waker};

#[cfg(unix)]
mod terminals;
#[cfg(unix)]
pub use terminals::{FakePort, PseudoTerminal, has_input, receive};

/// An upper limit for every wait.
pub const LIMIT: Duration = Duration::from_secs(8);

pub fn settings(path: &str) -> Settings {
    Settings {
        address: Address::parse(path).unwrap(),
        baudrate: NonZeroU32::new(115_200).unwrap(),
        flow_control: FlowControl::None,
    }
}

#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    Woken,
    Input(Vec<u8>),
    DamagedInput(Vec<u8>, LineErrors),
    TimedOut { lateness: Duration },
    Lost(String),
    Attached,
    Transmitted(usize),
}

pub enum Order {
    Send(Vec<u8>),
    SendWhenDrained(Vec<u8>),
    SetTimeout(Instant),
    EchoInput,
    Finish,
    Panic,
}

pub struct ReportingDriver {
    orders: Receiver<Order>,
    events: Sender<Event>,
    output: Vec<u8>,
    must_drain: bool,
    echoes: bool,
    timeout: Option<Instant>,
    is_finished: bool,
}

impl ReportingDriver {
    fn report(&self, event: Event) {
        // The test may have ended.
        let _ = self.events.send(event);
    }
}

impl Driver for ReportingDriver {
    fn handle_wake(&mut self, _now: Instant) {
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Send(bytes) => self.output.extend(bytes),
                Order::SendWhenDrained(bytes) => {
                    self.output.extend(bytes);
                    self.must_drain = true;
                }
                Order::SetTimeout(instant) => self.timeout = Some(instant),
                Order::EchoInput => self.echoes = true,
                Order::Finish => self.is_finished = true,
                Order::Panic => panic!("as ordered"),
            }
        }
        self.report(Event::Woken);
    }

    fn handle_input(&mut self, bytes: &[u8], _now: Instant) {
        if self.echoes {
            self.output.extend(bytes);
        }
        self.report(Event::Input(bytes.to_vec()));
    }

    fn handle_damaged_input(&mut self, bytes: &[u8], errors: LineErrors, _now: Instant) {
        self.report(Event::DamagedInput(bytes.to_vec(), errors));
    }

    fn handle_timeout(&mut self, now: Instant) {
        let due = self.timeout.take().expect("nothing was due");
        self.report(Event::TimedOut { lateness: now.checked_duration_since(due).expect("too early") });
    }

    fn handle_port_lost(&mut self, reason: String, _now: Instant) {
        self.report(Event::Lost(reason));
    }

    fn handle_port_attached(&mut self, _now: Instant) {
        self.report(Event::Attached);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timeout
    }

    fn poll_transmit(&mut self) -> &[u8] {
        &self.output
    }

    fn handle_transmitted(&mut self, count: usize, _now: Instant) {
        self.output.drain(..count);
        self.must_drain = false;
        self.report(Event::Transmitted(count));
    }

    fn must_drain(&self) -> bool {
        self.must_drain
    }

    fn flush(&mut self) {}

    fn is_finished(&self) -> bool {
        self.is_finished
    }
}

/// A driver on its thread, under the test's control. Stopped when it is dropped.
pub struct Rig {
    pub thread: IoThread,
    pub events: Receiver<Event>,
    pub commander: Commander,
    written: Cell<usize>,
}

/// Gives orders to the driver, from any thread.
#[derive(Clone)]
pub struct Commander {
    waker: Waker,
    orders: Sender<Order>,
}

impl Commander {
    pub fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
        self.waker.wake();
    }
}

impl Rig {
    pub fn start(name: &str, port: Box<dyn Port>) -> Self {
        let (order_sender, orders) = channel();
        let (events, event_receiver) = channel();
        let driver = ReportingDriver {
            orders,
            events,
            output: Vec::new(),
            must_drain: false,
            echoes: false,
            timeout: None,
            is_finished: false,
        };
        let thread = IoThread::spawn(name, port, driver).unwrap();
        let commander = Commander { waker: thread.waker(), orders: order_sender };
        Self { thread, events: event_receiver, commander, written: Cell::new(0) }
    }

    pub fn order(&self, order: Order) {
        self.commander.order(order);
    }

    /// Returns the next event that is neither a wake nor a written byte.
    pub fn next(&self) -> Event {
        loop {
            match self.next_of_all() {
                Event::Woken | Event::Transmitted(_) => {}
                event => return event,
            }
        }
    }

    fn next_of_all(&self) -> Event {
        let event = self.events.recv_timeout(LIMIT).expect("no event");
        if let Event::Transmitted(count) = event {
            self.written.set(self.written.get() + count);
        }
        event
    }

    pub fn read(&self, length: usize) -> Vec<u8> {
        let mut read = Vec::new();
        while read.len() < length {
            match self.next() {
                Event::Input(bytes) => read.extend(bytes),
                event => panic!("{event:?} after {} of {length} bytes", read.len()),
            }
        }
        read
    }

    pub fn wait_for_loss(&self) -> String {
        match self.next() {
            Event::Lost(reason) => reason,
            event => panic!("{event:?}"),
        }
    }

    pub fn wait_until_written(&self, length: usize) {
        while self.written.get() < length {
            self.next_of_all();
        }
    }

    /// Waits until the driver has handled a wake.
    pub fn wait_until_woken(&self) {
        while self.next_of_all() != Event::Woken {}
    }

    pub fn finish(&self) {
        self.order(Order::Finish);
        assert!(self.thread.join(LIMIT), "the thread did not end");
    }
}
