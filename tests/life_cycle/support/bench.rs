//! The driver's MQTT service against the simulated module, on a clock that jumps to the next event.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use simcom_mqtt::at::ClientIndex;
use simcom_mqtt::channel::{self, Engine, Event};
use simcom_mqtt::commands::messages::PublishFlags;
use simcom_mqtt::commands::{
    ClientId, KeepAlive, OperationTimeout, ProtocolVersion, QoS, ServerAddress, Topic,
};
use simcom_mqtt::mqtt::{
    ClientState, ConnectPlan, Deferred, Error, Message, ModuleState, MqttService, Output, ReconnectPolicy,
    Session, Settings, TaskId,
};

use super::fault::Fault;
use super::module::SimulatedModule;
use super::piece::{Stage, Step};
use super::told::{Ending, Told};

pub const CLIENT_ID: &str = "rig";
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);
/// The port is back after this time.
const NO_PORT: Duration = Duration::from_secs(8);
/// Everything is over long before.
const LONGEST: Duration = Duration::from_secs(3600);

/// The point at which something strikes: before this piece of output leaves the module.
#[derive(Clone, Copy, Debug)]
pub enum When {
    Step(&'static str, Stage),
    /// So many pieces later.
    Piece(usize),
}

/// Strikes once.
pub struct Strike {
    pub when: When,
    pub act: Box<dyn FnOnce(&mut Bench)>,
}

impl Strike {
    pub fn fault(when: When, fault: Fault) -> Self {
        Self { when, act: Box::new(move |bench| bench.strike(fault)) }
    }
}

/// With delays that are not random.
pub fn policy(resend_qos2: bool) -> ReconnectPolicy {
    ReconnectPolicy {
        min_delay: Duration::from_secs(2),
        max_delay: Duration::from_secs(2),
        give_up_after: None,
        resend_qos2,
    }
}

pub struct Bench {
    pub service: MqttService,
    pub module: SimulatedModule,
    pub now: Instant,
    /// Everything that was told, in its order.
    pub told: Arc<Mutex<Vec<Told>>>,
    /// The pieces that the module sent since the last strike.
    pub steps: Vec<Step>,
    strikes: VecDeque<Strike>,
    state: ModuleState,
    port_is_open: bool,
    port_returns: Option<Instant>,
    unfinished: Arc<Mutex<Vec<String>>>,
    next_task: TaskId,
}

impl Bench {
    /// A module that was opened.
    pub fn new() -> Self {
        let now = Instant::now();
        let engine = Engine::new(channel::Settings { command_timeout: COMMAND_TIMEOUT, baudrate: 115_200 });
        let settings = Settings {
            port: "/dev/ttyUSB2".to_owned(),
            baudrate: 115_200,
            reserved_bytes: None,
            command_timeout: COMMAND_TIMEOUT,
        };
        let mut bench = Self {
            service: MqttService::new(engine, settings, now),
            module: SimulatedModule::new(),
            now,
            told: Arc::default(),
            steps: Vec::new(),
            strikes: VecDeque::new(),
            state: ModuleState::default(),
            port_is_open: false,
            port_returns: None,
            unfinished: Arc::default(),
            next_task: 1_000_000,
        };
        bench.start("open", |session| async move { session.open_port().await });
        bench.finish();
        bench
    }

    /// Client 0 is connected and subscribed to two topics, and reconnects.
    pub fn connected(policy: ReconnectPolicy) -> Self {
        let mut bench = Self::new();
        bench.connect(ClientIndex::Zero, Some(policy));
        bench.subscribe(ClientIndex::Zero, "down/a", QoS::AtLeastOnce);
        bench.subscribe(ClientIndex::Zero, "down/b", QoS::AtMostOnce);
        let is_done = |told: &Told| matches!(told, Told::Ended(_, Ending::Done));
        let told = bench.take_told();
        assert!(told.iter().all(is_done), "{told:?}");
        bench.steps.clear();
        bench.module.commands.clear();
        bench
    }

