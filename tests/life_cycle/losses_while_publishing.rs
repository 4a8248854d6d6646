//! A fault at each point of a publish with two others behind it.

use simcom_mqtt::at::ClientIndex;
use simcom_mqtt::commands::QoS;

use crate::support::{Bench, Ending, Fault, Stage, Strike, Told, When, at_each_row, policy};

const QOS: [QoS; 3] = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce];
const NAMES: [&str; 3] = ["first", "second", "third"];

/// Where the first publish is when the fault strikes.
const POINTS: [Option<(&str, Stage)>; 7] = [
    // Before it is queued.
    None,
    Some(("CMQTTTOPIC=0", Stage::Prompt)),
    Some(("CMQTTTOPIC=0", Stage::Final)),
    Some(("CMQTTPAYLOAD=0", Stage::Prompt)),
    Some(("CMQTTPAYLOAD=0", Stage::Final)),
    Some(("CMQTTPUB=0", Stage::Final)),
    Some(("CMQTTPUB=0", Stage::Result)),
];

#[derive(Clone, Copy, Debug)]
struct Row {
    fault: Fault,
    point: Option<(&'static str, Stage)>,
    qos: QoS,
    resend_qos2: bool,
}

impl Row {
    fn all() -> Vec<Self> {
        let mut rows = Vec::new();
        for fault in Fault::ALL {
            for point in POINTS {
                for qos in QOS {
                    rows.extend([false, true].map(|resend_qos2| Self { fault, point, qos, resend_qos2 }));
                }
            }
        }
        rows
    }

    fn play(self) -> Bench {
        let mut bench = Bench::connected(policy(self.resend_qos2));
        match self.point {
            None => bench.strike(self.fault),
            Some((command, stage)) => {
                bench.plan([Strike::fault(When::Step(command, stage), self.fault)]);
            }
        }
        for name in NAMES {
            bench.publish(ClientIndex::Zero, name, self.qos);
        }
        bench.finish();
        bench
    }

    fn pub_was_written(self) -> bool {
        self.point.is_some_and(|(command, _)| command == "CMQTTPUB=0")
    }

    fn may_be_resent(self) -> bool {
        self.qos == QoS::AtLeastOnce || self.resend_qos2 && self.qos == QoS::ExactlyOnce
    }

    /// The result that the caller of the struck publish gets.
    fn ending(self) -> Ending {
        if !self.pub_was_written() {
            Ending::Done
        } else if !self.fault.is_reported() {
            Ending::UnknownByTimeout
        } else if self.may_be_resent() {
            Ending::Done
        } else {
            Ending::UnknownByLoss
        }
    }

    /// The publishes that the module hands to the broker: name and DUP flag.
    fn published(self) -> Vec<(&'static str, bool)> {
        let mut published = Vec::new();
        // The broker has it when its result is lost, and not if the connection is lost before OK.
        if self.point.is_some_and(|point| point == ("CMQTTPUB=0", Stage::Result)) {
            published.push(("first", false));
        }
        if self.ending() == Ending::Done {
            let is_resent = self.pub_was_written();
            published.push(("first", is_resent && self.qos == QoS::AtLeastOnce));
        }
        published.extend([("second", false), ("third", false)]);
        published
    }
}

fn endings(told: &[Told]) -> Vec<(&str, &Ending)> {
    told.iter()
        .filter_map(|told| match told {
            Told::Ended(name, ending) => Some((name.as_str(), ending)),
            _ => None,
        })
        .collect()
}

#[test]
fn callers_are_told_the_truth_in_order() {
    at_each_row(Row::all(), |row| {
        let told = row.play().take_told();
        let expected = [("first", &row.ending()), ("second", &Ending::Done), ("third", &Ending::Done)];
        assert_eq!(endings(&told), expected, "{row:?} {told:?}");
    });
}

#[test]
fn what_may_go_out_again_does_and_order_is_kept() {
    at_each_row(Row::all(), |row| {
        let bench = row.play();
        let published: Vec<_> =
            bench.module.published.iter().map(|found| (found.payload.as_str(), found.dup)).collect();
        assert_eq!(published, row.published(), "{row:?}");
    });
}

#[test]
fn callbacks_are_told_one_loss_and_one_return() {
    at_each_row(Row::all(), |row| {
        let told = row.play().take_told();
        let events: Vec<_> = told.iter().filter(|told| told.is_callback_of(0)).cloned().collect();
        let back = Told::Reconnected(0);
        let expected = match row.fault {
            Fault::ConnectionLost(cause) => vec![Told::ConnectionLost(0, cause), back],
            Fault::NetworkLost => vec![Told::NetworkLost, back],
            // A service that is gone without a word went with a restart.
            Fault::Reboot | Fault::SilentReboot | Fault::ServiceStopped => vec![Told::Restarted, back],
            Fault::PortLost => vec![Told::PortLost, back],
            Fault::PowerLost => vec![Told::PortLost, Told::Restarted, back],
            Fault::Mute => Vec::new(),
        };
        assert_eq!(events, expected, "{row:?} {told:?}");
    });
}

#[test]
fn subscriptions_are_back_before_anything_goes_out() {
    at_each_row(Row::all(), |row| {
        let bench = row.play();
        bench.expect_back();
        let last_of = |name: &str| bench.module.commands.iter().rposition(|line| line.starts_with(name));
        let Some(connected) = last_of("AT+CMQTTCONNECT=") else { return };
        let behind: Vec<_> = bench.module.commands[connected + 1..].iter().map(String::as_str).collect();
        assert!(behind.starts_with(&["AT+CMQTTSUB=0,6,1", "AT+CMQTTSUB=0,6,0"]), "{row:?} {behind:?}");
    });
}
