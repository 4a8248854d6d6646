//! A driver that reports its events to the test, and pseudo-terminals and fake ports to run it on.
#![allow(dead_code, unsafe_code)]

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use simcom_mqtt::link::{Address, Driver, FlowControl, IoThread, LineErrors, Port, Settings, Waker};

/// An upper limit for every wait.
pub const LIMIT: Duration = Duration::from_secs(8);

pub fn settings(path: &str) -> Settings {
    Settings {
        address: Address::parse(path).unwrap(),
        baudrate: NonZeroU32::new(115_200).unwrap(),
        flow_control: FlowControl::None,
    }
}

/// The far end of a pseudo-terminal, and the path of its near end.
pub struct PseudoTerminal {
    pub master: File,
    /// Kept open, as the simulated module does, so that the master can be read before the port is opened.
    pub slave: File,
    pub path: String,
}

impl PseudoTerminal {
    pub fn open() -> Self {
        let (mut master, mut slave) = (-1, -1);
        // SAFETY: the two descriptors are written, and the null pointers are for what is not wanted.
        let result = unsafe {
            libc::openpty(
                &raw mut master,
                &raw mut slave,
                std::ptr::null_mut(),
                std::ptr::null_mut(),
                std::ptr::null_mut(),
            )
        };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
        // SAFETY: both were opened just now.
        let (master, slave) = unsafe { (File::from_raw_fd(master), File::from_raw_fd(slave)) };
        let path = std::fs::read_link(format!("/proc/self/fd/{}", slave.as_raw_fd())).unwrap();
        Self { master, slave, path: path.to_str().unwrap().to_owned() }
    }

    pub fn settings(&self) -> Settings {
        settings(&self.path)
    }
}

/// Reads `length` bytes from the far end, with a limit in time.
pub fn receive(far: &mut (impl io::Read + AsFd), length: usize) -> Vec<u8> {
    let mut received = vec![0; length];
    let mut filled = 0;
    while filled < length {
        assert!(has_input(far, LIMIT), "{filled} of {length} bytes came");
        filled += far.read(&mut received[filled..]).unwrap();
    }
    received
}

pub fn has_input(far: &impl AsFd, limit: Duration) -> bool {
    let mut watched = libc::pollfd { fd: far.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd is borrowed for the call.
    let count = unsafe { libc::poll(&raw mut watched, 1, i32::try_from(limit.as_millis()).unwrap()) };
    count == 1 && watched.revents & libc::POLLIN != 0
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

/// A port on any descriptor. The test sets the number of unsent bytes.
pub struct FakePort {
    file: File,
    unsent: Arc<AtomicUsize>,
}

impl FakePort {
    pub fn new(file: impl Into<std::os::fd::OwnedFd>) -> (Self, Arc<AtomicUsize>) {
        let file = File::from(file.into());
        // SAFETY: no memory is passed.
        let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        assert_eq!(result, 0);
        let unsent = Arc::new(AtomicUsize::new(0));
        (Self { file, unsent: unsent.clone() }, unsent)
    }
}

impl Port for FakePort {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match io::Read::read(&mut self.file, buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut self.file, bytes)
    }

    fn output_pending(&self) -> usize {
        self.unsent.load(Ordering::SeqCst)
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        NonZeroU32::new(115_200)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
