use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::driver::ModemDriver;
use super::error::Error;
use super::event_router::EventRouter;
use super::inbox::QueueLimits;
use super::operation::Operation;
use super::port_opener::PortOpener;
use super::publish_gate::PublishGate;
use super::requests::{Request, Requests};
use super::transcript::Transcript;
use super::wait::Cancellation;
use crate::at::ClientIndex;
use crate::channel::{self, Engine};
use crate::commands::ClientId;
use crate::link::{self, Address, FlowControl, IoThread, Waker};
use crate::mqtt::{
    self, ConnectPlan, Deferred, Message, ModuleState, MqttService, Procedure, ReconnectPolicy, Session,
};

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
///
/// Every operation is a procedure of [`Session`] that the I/O thread runs; callers get its future.
pub struct Modem {
    configuration: Configuration,
    settings: mqtt::Settings,
    requests: Requests,
    router: Arc<EventRouter>,
    /// Taken out, and left alone, in a forked child: its locks may be held for ever.
    thread: Option<Arc<IoThread>>,
    gates: [Arc<PublishGate>; 2],
    is_closed: AtomicBool,
    process: u32,
}

const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

impl Modem {
    /// Begins to open the port, to find the module and to switch its echo off: the operation ends with that. If it fails, the
    /// caller closes the modem.
    ///
    /// # Errors
    ///
    /// [`Error::Address`], [`Error::Transcript`], and [`mqtt::Error::PortLost`] if the system has no thread left. The
    /// operation: [`mqtt::Error::PortUnavailable`] if the port cannot be opened, [`mqtt::Error::Mute`] if nothing answers.
    pub fn open(configuration: Configuration) -> Result<(Self, Operation<()>), Error> {
        let address = Address::parse(&configuration.port)?;
        let (baudrate, flow_control) = (configuration.baudrate, configuration.flow_control);
        let transcript = configuration.transcript.as_deref().map(|path| {
            Transcript::create(path, &configuration.port, baudrate.get())
                .map_err(|error| Error::Transcript { path: path.to_owned(), reason: Arc::new(error) })
        });
        let router = Arc::new(EventRouter::new(configuration.queue_limits, transcript.transpose()?));
        let no_thread = |error: std::io::Error| {
            let (port, reason) = (configuration.port.clone(), error.to_string());
            Error::from(mqtt::Error::PortLost { port, reason })
        };
        let waker = Waker::new().map_err(no_thread)?;
        let requests = Requests::new(waker.clone());
        let settings = mqtt::Settings {
            port: configuration.port.clone(),
            baudrate: baudrate.get(),
            reserved_bytes: (flow_control == FlowControl::Software).then_some([XON, XOFF]),
            command_timeout: configuration.command_timeout,
        };
        let port_opener = Arc::new(OnceLock::new());
        let make_driver = {
            let (command_timeout, baudrate) = (settings.command_timeout, settings.baudrate);
            let mut engine = Engine::new(channel::Settings { command_timeout, baudrate });
            engine.set_tracing(router.log_lines(configuration.log_lines));
            let settings = settings.clone();
            let (requests, router, port_opener) = (requests.clone(), router.clone(), port_opener.clone());
            move || {
                let service = MqttService::new(engine, settings, Instant::now());
                ModemDriver::new(service, requests, router, port_opener)
            }
        };
        let thread = IoThread::spawn_with("simcom-mqtt-io", None, waker, make_driver).map_err(no_thread)?;
        let thread = Arc::new(thread);
        let port_settings = link::Settings { address, baudrate, flow_control };
        let opener = PortOpener::new(
            port_settings,
            configuration.port.clone(),
            router.clone(),
            requests.clone(),
            &thread,
        );
        // Set once, here: no procedure has asked for the port yet.
        let _ = port_opener.set(Arc::new(opener));
        let modem = Self {
            configuration,
            settings,
            requests,
            router,
            thread: Some(thread),
            gates: Default::default(),
            is_closed: AtomicBool::new(false),
            process: std::process::id(),
        };
        let opening = modem.start(|session| async move { session.open_port().await });
        Ok((modem, opening))
    }

    pub fn port(&self) -> &str {
        &self.configuration.port
    }

    pub fn command_timeout(&self) -> Duration {
        self.configuration.command_timeout
    }

    pub fn router(&self) -> &Arc<EventRouter> {
        &self.router
    }

    /// A copy of the module's state.
    pub fn state(&self) -> ModuleState {
        self.router.state()
    }

