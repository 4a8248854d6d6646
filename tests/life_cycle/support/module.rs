//! A module that keeps its state as the real one does, and forgets it as the real one does.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::fault::Fault;
use super::piece::{Effect, Piece, Stage};

/// How long a boot, a lost network, and a module that hangs last.
const BOOT: Duration = Duration::from_secs(4);
const NO_NETWORK: Duration = Duration::from_secs(20);
const HANG: Duration = Duration::from_secs(30);

/// `no connection`, `client not acquired`, `client is used` and `network open failed`, chapter 4.1.
const NO_CONNECTION: u8 = 11;
const NOT_ACQUIRED: u8 = 20;
const IS_USED: u8 = 19;
const OPEN_FAILED: u8 = 3;

/// A message that the module handed to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub client: usize,
    pub payload: String,
    pub qos: u8,
    pub dup: bool,
}

#[derive(Debug, Default)]
pub struct ModuleClient {
    pub id: Option<String>,
    /// The parameters of CONNECT, while it is connected.
    pub connection: Option<String>,
    pub subscriptions: Vec<(String, u8)>,
    topic: Vec<u8>,
    payload: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    line: String,
    missing: usize,
    data: Vec<u8>,
}

#[derive(Debug)]
pub struct SimulatedModule {
    pub is_started: bool,
    pub clients: [ModuleClient; 2],
    pub published: Vec<Published>,
    /// The command lines, in their order.
    pub commands: Vec<String>,
    echo: bool,
    line: Vec<u8>,
    entry: Option<Entry>,
    output: VecDeque<Piece>,
    network_returns: Option<Instant>,
    /// Reads and says nothing until then, and then says this.
    deaf: Option<(Instant, Vec<Piece>)>,
}

impl SimulatedModule {
    pub fn new() -> Self {
        Self {
            is_started: false,
            clients: Default::default(),
            published: Vec::new(),
            commands: Vec::new(),
            echo: true,
            line: Vec::new(),
            entry: None,
            output: VecDeque::new(),
            network_returns: None,
            deaf: None,
        }
    }

    pub fn read(&mut self, bytes: &[u8], now: Instant) {
        if self.deaf.is_some() {
            return;
        }
        for byte in bytes {
            self.read_byte(*byte, now);
        }
    }

    /// The step of the next piece of output.
    pub fn peek(&self) -> Option<&Piece> {
        self.output.front()
    }

    /// Sends the next piece of output.
    pub fn send(&mut self) -> Option<Piece> {
        let piece = self.output.pop_front()?;
        self.take_effect(&piece);
        Some(piece)
    }

