//! Ports on a server that passes a serial port through as raw TCP.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]

mod link_support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use link_support::{LIMIT, Order, Rig, settings};
use simcom_mqtt::link::{PortError, open};

/// ECONNREFUSED and WSAECONNREFUSED.
const REFUSED: i32 = if cfg!(windows) { 10_061 } else { 111 };

fn receive(server: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut received = vec![0; length];
    server.set_read_timeout(Some(LIMIT)).unwrap();
    server.read_exact(&mut received).unwrap();
    received
}

#[test]
fn bytes_pass_both_ways_until_the_server_closes() {
    for host in ["127.0.0.1", "[::1]"] {
        // A machine may have no IPv6.
        let Ok(listener) = TcpListener::bind(format!("{host}:0")) else { continue };
        let port = listener.local_addr().unwrap().port();
        let rig = Rig::start("tcp", open(&settings(&format!("socket://{host}:{port}"))).unwrap());
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(b"\r\nRDY\r\n").unwrap();
        assert_eq!(rig.read(7), b"\r\nRDY\r\n");
        rig.order(Order::Send(b"AT\r".to_vec()));
        assert_eq!(receive(&mut server, 3), b"AT\r");
        let sent: Vec<u8> = (0..200_000_u32).map(|at| u8::try_from(at % 253).unwrap()).collect();
        server.write_all(&sent).unwrap();
        drop(server);
        assert!(rig.read(sent.len()) == sent, "what arrived is not what was sent");
        assert_eq!(rig.wait_for_loss(), "the server closed the connection");
    }
}

#[test]
fn host_without_a_server_is_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("socket://127.0.0.1:{closed}");
    let error = open(&settings(&address)).err().expect("no server listens");
    assert_eq!(error.port(), address);
    assert!(matches!(error, PortError::Unreachable { errno: Some(REFUSED), .. }), "{error:?}");
}

#[test]
fn large_write_reaches_a_slow_server_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("socket://{}", listener.local_addr().unwrap());
    let rig = Rig::start("slow", open(&settings(&address)).unwrap());
    let (mut server, _) = listener.accept().unwrap();
    let sent: Vec<u8> = (0..8_000_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    rig.order(Order::Send(sent.clone()));
    // Input is read although the write is blocked.
    server.write_all(b"URC").unwrap();
    assert_eq!(rig.read(3), b"URC");
    assert!(receive(&mut server, sent.len()) == sent, "what arrived is not what was sent");
}