    pub fn connect(&mut self, client: ClientIndex, policy: Option<ReconnectPolicy>) {
        let plan = ConnectPlan {
            server: ServerAddress::parse("tcp://broker:1883", None).unwrap(),
            client_id: Some(ClientId::parse(CLIENT_ID).unwrap()),
            client: Some(client),
            credentials: None,
            keep_alive: KeepAlive::parse(60).unwrap(),
            clean_session: true,
            will: None,
            tls: None,
            version: ProtocolVersion::V3_1_1,
            check_utf8: true,
            operation_timeout: OperationTimeout::parse(30).unwrap(),
            timeout: Duration::from_secs(60),
        };
        self.start("connect", move |session| async move { session.connect(plan, policy).await.map(drop) });
        self.finish();
    }

    pub fn subscribe(&mut self, client: ClientIndex, topic: &'static str, qos: QoS) {
        self.start("subscribe", move |session| async move {
            let topic = Topic::parse(topic).unwrap();
            session.subscribe(client, topic, qos, false, Duration::from_secs(60)).await
        });
        self.finish();
    }

    /// Queues a publish, whose payload is its name.
    pub fn publish(&mut self, client: ClientIndex, name: &str, qos: QoS) -> TaskId {
        let message = Message {
            topic: Topic::parse("up").unwrap(),
            payload: name.as_bytes().to_vec(),
            qos,
            flags: PublishFlags::default(),
            timeout: Duration::from_secs(60),
            is_timed_from_its_turn: true,
        };
        self.start(name, move |session| session.publish(client, message, Deferred::default()))
    }

    pub fn start<F>(&mut self, name: &str, procedure: impl FnOnce(Session) -> F + Send + 'static) -> TaskId
    where
        F: Future<Output = Result<(), Error>> + 'static,
    {
        let (told, unfinished, name) = (self.told.clone(), self.unfinished.clone(), name.to_owned());
        self.unfinished.lock().unwrap().push(name.clone());
        self.next_task += 1;
        self.service.start(
            self.next_task,
            Box::new(move |session| {
                Box::pin(async move {
                    let result = procedure(session.clone()).await;
                    session.tell(move || {
                        unfinished.lock().unwrap().retain(|known| *known != name);
                        told.lock().unwrap().push(Told::Ended(name, result.into()));
                    });
                })
            }),
            self.now,
        );
        self.take_outputs();
        self.next_task
    }

    /// Cancels a publish if no byte of it was written.
    pub fn cancel_unwritten(&mut self, publish: TaskId) -> bool {
        let is_cancelled = self.service.cancel_unwritten(publish, self.now);
        self.take_outputs();
        is_cancelled
    }

    /// The state of client 0, as it was told last.
    pub fn client_state(&self) -> &ClientState {
        self.state.client_state(ClientIndex::Zero)
    }

    /// Strikes later, one after the other.
    pub fn plan(&mut self, strikes: impl IntoIterator<Item = Strike>) {
        self.steps.clear();
        self.strikes.extend(strikes);
    }

    /// Returns whether everything that was planned has struck.
    pub fn has_struck(&self) -> bool {
        self.strikes.is_empty()
    }

    pub fn strike(&mut self, fault: Fault) {
        self.module.strike(fault, self.now);
        if matches!(fault, Fault::PortLost | Fault::PowerLost) && self.port_is_open {
            self.port_is_open = false;
            self.port_returns = Some(self.now + NO_PORT);
            self.service.handle_port_lost("unplugged".to_owned(), self.now);
            self.take_outputs();
        }
    }

    /// Lets time pass until every call has ended and nothing goes on any more.
    pub fn finish(&mut self) {
        let limit = self.now + LONGEST;
        while self.step(limit) {}
        let unfinished = self.unfinished.lock().unwrap();
        assert!(unfinished.is_empty(), "{unfinished:?} did not end; told: {:?}", self.told.lock().unwrap());
    }

    /// Does what is due now, or lets the clock jump. Returns whether there was something.
    pub fn step(&mut self, limit: Instant) -> bool {
        if self.transfer() {
            return true;
        }
        let next = self.service.poll_timeout().into_iter().chain(self.module.poll_timeout()).min();
        let Some(next) = next.filter(|next| *next <= limit) else { return false };
        self.now = self.now.max(next);
        self.module.handle_timeout(self.now);
        self.service.handle_timeout(self.now);
        self.take_outputs();
        true
    }

    /// Asserts that the module has the client as [`Bench::connected`] left it.
    pub fn expect_back(&self) {
        let client = &self.module.clients[0];
        assert_eq!(client.connection.as_deref(), Some("\"tcp://broker:1883\",60,1"));
        // A module that is lost in the data entry of SUB makes a topic of what finds it again.
        let is_entered = |topic: &str| topic.starts_with("down/");
        let subscriptions = client.subscriptions.iter().filter(|(topic, _)| is_entered(topic));
        let subscriptions: Vec<_> = subscriptions.map(|(topic, qos)| (topic.as_str(), *qos)).collect();
        assert_eq!(subscriptions, [("down/a", 1), ("down/b", 0)]);
    }

    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }

