use std::time::Duration;

use arbitrary::Arbitrary;
use simcom_mqtt::at::Command;
use simcom_mqtt::channel::Transaction;

/// A transaction that a caller can submit.
#[derive(Arbitrary, Debug)]
pub struct Submission<'a> {
    request: Request<'a>,
    timeout: u16,
    retries_while_busy: bool,
    timed_from_start: bool,
}

#[derive(Arbitrary, Debug)]
enum Request<'a> {
    Query(Query),
    Act(Act, bool),
    Publish {
        client: bool,
        topic: &'a [u8],
        payload: &'a [u8],
    },
    Subscribe {
        client: bool,
        topic: &'a [u8],
    },
    Unsubscribe {
        client: bool,
        topic: &'a [u8],
    },
    Certificate(&'a [u8]),
    /// A command that prompts for data, but the caller has none.
    Dataless(u16),
}

#[derive(Arbitrary, Debug)]
enum Query {
    At,
    Signal,
    Imei,
    Topics,
    Connections,
    Connected,
    IsStarted,
    Range,
    EchoOn,
}

#[derive(Arbitrary, Debug)]
enum Act {
    Start,
    Stop,
    Acquire,
    Release,
    Connect,
    Disconnect,
}

/// A command that may be written: its line and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub line: Vec<u8>,
    pub data: Vec<u8>,
}

const LONGEST_TOPIC: usize = 1_024;
const LONGEST_DATA: usize = 10_240;

impl Submission<'_> {
    pub fn transaction(&self) -> (Transaction, Vec<Wanted>) {
        let wanted = self.request.commands();
        let is_certificate = matches!(self.request, Request::Certificate(_));
        let commands = wanted.iter().map(|wanted| wanted.command(is_certificate)).collect();
        let timeout = Duration::from_millis(1 + u64::from(self.timeout));
        let mut transaction = Transaction::new(commands, timeout);
        if self.retries_while_busy {
            transaction = transaction.retrying_while_busy();
        }
        if self.timed_from_start {
            transaction = transaction.timed_from_start();
        }
        (transaction, wanted)
    }
}

impl Request<'_> {
    fn commands(&self) -> Vec<Wanted> {
        match self {
            Self::Query(query) => vec![Wanted::bare(query.line())],
            Self::Act(act, client) => vec![Wanted::bare(&act.line(u8::from(*client)))],
            Self::Publish { client, topic, payload } => publish(u8::from(*client), topic, payload),
            Self::Subscribe { client, topic } => vec![filter("SUB", u8::from(*client), topic)],
            Self::Unsubscribe { client, topic } => vec![filter("UNSUB", u8::from(*client), topic)],
            Self::Certificate(bytes) => {
                let data = within(bytes, LONGEST_DATA);
                vec![Wanted { line: format!("AT+CCERTDOWN=\"ca.pem\",{}", data.len()).into_bytes(), data }]
            }
            Self::Dataless(length) => vec![Wanted::bare(&format!("AT+CMQTTPAYLOAD=0,{length}"))],
        }
    }
}

pub fn publish(client: u8, topic: &[u8], payload: &[u8]) -> Vec<Wanted> {
    let topic = within(topic, LONGEST_TOPIC);
    let mut all =
        vec![Wanted { line: format!("AT+CMQTTTOPIC={client},{}", topic.len()).into_bytes(), data: topic }];
    if !payload.is_empty() {
        let data = within(payload, LONGEST_DATA);
        all.push(Wanted { line: format!("AT+CMQTTPAYLOAD={client},{}", data.len()).into_bytes(), data });
    }
    all.push(Wanted::bare(&format!("AT+CMQTTPUB={client},1,60")));
    all
}

fn filter(name: &str, client: u8, topic: &[u8]) -> Wanted {
    let data = within(topic, LONGEST_TOPIC);
    Wanted { line: format!("AT+CMQTT{name}={client},{},0", data.len()).into_bytes(), data }
}

/// Returns the bytes, at least one and at most as many as the module accepts.
fn within(bytes: &[u8], longest: usize) -> Vec<u8> {
    if bytes.is_empty() { b"t".to_vec() } else { bytes[..bytes.len().min(longest)].to_vec() }
}

impl Wanted {
    pub fn bare(line: &str) -> Self {
        Self { line: line.as_bytes().to_vec(), data: Vec::new() }
    }

    pub fn command(&self, is_secret: bool) -> Command {
        const LONGEST_PACKET: usize = 3_072;
        let command = Command::new(self.line.clone());
        match (self.data.is_empty(), is_secret) {
            (true, _) => command,
            (false, true) => command.with_secret_data(self.data.clone(), LONGEST_PACKET),
            (false, false) => command.with_data(self.data.clone()),
        }
    }
}

impl Query {
    fn line(&self) -> &'static str {
        match self {
            Self::At => "AT",
            Self::Signal => "AT+CSQ",
            Self::Imei => "AT+CGSN",
            Self::Topics => "AT+CMQTTSUB?",
            Self::Connections => "AT+CMQTTCONNECT?",
            Self::Connected => "AT+CMQTTDISC?",
            Self::IsStarted => "AT+CMQTTREL?",
            Self::Range => "AT+CMQTTPAYLOAD=?",
            Self::EchoOn => "ATE1",
        }
    }
}

impl Act {
    fn line(&self, client: u8) -> String {
        match self {
            Self::Start => "AT+CMQTTSTART".to_owned(),
            Self::Stop => "AT+CMQTTSTOP".to_owned(),
            Self::Acquire => format!("AT+CMQTTACCQ={client},\"id\",0"),
            Self::Release => format!("AT+CMQTTREL={client}"),
            Self::Connect => {
                format!("AT+CMQTTCONNECT={client},\"tcp://host:1883\",60,1,\"user\",\"hunter2hunter2\"")
            }
            Self::Disconnect => format!("AT+CMQTTDISC={client},60"),
        }
    }
}
