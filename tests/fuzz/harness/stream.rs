use std::time::Duration;

use arbitrary::Arbitrary;
use simcom_mqtt::at::Command;
use simcom_mqtt::channel::Transaction;

use super::engine_bench::{COMMAND_TIMEOUT, EngineBench};

/// Output of the module, and the lengths of the driver's reads.
#[derive(Arbitrary, Debug)]
pub struct Case<'a> {
    entry: Option<Entry>,
    piece: u8,
    stream: &'a [u8],
}

/// A data entry in progress: these bytes answered the prompt.
#[derive(Arbitrary, Debug)]
struct Entry {
    data: [u8; 6],
    length: u8,
}

const ENTERING: u64 = 1;

impl Case<'_> {
    pub fn check(&self) {
        let whole = self.play(usize::MAX);
        let starts = memchr::memmem::find_iter(self.stream, b"+CMQTTRXSTART:").count();
        assert!(whole.messages <= starts, "a message was invented");
        if self.entry.is_some() {
            whole.expect_answered(ENTERING, false);
        }
        for piece in [1, usize::from(self.piece).max(2)] {
            let cut = self.play(piece);
            if whole.has_asked_for_a_restart() || cut.has_asked_for_a_restart() {
                continue;
            }
            assert_eq!(whole.history(), cut.history(), "read in pieces of {piece}");
            assert_eq!(whole.engine.counters(), cut.engine.counters(), "read in pieces of {piece}");
        }
    }

    fn play(&self, piece: usize) -> EngineBench {
        let mut bench = EngineBench::new(115_200);
        if let Some(entry) = &self.entry {
            let data = &entry.data[..=usize::from(entry.length) % entry.data.len()];
            let line = format!("AT+CMQTTTOPIC=0,{}", data.len());
            let transaction = Transaction::single(Command::new(line).with_data(data), COMMAND_TIMEOUT * 2);
            bench.submit(ENTERING, transaction);
            bench.send(b"\r\n>");
            assert!(bench.written.ends_with(data));
        }
        bench.read_length = piece;
        bench.send(self.stream);
        bench.pass(Duration::from_secs(60), |_| {});
        bench
    }
}
