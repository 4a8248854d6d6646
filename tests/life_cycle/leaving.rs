//! A client that leaves at a step of coming back leaves nothing behind.

use std::time::Duration;

use simcom_mqtt::at::ClientIndex;
use simcom_mqtt::channel::LostBy;
use simcom_mqtt::commands::QoS;
use simcom_mqtt::mqtt::ClientState;

use crate::support::{Bench, Ending, Fault, Stage, Step, Strike, Told, When, at_each_row, policy};

const ZERO: ClientIndex = ClientIndex::Zero;
const PATIENCE: Duration = Duration::from_secs(60);
const FAULTS: [Fault; 5] =
    [Fault::ConnectionLost(1), Fault::NetworkLost, Fault::Reboot, Fault::PortLost, Fault::PowerLost];

#[derive(Clone, Copy, Debug)]
enum Way {
    Disconnect,
    Release,
    /// The `with` block of the client ends.
    LeaveClient,
    /// The `with` block of the module ends.
    Leave,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    fault: Fault,
    way: Way,
    /// Before this piece of the module's output, counted from the fault.
    piece: usize,
}

impl Row {
    fn all() -> Vec<Self> {
        let mut rows = Vec::new();
        for fault in FAULTS {
            let mut bench = with_publishes(fault, []);
            bench.finish();
            let published = Step { command: "CMQTTTOPIC=0".to_owned(), stage: Stage::Prompt };
            let back = bench.steps.iter().position(|step| *step == published).expect("something goes out");
            for way in [Way::Disconnect, Way::Release, Way::LeaveClient, Way::Leave] {
                // The first piece may be the report of the loss itself.
                rows.extend((1..back).map(|piece| Self { fault, way, piece }));
            }
        }
        rows
    }

    fn play(self) -> Bench {
        let leave =
            Strike { when: When::Piece(self.piece), act: Box::new(move |bench| self.way.begin(bench)) };
        let mut bench = with_publishes(self.fault, [leave]);
        bench.finish();
        assert!(bench.has_struck());
        bench
    }
}

impl Way {
    fn begin(self, bench: &mut Bench) {
        bench.take_told();
        bench.start("leave", move |session| async move {
            match self {
                Self::Disconnect => session.disconnect(ZERO, PATIENCE).await,
                Self::Release => session.release(ZERO).await,
                Self::LeaveClient => session.leave_client(ZERO, PATIENCE).await,
                Self::Leave => session.leave(PATIENCE).await,
            }
        });
    }
}

/// A publish is in flight and another waits behind it when the fault strikes.
fn with_publishes(fault: Fault, more: impl IntoIterator<Item = Strike>) -> Bench {
    let mut bench = Bench::connected(policy(false));
    let loss = Strike::fault(When::Step("CMQTTPUB=0", Stage::Result), fault);
    bench.plan([loss].into_iter().chain(more));
    bench.publish(ZERO, "in flight", QoS::AtLeastOnce);
    bench.publish(ZERO, "behind", QoS::AtLeastOnce);
    bench
}

fn ending(told: &[Told], name: &str) -> Option<Ending> {
    told.iter().find_map(|told| match told {
        Told::Ended(known, ending) if known == name => Some(ending.clone()),
        _ => None,
    })
}

#[test]
fn queued_calls_end_at_once_and_no_message_comes_any_more() {
    at_each_row(Row::all(), |row| {
        let told = row.play().take_told();
        assert_eq!(ending(&told, "in flight"), Some(Ending::UnknownByLoss), "{told:?}");
        assert!(matches!(ending(&told, "behind"), Some(Ending::NotSent(_))), "{told:?}");
        let is_end = |told: &&Told| matches!(told, Told::MessagesEnded(0, _));
        assert_eq!(told.iter().filter(is_end).count(), 1, "{told:?}");
        let is_about_reconnect = |told: &Told| {
            matches!(told, Told::Reconnected(_) | Told::ReconnectFailed(_) | Told::ReconnectEnded(_))
        };
        assert!(!told.iter().any(is_about_reconnect), "{told:?}");
    });
}

#[test]
fn module_has_no_connection_afterwards() {
    at_each_row(Row::all(), |row| {
        let bench = row.play();
        assert_eq!(bench.module.clients[0].connection, None);
        assert!(!bench.client_state().is_connected(), "{:?}", bench.client_state());
        assert!(!matches!(bench.client_state(), ClientState::Connecting | ClientState::Disconnecting));
    });
}

#[test]
fn client_can_be_connected_again() {
    at_each_row(Row::all(), |row| {
        let mut bench = row.play();
        // A client that was disconnected is still acquired, unless the fault took that, too.
        bench.module.find_network();
        bench.start("release", |session| async move { session.release(ZERO).await });
        bench.finish();
        bench.take_told();
        bench.connect(ZERO, None);
        let told = bench.take_told();
        assert_eq!(ending(&told, "connect"), Some(Ending::Done), "{told:?}");
        assert!(bench.module.clients[0].connection.is_some());
    });
}

#[test]
fn queued_publish_can_be_cancelled_and_one_in_flight_cannot() {
    at_each_row(FAULTS, |fault| {
        let mut bench = Bench::connected(policy(false));
        bench.plan([Strike::fault(When::Step("CMQTTPUB=0", Stage::Result), fault)]);
        let in_flight = bench.publish(ZERO, "in flight", QoS::AtLeastOnce);
        let behind = bench.publish(ZERO, "behind", QoS::AtLeastOnce);
        let last = bench.publish(ZERO, "last", QoS::AtLeastOnce);
        while !bench.has_struck() {
            assert!(bench.step(bench.now + PATIENCE));
        }
        assert!(bench.cancel_unwritten(behind));
        assert!(!bench.cancel_unwritten(in_flight));
        bench.finish();
        assert!(!bench.cancel_unwritten(last));

        let told = bench.take_told();
        assert_eq!(ending(&told, "in flight"), Some(Ending::Done), "{told:?}");
        assert!(matches!(ending(&told, "behind"), Some(Ending::Failed(_))), "{told:?}");
        let published: Vec<_> = bench.module.published.iter().map(|found| &found.payload[..]).collect();
        assert_eq!(published, ["in flight", "in flight", "last"]);
    });
}

#[test]
fn client_without_reconnect_stays_down() {
    let mut bench = Bench::new();
    bench.connect(ZERO, None);
    bench.take_told();
    bench.plan([Strike::fault(When::Step("CMQTTPUB=0", Stage::Result), Fault::ConnectionLost(2))]);
    bench.publish(ZERO, "in flight", QoS::AtLeastOnce);
    bench.publish(ZERO, "behind", QoS::AtLeastOnce);
    bench.finish();

    let cause = LostBy::Connection(2);
    let expected = [
        Told::MessagesEnded(0, cause.clone()),
        Told::ConnectionLost(0, 2),
        Told::Ended("in flight".to_owned(), Ending::UnknownByLoss),
        Told::Ended("behind".to_owned(), Ending::NotSent(cause)),
    ];
    assert_eq!(bench.take_told(), expected);
    assert_eq!(bench.module.clients[0].connection, None);
}