    pub fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Acquire) && !self.is_forked()
    }

    /// Switches the log of lines both ways on or off.
    pub fn log_lines(&self, on: bool) {
        self.requests.put(Request::Trace(self.router.log_lines(on)));
    }

    /// Starts a procedure on the I/O thread.
    pub fn start<T, F>(&self, procedure: impl FnOnce(Session) -> F + Send + 'static) -> Operation<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, mqtt::Error>> + 'static,
    {
        let (sender, operation) = Operation::new(self.requests.clone());
        if self.is_forked() {
            sender.send(Err(Error::Forked));
            return operation;
        }
        let procedure: Procedure = Box::new(move |session| {
            Box::pin(async move {
                let result = procedure(session.clone()).await;
                session.tell(move || sender.send(result.map_err(Error::from)));
            })
        });
        // Dropped unsent, the sender says that the driver is closed.
        let task = self.requests.start(procedure);
        operation.with_task(task)
    }

    /// Connects a client. If the caller stops waiting, the client that it comes to is taken down.
    pub fn connect(
        &self,
        plan: ConnectPlan,
        policy: Option<ReconnectPolicy>,
    ) -> Operation<(ClientIndex, ClientId)> {
        self.start(move |session| session.connect(plan, policy)).with_undo(|(client, _)| take_down(client))
    }

    /// Acquires a client. If the caller stops waiting, it is released.
    pub fn acquire(&self, client: ClientIndex, client_id: ClientId, tls: bool) -> Operation<()> {
        self.start(move |session| async move { session.acquire(client, &client_id, tls).await })
            .with_undo(move |()| take_down(client))
    }

    /// Publishes a message. A result that comes after the timeout goes to `deferred`.
    ///
    /// # Errors
    ///
    /// [`mqtt::Error::Invalid`] at once, if the message cannot be sent.
    pub fn publish(
        &self,
        client: ClientIndex,
        message: Message,
        deferred: Deferred,
    ) -> Result<Operation<()>, Error> {
        message.check(&self.settings)?;
        Ok(self.start(move |session| session.publish(client, message, deferred)))
    }

    /// Queues a publish, whose result `receiver` gets on the I/O thread. Blocks while too many publishes of the client wait.
    ///
    /// # Errors
    ///
    /// [`Error::closed`] if the driver is closed, [`Error::interrupted`].
    pub fn queue_publish(
        &self,
        client: ClientIndex,
        message: Message,
        deferred: Deferred,
        cancellation: &dyn Cancellation,
        receiver: impl FnOnce(Result<(), Error>) + Send + 'static,
    ) -> Result<QueuedPublish, Error> {
        let place = self.gates[client.slot()].enter(cancellation)?;
        let operation = self.publish(client, message, deferred)?;
        let task = operation.task();
        operation.then(move |result| {
            drop(place);
            receiver(result);
        });
        Ok(QueuedPublish { requests: self.requests.clone(), task })
    }

    /// Idempotent, from any thread. Everything that waits ends with [`Error::closed`].
    pub fn begin_closing(&self) {
        if self.is_forked() || self.is_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        for gate in &self.gates {
            gate.close();
        }
        self.requests.put(Request::Close);
    }

    /// Waits until the port is closed; a driver that does not end by itself is stopped.
    ///
    /// # Errors
    ///
    /// [`Error::interrupted`]; the closing goes on.
    pub fn finish_closing(&self, deadline: Instant, cancellation: &dyn Cancellation) -> Result<(), Error> {
        let Some(thread) = self.thread.as_ref().filter(|_| !self.is_forked()) else { return Ok(()) };
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if thread.join(cancellation.interval().map_or(left, |interval| interval.min(left))) {
                return Ok(());
            }
            if left.is_zero() {
                thread.stop();
                return Ok(());
            }
            if cancellation.is_cancelled() {
                return Err(Error::interrupted());
            }
        }
    }

    /// In a forked child the threads are gone and the locks may be held for ever.
    pub fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }
}

/// A publish that was queued.
pub struct QueuedPublish {
    requests: Requests,
    task: Option<mqtt::TaskId>,
}

impl QueuedPublish {
    /// Cancels the publish if no byte of it was written. Returns whether it is cancelled.
    ///
    /// # Errors
    ///
    /// [`Error::interrupted`].
    pub fn cancel(&self, cancellation: &dyn Cancellation) -> Result<bool, Error> {
        let Some(task) = self.task else { return Ok(false) };
        let (sender, answer) = Operation::new(self.requests.clone());
        let send = Box::new(move |is_cancelled| sender.send(Ok(is_cancelled)));
        self.requests.put(Request::CancelUnwritten(task, send));
        match answer.wait(cancellation) {
            Err(Error::Mqtt(mqtt::Error::Closed)) => Ok(false),
            answer => answer,
        }
    }
}

fn take_down(client: ClientIndex) -> Procedure {
    Box::new(move |session| {
        Box::pin(async move {
            session.take_down_later(client);
        })
    })
}

impl Drop for Modem {
    /// Signals and never joins: the caller may hold the interpreter.
    fn drop(&mut self) {
        if self.is_forked() {
            std::mem::forget(self.thread.take());
            // Dropping their contents would take locks.
            std::mem::forget((self.router.clone(), self.requests.clone()));
            return;
        }
        self.requests.put(Request::Close);
    }
}
