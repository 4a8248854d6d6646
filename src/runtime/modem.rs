use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::capture::QueueLimits;
use super::driver::ModemDriver;
use super::error::Error;
use super::facts::{ClientFacts, Facts};
use super::hub::Hub;
use super::late::LateResult;
use super::mailbox::{Mailbox, Request, Submission};
use super::opening::open_port;
use super::patience::{Endless, Interrupted, Patience};
use super::publish_gate::{Entry, Gate, PublishGates};
use super::restoring::KeptClient;
use super::ticket::{Completion, Slot, Ticket};
use super::transcript::Transcript;
use super::waiting::Nothing;
use crate::at::{ClientIndex, Command};
use crate::channel::{self, Answers, Awaited, Engine, Failure, Transaction, TransactionId};
use crate::commands::{Invalid, PayloadLimit, Query};
use crate::link::{self, Address, FlowControl, IoThread, PortIdentity, Waker};

/// How to open a module.
#[derive(Clone, Debug)]
pub struct Configuration {
    pub port: String,
    pub baudrate: std::num::NonZeroU32,
    pub flow_control: FlowControl,
    pub command_timeout: Duration,
    pub queue_limits: QueueLimits,
    /// Lines both ways go to the log from the beginning.
    pub log_lines: bool,
    /// A file that gets everything both ways.
    pub transcript: Option<PathBuf>,
}

/// A module on an open port: the part that other threads hold.
pub struct Modem {
    configuration: Configuration,
    mailbox: Arc<Mailbox>,
    waker: Waker,
    hub: Arc<Hub>,
    /// Taken out, and left alone, in a forked child: its locks may be held for ever.
    thread: Option<IoThread>,
    pub(super) gates: PublishGates,
    /// For who starts the service and chooses a client: two at once would do the same.
    preparing: Arc<Gate>,
    next_id: AtomicU64,
    closed: AtomicBool,
    pub(super) payload_limit: Mutex<Option<PayloadLimit>>,
    kept: Mutex<[Option<KeptClient>; 2]>,
    restoring_service: Mutex<()>,
    /// To know the port by when it comes back under another name.
    identity: Arc<PortIdentity>,
    process: u32,
}

/// The opening transaction is the first.
const OPENING: TransactionId = 1;
/// Enough for the last bytes to be read and the port to be closed.
const CLOSING_TIME: Duration = Duration::from_secs(2);

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

fn flow_control_byte() -> Invalid {
    let expected = "sent with flow_control=\"hardware\" or \"none\": software flow control takes these two bytes for itself";
    Invalid::with("topic or data", "XON or XOFF (0x11, 0x13)", expected)
}

impl Modem {
    /// Opens the port, finds the module and turns its echo off.
    ///
    /// # Errors
    ///
    /// The port cannot be opened, or nothing answers on it.
    pub fn open(configuration: Configuration, patience: &dyn Patience) -> Result<Self, Error> {
        let address = Address::parse(&configuration.port)?;
        let (baudrate, flow_control) = (configuration.baudrate, configuration.flow_control);
        let mut port = open_port(link::Settings { address, baudrate, flow_control }, patience)?;
        let identity = Arc::new(PortIdentity::of(&configuration.port));
        let settings =
            channel::Settings { command_timeout: configuration.command_timeout, baudrate: baudrate.get() };
        let transcript = configuration.transcript.as_deref().map(|path| {
            Transcript::create(path, &configuration.port, baudrate.get())
                .map_err(|error| Error::Transcript { path: path.to_owned(), reason: Arc::new(error) })
        });
        let hub = Arc::new(Hub::new(configuration.queue_limits, transcript.transpose()?));
        port.take_warnings().into_iter().for_each(|warning| hub.warn(warning));
        let mailbox = Arc::new(Mailbox::default());
        let slot = Arc::new(Slot::default());
        let mut engine = Engine::new(settings);
        engine.set_tracing(hub.log_lines(configuration.log_lines));
        let mut driver = ModemDriver::new(engine, mailbox.clone(), hub.clone(), identity.clone());
        driver.open(OPENING, Completion::Waiting(slot.clone()), Instant::now());
        let thread = IoThread::spawn("simcom-mqtt-io", port, driver).map_err(|error| Error::PortLost {
            port: configuration.port.clone(),
            reason: error.to_string(),
        })?;
        let modem = Self {
            configuration,
            mailbox,
            waker: thread.waker(),
            hub,
            thread: Some(thread),
            gates: PublishGates::default(),
            preparing: Arc::default(),
            next_id: AtomicU64::new(OPENING + 1),
            closed: AtomicBool::new(false),
            payload_limit: Mutex::default(),
            kept: Mutex::default(),
            restoring_service: Mutex::default(),
            identity,
            process: std::process::id(),
        };
        let outcome = slot.wait(patience);
        let result = match outcome {
            Err(_) => Err(Error::Interrupted),
            Ok(Ok(_) | Err(Failure::Refused { .. })) => Ok(()),
            Ok(Err(Failure::NoAnswer { .. } | Failure::Mute { .. })) => Err(modem.mute()),
            Ok(Err(failure)) => Err(modem.error(failure, Duration::ZERO, None)),
        };
        if let Err(error) = result {
            modem.begin_closing();
            // Nobody can interrupt this, and the error is known already.
            let _ = modem.finish_closing(Instant::now() + CLOSING_TIME, &Endless);
            return Err(error);
        }
        Ok(modem)
    }

