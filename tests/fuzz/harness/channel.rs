use std::time::Duration;

use arbitrary::Arbitrary;
use simcom_mqtt::channel::{Transaction, TransactionId};

use super::engine_bench::{EngineBench, Port};
use super::module_output::ModuleOutput;
use super::transactions::{Submission, Wanted, publish};
use super::well_behaved_module::WellBehavedModule;
use super::written;

/// Sequence of actions on an engine.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    begins_with_opening: bool,
    is_slow_line: bool,
    ends_by_closing: bool,
    actions: Vec<Action<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Action<'a> {
    Submit(Submission<'a>),
    Cancel(u8),
    CancelQueued(u8),
    Send(ModuleOutput<'a>),
    /// The module continues its answers.
    Answer(u8),
    ReadInPiecesOf(u8),
    Wait {
        milliseconds: u16,
    },
    Oversleep {
        seconds: u8,
    },
    PortBlocks,
    PortTakes(u8),
    PortIsFree,
    LosePort,
    AttachPort,
}

struct Play {
    bench: EngineBench,
    module: WellBehavedModule,
    /// Number of written bytes that the module has read.
    read: usize,
    wanted: Vec<Wanted>,
    next_id: TransactionId,
    cancelled: Vec<TransactionId>,
    has_port: bool,
}

const MOST_ACTIONS: usize = 200;
/// Longer than any operation of the module.
const QUIET: Duration = Duration::from_secs(300);

impl Case<'_> {
    pub fn check(&self) {
        let mut play = Play::new(if self.is_slow_line { 9_600 } else { 115_200 });
        if self.begins_with_opening {
            play.open();
        }
        for action in self.actions.iter().take(MOST_ACTIONS) {
            play.act(action);
        }
        if self.ends_by_closing {
            play.close();
        } else {
            play.come_to_rest();
            play.expect_understanding();
        }
        for id in 1..play.next_id {
            play.bench.expect_answered(id, play.cancelled.contains(&id));
        }
        written::expect_only(&play.wanted, &play.bench.written);
    }
}

impl Play {
    fn new(baudrate: u32) -> Self {
        Self {
            bench: EngineBench::new(baudrate),
            module: WellBehavedModule::new(),
            read: 0,
            wanted: Vec::new(),
            next_id: 1,
            cancelled: Vec::new(),
            has_port: true,
        }
    }

    fn act(&mut self, action: &Action<'_>) {
        match action {
            Action::Submit(submission) => {
                let (transaction, wanted) = submission.transaction();
                self.submit(transaction, wanted);
            }
            Action::Cancel(which) => {
                let id = self.known_id(*which);
                self.cancelled.push(id);
                self.bench.engine.cancel(id, self.bench.now);
                self.bench.settle();
            }
            Action::CancelQueued(which) => {
                let id = self.known_id(*which);
                self.bench.engine.cancel_queued(id, self.bench.now);
                self.bench.settle();
            }
            Action::Send(output) => self.send(output),
            Action::Answer(most) => self.answer((*most).into()),
            Action::ReadInPiecesOf(length) => self.bench.read_length = usize::from(*length).wrapping_sub(1),
            Action::Wait { milliseconds } => {
                self.bench.pass(Duration::from_millis((*milliseconds).into()), |_| {});
            }
            Action::Oversleep { seconds } => self.bench.oversleep(Duration::from_secs((*seconds).into())),
            Action::PortBlocks => self.bench.port = Port::Blocked,
            Action::PortTakes(count) => self.bench.port = Port::Slow((*count).into()),
            Action::PortIsFree => self.free_port(),
            Action::LosePort => self.lose_port(),
            Action::AttachPort => self.attach_port(),
        }
    }

    fn submit(&mut self, transaction: Transaction, wanted: Vec<Wanted>) -> TransactionId {
        let id = self.next_id;
        self.next_id += 1;
        self.wanted.extend(wanted);
        self.bench.submit(id, transaction);
        id
    }

    fn open(&mut self) {
        let id = self.next_id;
        self.next_id += 1;
        self.bench.engine.open(id, self.bench.now);
        self.bench.settle();
    }

    fn known_id(&self, which: u8) -> TransactionId {
        1 + u64::from(which) % self.next_id
    }

    fn send(&mut self, output: &ModuleOutput<'_>) {
        let last = self.bench.written.len() - self.bench.written.len().min(64);
        let bytes = output.bytes(&self.bench.written[last..]);
        if self.has_port {
            self.bench.send(&bytes);
        }
    }

    fn answer(&mut self, most: usize) {
        for _ in 0..most {
            self.module.read(&self.bench.written[self.read..]);
            self.read = self.bench.written.len();
            let Some(answer) = self.module.next().filter(|_| self.has_port) else { return };
            self.bench.send(&answer);
        }
    }

    fn free_port(&mut self) {
        self.bench.port = Port::Free;
        self.bench.settle();
    }

    fn lose_port(&mut self) {
        if std::mem::take(&mut self.has_port) {
            self.bench.engine.handle_port_lost("gone".to_owned(), self.bench.now);
            self.bench.settle();
            written::expect_only(&self.wanted, &self.bench.written);
            self.bench.written.clear();
            self.read = 0;
            self.module = WellBehavedModule::new();
        }
    }

    fn attach_port(&mut self) {
        if !std::mem::replace(&mut self.has_port, true) {
            self.bench.engine.handle_port_attached();
            self.open();
        }
    }

    fn close(&mut self) {
        self.bench.engine.close(self.bench.now);
        self.bench.settle();
    }

    /// From now on the module only answers.
    fn come_to_rest(&mut self) {
        self.attach_port();
        self.bench.read_length = usize::MAX;
        self.free_port();
        self.pass(QUIET);
        // This finds a module that still waits for data without the driver's knowledge.
        let knock = vec![Wanted::bare("AT+CSQ")];
        let commands = vec![knock[0].command(false)];
        self.submit(Transaction::new(commands, QUIET), knock);
        self.pass(QUIET);
    }

    fn pass(&mut self, time: Duration) {
        let end = self.bench.now + time;
        self.answer(usize::MAX);
        while let Some(next) = self.bench.engine.poll_timeout().filter(|next| *next <= end) {
            self.bench.pass(next.saturating_duration_since(self.bench.now), |_| {});
            self.answer(usize::MAX);
        }
        self.bench.pass(end - self.bench.now, |_| {});
        self.answer(usize::MAX);
    }

    fn expect_understanding(&mut self) {
        let signal = vec![Wanted::bare("AT+CSQ")];
        let answers = self.expect_success(signal);
        assert_eq!(answers, [[b"+CSQ: 20,0"]]);
        for client in [0, 1] {
            self.expect_success(publish(client, b"a/topic", b"and a payload"));
        }
    }

    fn expect_success(&mut self, wanted: Vec<Wanted>) -> Vec<Vec<Vec<u8>>> {
        let time = Duration::from_secs(60);
        let commands = wanted.iter().map(|wanted| wanted.command(false)).collect();
        let id = self.submit(Transaction::new(commands, time), wanted);
        self.pass(time);
        match self.bench.outcomes.get(&id).map(Vec::as_slice) {
            Some([Ok(answers)]) => answers.clone(),
            other => panic!("a well-behaved module was not understood: {other:?}"),
        }
    }
}
