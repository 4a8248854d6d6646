//! Two clients, and one fault.

use simcom_mqtt::at::ClientIndex;
use simcom_mqtt::commands::QoS;
use simcom_mqtt::mqtt::ReconnectPolicy;

use crate::support::{Bench, Ending, Fault, Stage, Strike, Told, When, at_each_row, policy};

/// Client 1 has the policy `other`; both have a publish in flight and one behind it when the fault strikes.
fn play(fault: Fault, other: Option<ReconnectPolicy>) -> Bench {
    let mut bench = Bench::connected(policy(false));
    bench.connect(ClientIndex::One, other);
    bench.take_told();
    bench.module.commands.clear();
    bench.plan([Strike::fault(When::Step("CMQTTPUB=1", Stage::Result), fault)]);
    for name in ["in flight", "behind"] {
        bench.publish(ClientIndex::Zero, &format!("0 {name}"), QoS::AtLeastOnce);
        bench.publish(ClientIndex::One, &format!("1 {name}"), QoS::AtLeastOnce);
    }
    bench.finish();
    assert!(bench.has_struck());
    bench
}

fn published(bench: &Bench, client: usize) -> Vec<&str> {
    let of_client = bench.module.published.iter().filter(|found| found.client == client);
    let mut names: Vec<_> = of_client.map(|found| found.payload.as_str()).collect();
    names.dedup();
    names
}

fn count(told: &[Told], wanted: &Told) -> usize {
    told.iter().filter(|told| *told == wanted).count()
}

fn was_connected_again(bench: &Bench, client: u8) -> bool {
    let connect = format!("AT+CMQTTCONNECT={client}");
    bench.module.commands.iter().any(|line| line.starts_with(&connect))
}

#[test]
fn both_come_back_and_each_keeps_its_order() {
    at_each_row(Fault::ALL, |fault| {
        let mut bench = play(fault, Some(policy(false)));
        bench.expect_back();
        assert!(bench.module.clients[1].connection.is_some());
        assert_eq!(published(&bench, 0), ["0 in flight", "0 behind"]);
        assert_eq!(published(&bench, 1), ["1 in flight", "1 behind"]);
        let told = bench.take_told();
        for client in 0..2 {
            let is_end = |told: &Told| matches!(told, Told::MessagesEnded(of, _) if *of == client);
            assert!(!told.iter().any(is_end), "{told:?}");
            let returns = usize::from(was_connected_again(&bench, client) || fault == Fault::PortLost);
            assert_eq!(count(&told, &Told::Reconnected(client)), returns, "{told:?}");
        }
        for name in ["0 behind", "1 behind"] {
            assert_eq!(count(&told, &Told::Ended(name.to_owned(), Ending::Done)), 1, "{told:?}");
        }
    });
}

#[test]
fn loss_of_one_connection_does_not_concern_the_other_client() {
    let mut bench = play(Fault::ConnectionLost(1), Some(policy(false)));
    let told = bench.take_told();
    assert_eq!(count(&told, &Told::Reconnected(0)), 1, "{told:?}");
    assert_eq!(count(&told, &Told::Reconnected(1)), 0, "{told:?}");
    assert!(!was_connected_again(&bench, 1));
}

#[test]
fn only_the_client_with_reconnect_comes_back() {
    at_each_row([Fault::NetworkLost, Fault::Reboot, Fault::PortLost, Fault::PowerLost], |fault| {
        let mut bench = play(fault, None);
        bench.expect_back();
        let told = bench.take_told();
        assert_eq!(count(&told, &Told::Reconnected(0)), 1, "{told:?}");
        assert_eq!(count(&told, &Told::Reconnected(1)), 0, "{told:?}");
        assert!(told.iter().any(|told| matches!(told, Told::MessagesEnded(1, _))), "{told:?}");
        assert!(!was_connected_again(&bench, 1));
    });
}