    /// The time at which the module does something by itself.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deaf.as_ref().map(|(until, _)| *until)
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some((_, lines)) = self.deaf.take_if(|(until, _)| *until <= now) {
            self.output.extend(lines);
        }
    }

    /// The other end of the cable is out: what the module says is lost.
    pub fn lose_output(&mut self) {
        self.output.clear();
    }

    /// The network does not come back.
    pub fn never_find_network(&mut self, now: Instant) {
        self.network_returns = Some(now + Duration::from_secs(1_000_000));
    }

    pub fn find_network(&mut self) {
        self.network_returns = None;
    }

    pub fn strike(&mut self, fault: Fault, now: Instant) {
        match fault {
            Fault::ConnectionLost(cause) => {
                self.forget_connection(0);
                self.say(&format!("+CMQTTCONNLOST: 0,{cause}"));
            }
            Fault::NetworkLost => {
                self.stop_service();
                self.network_returns.get_or_insert(now + NO_NETWORK);
                self.say("+CMQTTNONET");
            }
            Fault::Reboot => {
                let banner = ["RDY", "+CPIN: READY", "SMS DONE", "PB DONE"];
                self.boot(banner.map(|line| Piece::new("", Stage::Urc, &[line])).to_vec(), now);
            }
            Fault::SilentReboot => self.boot(Vec::new(), now),
            Fault::PowerLost => {
                self.boot(Vec::new(), now);
                self.deaf = None;
            }
            Fault::PortLost => self.lose_output(),
            Fault::Mute => {
                self.lose_output();
                self.deaf = Some((now + HANG, Vec::new()));
            }
            Fault::ServiceStopped => self.stop_service(),
        }
    }

    fn say(&mut self, line: &str) {
        self.output.push_front(Piece::new("", Stage::Urc, &[line]));
    }

    fn boot(&mut self, lines: Vec<Piece>, now: Instant) {
        self.lose_output();
        (self.is_started, self.clients) = (false, Default::default());
        (self.echo, self.entry) = (true, None);
        self.line.clear();
        self.deaf = Some((now + BOOT, lines));
    }

    fn stop_service(&mut self) {
        self.is_started = false;
        for client in 0..2 {
            self.forget_connection(client);
        }
        self.clients = Default::default();
        for piece in self.output.iter_mut().filter(|piece| piece.effect == Effect::Start) {
            *piece = Piece::new("CMQTTSTART", Stage::Result, &[&format!("+CMQTTSTART: {OPEN_FAILED}")]);
        }
    }

    /// Results that need the connection do not come any more.
    fn forget_connection(&mut self, client: usize) {
        let known = &mut self.clients[client];
        known.connection = None;
        known.subscriptions.clear();
        let is_of_client = |piece: &Piece| piece.step.command.ends_with(&format!("={client}"));
        self.output.retain(|piece| {
            !(is_of_client(piece)
                && piece.step.stage == Stage::Result
                && ["CMQTTPUB", "CMQTTSUB", "CMQTTUNSUB"]
                    .iter()
                    .any(|name| piece.step.command.starts_with(name)))
        });
        for piece in self.output.iter_mut().filter(|piece| is_of_client(piece)) {
            if matches!(piece.effect, Effect::Connect { .. }) {
                let result = format!("+CMQTTCONNECT: {client},{OPEN_FAILED}");
                *piece = Piece::new(&piece.step.command.clone(), Stage::Result, &[&result]);
            }
            piece.effect = Effect::None;
        }
    }

    fn read_byte(&mut self, byte: u8, now: Instant) {
        if let Some(mut entry) = self.entry.take() {
            entry.data.push(byte);
            entry.missing -= 1;
            if entry.missing == 0 {
                self.data_is_complete(&entry);
            } else {
                self.entry = Some(entry);
            }
            return;
        }
        match byte {
            b'\r' => {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
                if !line.is_empty() {
                    self.carry_out(&line, now);
                }
            }
            b'\n' if self.line.is_empty() => {}
            _ => self.line.push(byte),
        }
    }

    fn carry_out(&mut self, line: &str, now: Instant) {
        self.commands.push(line.to_owned());
        if self.echo {
            let mut echo = Piece::new(line, Stage::Urc, &[]);
            echo.bytes = format!("{line}\r").into_bytes();
            self.output.push_back(echo);
        }
        let Some(command) = line.strip_prefix("AT+") else {
            return self.carry_out_basic(line);
        };
        let (name, parameters) = command.split_at(command.find(['=', '?']).unwrap_or(command.len()));
        match parameters {
            "=?" => self.answer(command, &[&format!("+{name}: (0-1),(1-1024)"), "OK"]),
            "?" => self.report(command, name),
            _ => self.act(command, name, parameters.trim_start_matches('='), now),
        }
    }

    fn carry_out_basic(&mut self, line: &str) {
        match line {
            "ATE0" => self.echo = false,
            "ATE1" => self.echo = true,
            _ => {}
        }
        self.answer(line, &["OK"]);
    }

    fn report(&mut self, command: &str, name: &str) {
        if !self.is_started {
            return self.answer(command, &["ERROR"]);
        }
        let line = |client: usize| {
            let known = &self.clients[client];
            match name {
                "CMQTTACCQ" => Some(format!("+{name}: {client},\"{}\",0", known.id.as_deref().unwrap_or(""))),
                "CMQTTDISC" => Some(format!("+{name}: {client},{}", u8::from(known.connection.is_none()))),
                "CMQTTCONNECT" => Some(match &known.connection {
                    Some(connection) => format!("+{name}: {client},{connection}"),
                    None => format!("+{name}: {client}"),
                }),
                _ => None,
            }
        };
        let lines: Vec<_> = (0..2).filter_map(line).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).chain(["OK"]).collect();
        self.answer(command, &lines);
    }

    fn act(&mut self, command: &str, name: &str, parameters: &str, now: Instant) {
        if name == "CMQTTSTART" {
            return self.start(name, now);
        }
        if name == "CMQTTSTOP" {
            return self.stop(name);
        }
        let fields: Vec<_> = parameters.split(',').collect();
        let client = number(fields[usize::from(name == "CMQTTCFG")]);
        // Without the parameters that differ from one message to the next.
        let short = format!("{name}={client}");
        if let Some(code) = self.refusal(name, client) {
            let line = format!("+{name}: {client},{code}");
            let lines = [line.as_str(), "ERROR"];
            return self.answer(&short, &lines[usize::from(!self.is_started)..]);
        }
        let result = format!("+{name}: {client},0");
        match name {
            "CMQTTACCQ" => {
                self.clients[client].id = Some(fields[1].trim_matches('"').to_owned());
                self.answer(&short, &["OK"]);
            }
            "CMQTTREL" => {
                self.clients[client] = ModuleClient::default();
                self.answer(&short, &["OK"]);
            }
            "CMQTTCONNECT" => {
                self.answer(&short, &["OK"]);
                let address = fields[1..].join(",");
                let connected = Piece::new(&short, Stage::Result, &[&result]);
                self.output.push_back(connected.with(Effect::Connect { client, address }));
            }
            "CMQTTDISC" => {
                self.forget_connection(client);
                self.answer(&short, &["OK"]);
                self.output.push_back(Piece::new(&short, Stage::Result, &[&result]));
            }
            "CMQTTTOPIC" | "CMQTTPAYLOAD" | "CMQTTSUB" | "CMQTTUNSUB" => {
                self.entry =
                    Some(Entry { line: command.to_owned(), missing: number(fields[1]), data: Vec::new() });
                let mut prompt = Piece::new(&short, Stage::Prompt, &[]);
                prompt.bytes = b"\r\n>".to_vec();
                self.output.push_back(prompt);
            }
            "CMQTTPUB" => {
                let qos = fields[1].parse().unwrap();
                let dup = fields.get(4) == Some(&"1");
                let taken = Piece::new(&short, Stage::Final, &["OK"]);
                self.output.push_back(taken.with(Effect::Publish { client, qos, dup }));
                self.output.push_back(Piece::new(&short, Stage::Result, &[&result]));
            }
            _ => self.answer(&short, &["OK"]),
        }
    }

    fn start(&mut self, short: &str, now: Instant) {
        if self.is_started {
            return self.answer(short, &["+CMQTTSTART: 23", "ERROR"]);
        }
        self.answer(short, &["OK"]);
        self.network_returns.take_if(|returns| *returns <= now);
        let started = match self.network_returns {
            None => Piece::new(short, Stage::Result, &["+CMQTTSTART: 0"]).with(Effect::Start),
            Some(_) => Piece::new(short, Stage::Result, &[&format!("+CMQTTSTART: {OPEN_FAILED}")]),
        };
        self.output.push_back(started);
    }

    fn stop(&mut self, short: &str) {
        if !self.is_started {
            return self.answer(short, &["ERROR"]);
        }
        if self.clients.iter().any(|client| client.id.is_some()) {
            return self.answer(short, &[&format!("+CMQTTSTOP: {IS_USED}"), "ERROR"]);
        }
        self.is_started = false;
        self.answer(short, &["OK"]);
        self.output.push_back(Piece::new(short, Stage::Result, &["+CMQTTSTOP: 0"]));
    }

    fn refusal(&self, name: &str, client: usize) -> Option<u8> {
        let known = &self.clients[client];
        match name {
            _ if !self.is_started => Some(NO_CONNECTION),
            "CMQTTACCQ" if known.id.is_some() => Some(IS_USED),
            "CMQTTACCQ" | "CMQTTCFG" => None,
            _ if known.id.is_none() => Some(NOT_ACQUIRED),
            "CMQTTCONNECT" | "CMQTTREL" if known.connection.is_some() => Some(IS_USED),
            "CMQTTTOPIC" | "CMQTTPAYLOAD" | "CMQTTSUB" | "CMQTTUNSUB" | "CMQTTPUB" | "CMQTTDISC"
                if known.connection.is_none() =>
            {
                Some(NO_CONNECTION)
            }
            _ => None,
        }
    }

    fn data_is_complete(&mut self, entry: &Entry) {
        let fields: Vec<_> = entry.line.split(['=', ',']).collect();
        let (name, client) = (fields[0], number(fields[1]));
        let short = format!("{name}={client}");
        if self.refusal(name, client).is_some() {
            return self.answer(&short, &["ERROR"]);
        }
        match name {
            "CMQTTTOPIC" => self.clients[client].topic.clone_from(&entry.data),
            "CMQTTPAYLOAD" => self.clients[client].payload.clone_from(&entry.data),
            "CMQTTUNSUB" => {
                let topic = String::from_utf8_lossy(&entry.data);
                self.clients[client].subscriptions.retain(|(known, _)| *known != topic);
            }
            _ => {}
        }
        self.answer(&short, &["OK"]);
        if name == "CMQTTUNSUB" {
            self.output.push_back(Piece::new(&short, Stage::Result, &[&format!("+CMQTTUNSUB: {client},0")]));
        }
        if name == "CMQTTSUB" {
            let (topic, qos) = (entry.data.clone(), fields[3].parse().unwrap());
            let subscribed = Piece::new(&short, Stage::Result, &[&format!("+CMQTTSUB: {client},0")]);
            self.output.push_back(subscribed.with(Effect::Subscribe { client, topic, qos }));
        }
    }

    fn answer(&mut self, command: &str, lines: &[&str]) {
        self.output.push_back(Piece::new(command, Stage::Final, lines));
    }

    fn take_effect(&mut self, piece: &Piece) {
        match &piece.effect {
            Effect::None => {}
            Effect::Start => self.is_started = true,
            Effect::Connect { client, address } => {
                self.clients[*client].connection = Some(address.clone());
            }
            Effect::Subscribe { client, topic, qos } => {
                let topic = String::from_utf8_lossy(topic).into_owned();
                let subscriptions = &mut self.clients[*client].subscriptions;
                subscriptions.retain(|(known, _)| *known != topic);
                subscriptions.push((topic, *qos));
            }
            Effect::Publish { client, qos, dup } => {
                let known = &mut self.clients[*client];
                known.topic.clear();
                let payload = String::from_utf8(std::mem::take(&mut known.payload)).unwrap();
                self.published.push(Published { client: *client, payload, qos: *qos, dup: *dup });
            }
        }
    }
}

fn number(field: &str) -> usize {
    field.parse().unwrap_or_else(|_| panic!("{field:?} is no number"))
}