    /// Moves bytes over the line, one piece each way.
    fn transfer(&mut self) -> bool {
        if !self.port_is_open {
            self.module.lose_output();
            return false;
        }
        let bytes = self.service.unwritten().to_vec();
        if !bytes.is_empty() {
            self.service.handle_written(bytes.len(), self.now);
            self.module.read(&bytes, self.now);
            self.take_outputs();
            return true;
        }
        let Some(next) = self.module.peek() else { return false };
        let is_due = |strike: &Strike| match strike.when {
            When::Step(command, stage) => next.step.command == command && next.step.stage == stage,
            When::Piece(count) => self.steps.len() >= count,
        };
        if self.strikes.front().is_some_and(is_due) {
            self.steps.clear();
            let strike = self.strikes.pop_front().expect("there is one");
            (strike.act)(self);
            return true;
        }
        if let Some(piece) = self.module.send() {
            self.service.handle_input(&piece.bytes, self.now);
            self.steps.push(piece.step);
            self.take_outputs();
        }
        true
    }

    fn take_outputs(&mut self) {
        while let Some(output) = self.service.poll_output() {
            let told = match output {
                Output::Result(tell) => {
                    tell();
                    continue;
                }
                Output::OpenPort => {
                    self.open_port();
                    continue;
                }
                Output::Event(event) => match event {
                    Event::ConnectionLost { client, cause } => Told::ConnectionLost(client.number(), cause),
                    Event::NetworkLost => Told::NetworkLost,
                    Event::Restarted => Told::Restarted,
                    Event::PortLost(_) => Told::PortLost,
                    Event::Mute => Told::Mute,
                    _ => continue,
                },
                Output::MessagesEnded(client, cause) => Told::MessagesEnded(client.number(), cause),
                Output::Reconnected(client) => Told::Reconnected(client.number()),
                Output::ReconnectFailed { client, .. } => Told::ReconnectFailed(client.number()),
                Output::ReconnectEnded { client, .. } => Told::ReconnectEnded(client.number()),
                Output::NotSubscribedAgain { client, .. } => Told::NotSubscribedAgain(client.number()),
                Output::State(state) => {
                    self.state = state;
                    continue;
                }
                Output::Warning(_) => continue,
            };
            self.told.lock().unwrap().push(told);
        }
    }

    fn open_port(&mut self) {
        if self.port_returns.is_some_and(|returns| returns > self.now) {
            self.service.port_not_opened("no such port".to_owned(), self.now);
        } else {
            self.port_returns = None;
            self.port_is_open = true;
            self.service.handle_port_attached(self.now);
        }
    }
}
