//! A second fault at each step of coming back from the first.

use std::collections::HashMap;

use simcom_mqtt::at::ClientIndex;
use simcom_mqtt::commands::QoS;

use crate::support::{Bench, Ending, Fault, Stage, Step, Strike, Told, When, at_each_row, policy};

const NAMES: [&str; 3] = ["first", "second", "third"];

/// One of each kind.
const FAULTS: [Fault; 8] = [
    Fault::ConnectionLost(1),
    Fault::NetworkLost,
    Fault::Reboot,
    Fault::SilentReboot,
    Fault::PortLost,
    Fault::PowerLost,
    Fault::Mute,
    Fault::ServiceStopped,
];

/// A second fault at a step of coming back from a first.
#[derive(Clone, Copy, Debug)]
struct Row {
    first: Fault,
    second: Fault,
    /// Before this piece of the module's output, counted from the first fault.
    piece: usize,
    qos: QoS,
    resend_qos2: bool,
}

impl Row {
    fn all(qos: QoS, resend_qos2: bool) -> Vec<Self> {
        let mut rows = Vec::new();
        for first in FAULTS {
            let steps = play(first, None, qos, resend_qos2).steps;
            // Up to the first publish that goes out again; echoes are no steps of their own.
            let published = Step { command: "CMQTTPUB=0".to_owned(), stage: Stage::Result };
            let back = steps.iter().position(|step| *step == published).expect("something goes out");
            let pieces: Vec<_> = (0..=back).filter(|piece| steps[*piece].stage != Stage::Urc).collect();
            for second in FAULTS {
                rows.extend(pieces.iter().map(|piece| Self {
                    first,
                    second,
                    piece: *piece,
                    qos,
                    resend_qos2,
                }));
            }
        }
        rows
    }

    fn play(self) -> Bench {
        let second = Some((self.piece, self.second));
        let mut bench = play(self.first, second, self.qos, self.resend_qos2);
        assert!(bench.has_struck());
        // A fault without a word shows with the next publish.
        bench.publish(ClientIndex::Zero, "last", QoS::AtLeastOnce);
        bench.finish();
        bench
    }
}

/// One publish is in flight and two wait behind it when the first fault strikes.
fn play(first: Fault, second: Option<(usize, Fault)>, qos: QoS, resend_qos2: bool) -> Bench {
    let mut bench = Bench::connected(policy(resend_qos2));
    let strikes = [Strike::fault(When::Step("CMQTTPUB=0", Stage::Result), first)];
    let more = second.map(|(piece, fault)| Strike::fault(When::Piece(piece), fault));
    bench.plan(strikes.into_iter().chain(more));
    for name in NAMES {
        bench.publish(ClientIndex::Zero, name, qos);
    }
    bench.finish();
    bench
}

/// Everything is back, and the callers' results agree with what the module handed to the broker.
fn expect_the_truth(bench: &Bench, row: Row) {
    bench.expect_back();
    let told = bench.told.lock().unwrap();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for published in &bench.module.published {
        let seen = counts.entry(&published.payload).or_default();
        // Handed over once, another time is a resend, and only QoS 1 has a flag for it.
        assert!(!published.dup || published.qos == 1, "{row:?}: {published:?}");
        *seen += 1;
    }
    let mut endings = Vec::new();
    for told in told.iter() {
        if let Told::Ended(name, ending) = told {
            let count = counts.get(name.as_str()).copied().unwrap_or_default();
            match ending {
                Ending::Done => assert!(count >= 1, "{row:?}: {name} was never sent; {told:?}"),
                Ending::UnknownByLoss | Ending::UnknownByTimeout => {}
                other => panic!("{row:?}: {name} ended with {other:?}"),
            }
            endings.push(name.as_str());
        }
    }
    assert_eq!(endings, ["first", "second", "third", "last"], "{row:?}: {told:?}");
    // The first time that each was handed over.
    let mut order: Vec<_> = bench.module.published.iter().map(|found| found.payload.as_str()).collect();
    let mut seen = Vec::new();
    order.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    let expected: Vec<_> = endings.iter().copied().filter(|name| counts.contains_key(name)).collect();
    assert_eq!(order, expected, "{row:?}");
    assert!(!told.iter().any(|told| matches!(told, Told::MessagesEnded(0, _))), "{row:?}: {told:?}");
    let is_loss = |told: &&Told| told.is_callback_of(0) && !matches!(told, Told::Reconnected(_));
    let losses = told.iter().filter(is_loss).count();
    let returns = told.iter().filter(|told| **told == Told::Reconnected(0)).count();
    // The report of a loss may itself be lost.
    assert!(returns <= losses.max(1) && (returns > 0 || losses == 0), "{row:?}: {told:?}");
}

fn times(bench: &Bench, name: &str) -> usize {
    bench.module.published.iter().filter(|published| published.payload == name).count()
}

#[test]
fn qos_0_is_never_sent_twice() {
    at_each_row(Row::all(QoS::AtMostOnce, false), |row| {
        let bench = &row.play();
        expect_the_truth(bench, row);
        assert!(NAMES.iter().all(|name| times(bench, name) <= 1), "{row:?}: {:?}", bench.module.published);
    });
}

#[test]
fn qos_1_is_sent_again_with_dup() {
    at_each_row(Row::all(QoS::AtLeastOnce, false), |row| {
        let bench = &row.play();
        expect_the_truth(bench, row);
        for name in NAMES {
            let sent = bench.module.published.iter().filter(|published| published.payload == name);
            assert!(sent.skip(1).all(|published| published.dup), "{row:?}: {:?}", bench.module.published);
        }
    });
}

#[test]
fn qos_2_may_be_sent_twice_with_resend_qos2() {
    at_each_row(Row::all(QoS::ExactlyOnce, true), |row| expect_the_truth(&row.play(), row));
}

#[test]
fn qos_2_is_never_sent_twice_without_resend_qos2() {
    at_each_row(Row::all(QoS::ExactlyOnce, false), |row| {
        let bench = &row.play();
        expect_the_truth(bench, row);
        assert!(NAMES.iter().all(|name| times(bench, name) <= 1), "{row:?}: {:?}", bench.module.published);
    });
}
