//! Ports on a server that speaks RFC 2217: ser2net, and servers that do not speak it.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

mod link_support;

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use link_support::{Event, LIMIT, Order, PseudoTerminal, Rig, receive, settings};
use simcom_mqtt::link::{FlowControl, PortError, Settings, open};

/// ser2net on a pseudo-terminal, from Debian's package.
struct Ser2net {
    process: Child,
    port: u16,
    _configuration: tempfile::NamedTempFile,
}

impl Ser2net {
    /// Returns `None` on a machine without ser2net.
    fn start(terminal: &PseudoTerminal, port: u16) -> Option<Self> {
        let mut configuration = tempfile::NamedTempFile::new().unwrap();
        write!(
            configuration,
            "%YAML 1.1\n---\nconnection: &module\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  \
             connector: serialdev,{},9600n81,local\n",
            terminal.path
        )
        .unwrap();
        let started = ["ser2net", "/usr/sbin/ser2net"].iter().find_map(|program| {
            Command::new(program)
                .args(["-n", "-u", "-c"])
                .arg(configuration.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .ok()
        });
        let Some(process) = started else {
            eprintln!("skipped: ser2net is not installed");
            return None;
        };
        let server = Self { process, port, _configuration: configuration };
        server.wait_until_it_listens();
        Some(server)
    }

    fn wait_until_it_listens(&self) {
        let deadline = Instant::now() + LIMIT;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < deadline, "ser2net does not listen");
            thread::yield_now();
        }
    }

    fn settings(&self) -> Settings {
        settings(&format!("rfc2217://127.0.0.1:{}", self.port))
    }
}

impl Drop for Ser2net {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// ser2net closes the connection of the test above, or of a client before, in its own time.
fn open_when_free(settings: &Settings) -> Box<dyn simcom_mqtt::link::Port> {
    let deadline = Instant::now() + LIMIT;
    loop {
        match open(settings) {
            Ok(port) => return port,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    }
}

fn attributes(terminal: &File) -> libc::termios2 {
    // SAFETY: termios2 is plain integers, filled by TCGETS2.
    unsafe {
        let mut attributes: libc::termios2 = std::mem::zeroed();
        assert_eq!(libc::ioctl(terminal.as_raw_fd(), libc::TCGETS2, &raw mut attributes), 0);
        attributes
    }
}

#[test]
fn every_byte_passes_unchanged_both_ways() {
    let mut terminal = PseudoTerminal::open();
    let Some(server) = Ser2net::start(&terminal, free_port()) else { return };
    let rig = Rig::start("rfc2217", open_when_free(&server.settings()));
    let all: Vec<u8> = (0..=255).chain([255; 3_000]).chain(0..=255).collect();
    rig.order(Order::Send(all.clone()));
    assert!(receive(&mut terminal.master, all.len()) == all, "what arrived is not what was sent");
    terminal.master.write_all(&all).unwrap();
    assert!(rig.read(all.len()) == all, "what arrived is not what was sent");
}

#[test]
fn baud_rate_and_flow_control_reach_the_port_of_the_server() {
    for flow_control in [FlowControl::None, FlowControl::Software, FlowControl::Hardware] {
        let terminal = PseudoTerminal::open();
        let Some(server) = Ser2net::start(&terminal, free_port()) else { return };
        let _port = open_when_free(&Settings { flow_control, ..server.settings() });
        let set = attributes(&terminal.slave);
        assert_eq!(set.c_ospeed, 115_200);
        let (software, hardware) = (set.c_iflag & (libc::IXON | libc::IXOFF), set.c_cflag & libc::CRTSCTS);
        assert_eq!(software != 0, flow_control == FlowControl::Software, "{flow_control:?}");
        assert_eq!(hardware != 0, flow_control == FlowControl::Hardware, "{flow_control:?}");
    }
}

#[test]
fn restart_of_the_server_is_a_loss_after_which_the_port_opens_again() {
    let mut terminal = PseudoTerminal::open();
    let port = free_port();
    let Some(server) = Ser2net::start(&terminal, port) else { return };
    let rig = Rig::start("restart", open_when_free(&server.settings()));
    drop(server);
    rig.wait_for_loss();
    let server = Ser2net::start(&terminal, port).unwrap();
    rig.thread.attach(open_when_free(&server.settings()));
    assert_eq!(rig.next(), Event::Attached);
    rig.order(Order::Send(b"AT\r".to_vec()));
    assert_eq!(receive(&mut terminal.master, 3), b"AT\r");
}

/// Runs a server that sends `answer` to the first bytes of a client, then waits until the client has gone.
fn server_that_answers(answer: &'static [u8]) -> Settings {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("rfc2217://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut buffer = [0; 100];
        let _ = client.read(&mut buffer).unwrap();
        client.write_all(answer).unwrap();
        while client.read(&mut buffer).is_ok_and(|count| count > 0) {}
    });
    settings(&address)
}

#[test]
fn server_that_refuses_port_control_is_reported_with_the_remedy() {
    let settings = server_that_answers(b"\xff\xfe\x2c");
    let error = open(&settings).err().expect("the server refused");
    assert!(matches!(error, PortError::NoPortControl { .. }), "{error:?}");
    assert!(error.to_string().contains("socket://"), "{error}");
}

#[test]
fn server_that_sets_another_baud_rate_is_reported_with_that_rate() {
    let settings = server_that_answers(b"\xff\xfd\x2c\xff\xfa\x2c\x65\x00\x00\x25\x80\xff\xf0");
    let error = open(&settings).err().expect("the rate is another");
    assert!(matches!(error, PortError::Baudrate { asked: 115_200, actual: 9_600, .. }), "{error:?}");
}
