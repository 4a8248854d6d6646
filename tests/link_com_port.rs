//! A COM port of Windows whose far end echoes, and hangs up when it is told to: `link_support/echo_terminal.py` under Wine.
//! `SIMCOM_MQTT_COM_PORT` names the port.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]
#![cfg(windows)]

mod link_support;

use std::time::{Duration, Instant};

use link_support::{Order, Rig, settings};
use simcom_mqtt::link::{PortError, Settings, open};

fn com_port() -> Option<Settings> {
    let name = std::env::var("SIMCOM_MQTT_COM_PORT").ok();
    if name.is_none() {
        eprintln!("skipped: SIMCOM_MQTT_COM_PORT names no port whose far end echoes");
    }
    name.map(|name| settings(&name))
}

/// One test only: the port has one user at a time.
#[test]
fn bytes_pass_both_ways_and_a_hang_up_is_noticed_while_idle() {
    let Some(settings) = com_port() else { return };
    for _ in 0..3 {
        let rig = Rig::start("com", open(&settings).unwrap());
        let all: Vec<u8> = (0..=255).collect::<Vec<u8>>().repeat(40);
        rig.order(Order::Send(all.clone()));
        assert!(rig.read(all.len()) == all, "what came back is not what was sent");
        let mut times: Vec<Duration> = (0..200).map(|_| round_trip(&rig)).collect();
        times.sort_unstable();
        eprintln!("round trip: shortest {:?}, median {:?}, longest {:?}", times[0], times[100], times[199]);
        // Where something polls, none is so short. On a busy machine many are longer.
        assert!(times[0] < Duration::from_millis(4), "{:?}", times[0]);
        rig.finish();
    }
    let rig = Rig::start("hang-up", open(&settings).unwrap());
    rig.order(Order::Send(b"HANG UP\r".to_vec()));
    rig.wait_for_loss();
}

fn round_trip(rig: &Rig) -> Duration {
    let begun = Instant::now();
    rig.order(Order::Send(b"AT\r".to_vec()));
    assert_eq!(rig.read(3), b"AT\r");
    begun.elapsed()
}

#[test]
fn absent_port_is_reported_as_missing() {
    for name in ["COM250", r"\\.\COM250"] {
        let error = open(&settings(name)).err().expect("there is no such port");
        assert!(matches!(error, PortError::Missing { errno: Some(2), .. }), "{error:?}");
    }
}