    pub fn port(&self) -> &str {
        &self.configuration.port
    }

    pub fn command_timeout(&self) -> Duration {
        self.configuration.command_timeout
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    pub fn facts(&self) -> Facts {
        self.hub.facts()
    }

    pub fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Acquire) && !self.is_forked()
    }

    /// Lines both ways go to the log, or do not.
    pub fn log_lines(&self, on: bool) {
        let _ = self.mailbox.put(Request::Trace(self.hub.log_lines(on)));
        self.waker.wake();
    }

    /// Idempotent, from any thread. Everything that waits ends with [`Error::Closed`].
    pub fn begin_closing(&self) {
        if self.is_forked() {
            return;
        }
        let first = !self.closed.swap(true, Ordering::AcqRel);
        if first && self.mailbox.put(Request::Close).is_ok() {
            self.waker.wake();
        }
    }

    /// Waits until the port is closed; a driver that does not come to it is stopped.
    ///
    /// # Errors
    ///
    /// The wait was interrupted; the closing goes on.
    pub fn finish_closing(&self, deadline: Instant, patience: &dyn Patience) -> Result<(), Interrupted> {
        let Some(thread) = self.thread.as_ref().filter(|_| !self.is_forked()) else { return Ok(()) };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if thread.join(patience.interval().map_or(left, |interval| interval.min(left))) {
                return Ok(());
            }
            if left.is_zero() {
                thread.stop();
                return Ok(());
            }
            patience.go_on()?;
        }
    }

    /// In a forked child the threads are gone and the locks may be held for ever.
    pub fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// Runs one command.
    ///
    /// # Errors
    ///
    /// Whatever the module, the line or time says.
    pub fn run(
        &self,
        command: Command,
        timeout: Duration,
        patience: &dyn Patience,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let mut answers = self.execute(Transaction::single(command, timeout), patience)?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Runs one command within the time-out of commands, and reads its answer.
    ///
    /// # Errors
    ///
    /// The failures of [`Modem::run`], and [`Error::UnexpectedAnswer`].
    pub fn ask<Q: Query>(&self, query: &Q, patience: &dyn Patience) -> Result<Q::Answer, Error> {
        Ok(query.answer(&self.run_soon(query.command(), patience)?)?)
    }

    /// What a command may take: its own limit, after it has had its turn.
    pub(super) fn usual_timeout(&self, command: &Command) -> Duration {
        command.limit().unwrap_or(self.command_timeout()) + self.command_timeout()
    }

    /// # Errors
    ///
    /// Whatever the module, the line or time says.
    pub fn execute(&self, transaction: Transaction, patience: &dyn Patience) -> Result<Answers, Error> {
        let ticket = self.submit(transaction)?;
        self.wait(&ticket, patience)
    }

    /// Lets time pass; closing the port ends it.
    pub(super) fn pause(&self, time: Duration, patience: &dyn Patience) -> Result<(), Error> {
        match self.hub.closing().wait(Instant::now() + time, patience) {
            Nothing::TimedOut => Ok(()),
            Nothing::Closed | Nothing::Ended | Nothing::Lost(_) => Err(Error::Closed),
            Nothing::Interrupted => Err(Error::Interrupted),
        }
    }

    /// A client that somebody acquired before us, unless we know it already.
    pub fn found(&self, client: ClientIndex, found: ClientFacts) {
        self.hub.change_facts(|facts| {
            if facts.client(client).is_none_or(|known| known.client_id != found.client_id) {
                facts.found(client, found);
            }
        });
    }

    /// Waits while somebody else starts the service or chooses a client.
    pub(super) fn begin_preparing(&self, deadline: Instant, patience: &dyn Patience) -> Result<Entry, Error> {
        let began = Instant::now();
        self.preparing.enter(1, Some(deadline), patience).map_err(|nothing| match nothing {
            Nothing::TimedOut => Error::NoAnswer {
                command: "AT+CMQTTCONNECT".to_owned(),
                awaited: Awaited::Channel,
                seconds: began.elapsed().as_secs_f64(),
            },
            _ => Error::Interrupted,
        })
    }

    pub(super) fn kept(&self) -> &Mutex<[Option<KeptClient>; 2]> {
        &self.kept
    }

    pub(super) fn restoring_service(&self) -> &Mutex<()> {
        &self.restoring_service
    }

    /// False if the driver has ended, and with it whatever was asked.
    pub(super) fn request(&self, request: Request) -> bool {
        let is_taken = self.mailbox.put(request).is_ok();
        if is_taken {
            self.waker.wake();
        }
        is_taken
    }

    /// Opens the same device again, wherever it is now, and finds the module behind it.
    pub(super) fn attach_port_again(&self) -> Result<(), Error> {
        let Some(thread) = &self.thread else { return Err(Error::Forked) };
        let path = match self.identity.candidates().into_iter().next() {
            Some(path) => path,
            None if self.identity.is_usb() => return Err(Error::PortAway { port: self.port().to_owned() }),
            None => self.configuration.port.clone(),
        };
        let (baudrate, flow_control) = (self.configuration.baudrate, self.configuration.flow_control);
        let port = link::open(&link::Settings { address: Address::parse(&path)?, baudrate, flow_control })?;
        self.identity.note_attached(&path);
        thread.attach(port);
        self.find_module_again()
    }

    pub(super) fn find_module_again(&self) -> Result<(), Error> {
        let slot = Arc::new(Slot::default());
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        if !self.request(Request::Open(id, Completion::Waiting(slot.clone()))) {
            return Err(Error::Closed);
        }
        match slot.wait(&Endless) {
            Ok(Ok(_) | Err(Failure::Refused { .. })) => Ok(()),
            Ok(Err(Failure::NoAnswer { .. } | Failure::Mute { .. })) => Err(self.mute()),
            Ok(Err(failure)) => Err(self.error(failure, Duration::ZERO, None)),
            Err(_) => Err(Error::Interrupted),
        }
    }

    pub(super) fn submit(&self, transaction: Transaction) -> Result<Ticket, Error> {
        let slot = Arc::new(Slot::default());
        let id = self.put(transaction, Completion::Waiting(slot.clone()), None, false)?;
        Ok(Ticket { id, slot, late: None })
    }

    pub(super) fn submit_connected(
        &self,
        transaction: Transaction,
        late: Option<Arc<LateResult>>,
    ) -> Result<Ticket, Error> {
        let slot = Arc::new(Slot::default());
        let id = self.put(transaction, Completion::Waiting(slot.clone()), late.clone(), true)?;
        Ok(Ticket { id, slot, late })
    }

    pub(super) fn put(
        &self,
        transaction: Transaction,
        completion: Completion,
        late: Option<Arc<LateResult>>,
        waits_for_connection: bool,
    ) -> Result<TransactionId, Error> {
        if self.is_forked() {
            return Err(Error::Forked);
        }
        if self.closed.load(Ordering::Acquire) {
            return Err(Error::Closed);
        }
        if self.configuration.flow_control == FlowControl::Software && transaction.contains_any([XON, XOFF]) {
            return Err(Error::Invalid(flow_control_byte()));
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let request = Request::Submit(Submission { id, transaction, completion, late, waits_for_connection });
        self.mailbox.put(request).map_err(|_| Error::Closed)?;
        self.waker.wake();
        Ok(id)
    }

    pub(super) fn wait(&self, ticket: &Ticket, patience: &dyn Patience) -> Result<Answers, Error> {
        let began = Instant::now();
        let Ok(outcome) = ticket.slot.wait(patience) else {
            self.abandon(ticket.id);
            return Err(Error::Interrupted);
        };
        outcome.map_err(|failure| self.error(failure, began.elapsed(), ticket.late.clone()))
    }

    /// Refuses bytes that software flow control would take out of the line.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there is XON or XOFF in `bytes`.
    pub(super) fn check_flow_control(&self, bytes: &[u8]) -> Result<(), Error> {
        let is_software = self.configuration.flow_control == FlowControl::Software;
        if is_software && bytes.iter().any(|byte| [XON, XOFF].contains(byte)) {
            return Err(Error::Invalid(flow_control_byte()));
        }
        Ok(())
    }

    fn error(&self, failure: Failure, waited: Duration, late: Option<Arc<LateResult>>) -> Error {
        Error::from_failure(failure, &self.facts(), self.port(), waited.as_secs_f64(), late)
    }

    fn mute(&self) -> Error {
        Error::Mute { port: self.port().to_owned(), baudrate: self.configuration.baudrate.get() }
    }
}

impl Drop for Modem {
    /// Signals and never joins: whoever drops it may hold the interpreter.
    fn drop(&mut self) {
        if self.is_forked() {
            std::mem::forget(self.thread.take());
            // Dropping what lies in them would take locks.
            std::mem::forget((self.hub.clone(), self.mailbox.clone()));
            return;
        }
        if self.mailbox.put(Request::Close).is_ok() {
            self.waker.wake();
        }
    }
}
