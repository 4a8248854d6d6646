//! A client that does not come back in time ends its calls with the reason.

use std::time::Duration;

use simcom_mqtt::at::ClientIndex;
use simcom_mqtt::channel::LostBy;
use simcom_mqtt::commands::QoS;
use simcom_mqtt::mqtt::ReconnectPolicy;

use crate::support::{Bench, Ending, Fault, Stage, Strike, Told, When, policy};

const PATIENCE: Duration = Duration::from_secs(30);

/// A client that gives up after a while, with one publish in flight and two behind it when the network is lost.
fn without_network(qos: QoS) -> Bench {
    let mut bench = Bench::connected(ReconnectPolicy { give_up_after: Some(PATIENCE), ..policy(false) });
    let act = |bench: &mut Bench| {
        bench.module.never_find_network(bench.now);
        bench.strike(Fault::NetworkLost);
    };
    bench.plan([Strike { when: When::Step("CMQTTPUB=0", Stage::Result), act: Box::new(act) }]);
    for name in ["first", "second", "third"] {
        bench.publish(ClientIndex::Zero, name, qos);
    }
    bench
}

#[test]
fn calls_end_with_the_loss_and_one_in_flight_as_unknown() {
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let mut bench = without_network(qos);
        bench.finish();

        let mut told = bench.take_told();
        let ending = |name: &str| {
            let ending = |told: &Told| match told {
                Told::Ended(known, ending) if known == name => Some(ending.clone()),
                _ => None,
            };
            told.iter().find_map(ending)
        };
        assert_eq!(ending("first"), Some(Ending::UnknownByLoss), "{qos:?}");
        assert_eq!(ending("second"), Some(Ending::NotSent(LostBy::Network)), "{qos:?}");
        assert_eq!(ending("third"), Some(Ending::NotSent(LostBy::Network)), "{qos:?}");
        told.retain(|told| told.is_callback_of(0) || matches!(told, Told::ReconnectEnded(_)));
        let expected = [Told::NetworkLost, Told::ReconnectEnded(0), Told::MessagesEnded(0, LostBy::Network)];
        assert_eq!(told, expected, "{qos:?}");
        assert_eq!(bench.module.published.len(), 1, "{qos:?}");
    }
}

#[test]
fn reconnecting_stops_when_its_time_is_over() {
    let mut bench = without_network(QoS::AtLeastOnce);
    let began = bench.now;
    bench.finish();
    let took = bench.now - began;
    assert!((PATIENCE..PATIENCE + Duration::from_secs(1)).contains(&took), "{took:?}");
}

#[test]
fn client_can_be_connected_again_after_it_gave_up() {
    let mut bench = without_network(QoS::AtLeastOnce);
    bench.finish();
    bench.module.find_network();
    bench.take_told();

    bench.connect(ClientIndex::Zero, None);
    bench.publish(ClientIndex::Zero, "later", QoS::AtLeastOnce);
    bench.finish();

    let done = |name: &str| Told::Ended(name.to_owned(), Ending::Done);
    assert_eq!(bench.take_told(), [done("connect"), done("later")]);
}
