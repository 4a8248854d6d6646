//! Opening serial ports: errors, exclusive use, settings.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

mod link_support;

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::Duration;

use link_support::{Event, LIMIT, Order, PseudoTerminal, Rig, has_input, receive, settings};
use simcom_mqtt::link::{FlowControl, PortError, Settings, open};

fn refusal(path: &str) -> PortError {
    let error = open(&settings(path)).err().expect("it was opened");
    assert_eq!(error.port(), path);
    assert!(error.to_string().contains(path), "{error}");
    error
}

#[test]
fn absent_port_is_reported_as_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ttyUSB2");
    let path = path.to_str().unwrap();
    assert!(matches!(refusal(path), PortError::Missing { errno: Some(libc::ENOENT), .. }));
    symlink("gone", path).unwrap();
    assert!(matches!(refusal(path), PortError::Missing { errno: Some(libc::ENOENT), .. }));
}

#[test]
fn file_that_is_no_terminal_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for path in [file.path().to_str().unwrap(), "/dev/null", "/tmp"] {
        assert!(matches!(refusal(path), PortError::NotAPort { .. }), "{path}");
    }
}

#[test]
fn open_port_cannot_be_opened_again() {
    let terminal = PseudoTerminal::open();
    let port = open(&terminal.settings()).unwrap();
    assert!(matches!(refusal(&terminal.path), PortError::Busy { errno: Some(libc::EBUSY), .. }));
    // A refusal changes nothing for the open port.
    let error = refusal(&terminal.path).to_string();
    assert!(error.contains("in use by this process"), "{error}");
    drop(port);
    open(&terminal.settings()).unwrap();
}

#[test]
fn port_locked_by_another_open_file_is_busy() {
    let terminal = PseudoTerminal::open();
    let other = OpenOptions::new().read(true).write(true).open(&terminal.path).unwrap();
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { libc::flock(other.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }, 0);
    assert!(matches!(refusal(&terminal.path), PortError::Busy { .. }));
}

#[test]
fn error_of_a_busy_port_names_the_process_that_has_it() {
    let terminal = PseudoTerminal::open();
    let script = "echo locked; read line";
    let mut other = Command::new("flock")
        .args(["--no-fork", &terminal.path, "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(other.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    let PortError::Busy { user: Some(user), .. } = refusal(&terminal.path) else { panic!("not busy") };
    drop(other.stdin.take());
    other.wait().unwrap();
    assert!(
        user.ends_with(&format!("(process {})", other.id())) || user.starts_with("this process"),
        "{user}"
    );
}

/// TIOCEXCL does not bind root, and the driver does not look at the claims on pseudo-terminals.
#[test]
fn claimed_pseudo_terminal_is_busy_for_all_but_root() {
    let terminal = PseudoTerminal::open();
    // SAFETY: TIOCEXCL takes no argument.
    assert_eq!(unsafe { libc::ioctl(terminal.slave.as_raw_fd(), libc::TIOCEXCL) }, 0);
    // SAFETY: no memory is passed.
    if unsafe { libc::geteuid() } == 0 {
        open(&terminal.settings()).unwrap();
    } else {
        assert!(matches!(refusal(&terminal.path), PortError::Busy { errno: Some(libc::EBUSY), .. }));
    }
}

#[test]
fn closed_port_is_free_although_a_copy_of_its_descriptor_is_open() {
    let terminal = PseudoTerminal::open();
    let port = open(&terminal.settings()).unwrap();
    let _copy = port.descriptor().try_clone_to_owned().unwrap();
    drop(port);
    open(&terminal.settings()).unwrap();
}

#[test]
fn port_is_free_as_soon_as_its_thread_has_ended() {
    let terminal = PseudoTerminal::open();
    for _ in 0..20 {
        let rig = Rig::start("reopen", open(&terminal.settings()).unwrap());
        rig.finish();
    }
}

/// A claim on a pseudo-terminal outlives a killed process and would lock out every user but root.
#[test]
fn open_pseudo_terminal_has_no_claim() {
    let terminal = PseudoTerminal::open();
    let port = open(&terminal.settings()).unwrap();
    let mut claimed: libc::c_int = -1;
    // SAFETY: TIOCGEXCL writes one int.
    let result = unsafe { libc::ioctl(port.descriptor().as_raw_fd(), libc::TIOCGEXCL, &raw mut claimed) };
    assert_eq!((result, claimed), (0, 0));
}

#[test]
fn every_byte_passes_unchanged_both_ways() {
    let mut terminal = PseudoTerminal::open();
    let rig = Rig::start("raw", open(&terminal.settings()).unwrap());
    let all: Vec<u8> = (0..=255).collect();
    terminal.master.write_all(&all).unwrap();
    assert_eq!(rig.read(256), all);
    rig.order(Order::Send(all.clone()));
    assert_eq!(receive(&mut terminal.master, all.len()), all);
}

#[test]
fn symbolic_link_to_a_pseudo_terminal_is_a_port() {
    let mut terminal = PseudoTerminal::open();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("modem");
    symlink(&terminal.path, &path).unwrap();
    let rig = Rig::start("link", open(&settings(path.to_str().unwrap())).unwrap());
    terminal.master.write_all(b"\r\nRDY\r\n").unwrap();
    assert_eq!(rig.read(7), b"\r\nRDY\r\n");
    assert!(matches!(refusal(&terminal.path), PortError::Busy { .. }), "the same port by its own name");
}

/// With VMIN = 0 a read of nothing returns 0, as if the port were unplugged.
#[test]
fn vmin_of_zero_left_by_another_program_does_not_look_like_a_loss() {
    let mut terminal = PseudoTerminal::open();
    leave_without_minimum(&terminal.slave);
    let rig = Rig::start("vmin", open(&terminal.settings()).unwrap());
    terminal.master.write_all(b"x").unwrap();
    assert_eq!(rig.next(), Event::Input(b"x".to_vec()));
    rig.order(Order::Finish);
    assert!(rig.thread.join(LIMIT));
    assert!(!rig.events.try_iter().any(|event| matches!(event, Event::Lost(_))));
}

#[test]
fn settings_of_another_program_have_no_effect() {
    for flow_control in [FlowControl::None, FlowControl::Software] {
        let terminal = PseudoTerminal::open();
        let mut dirty = attributes(&terminal.slave);
        dirty.c_iflag = libc::IXANY | libc::ICRNL | libc::ISTRIP | libc::PARMRK | libc::INPCK | libc::BRKINT;
        dirty.c_oflag = libc::OPOST | libc::ONLCR;
        dirty.c_lflag = libc::ECHO | libc::ICANON | libc::ISIG | libc::IEXTEN;
        dirty.c_cc[libc::VSTART] = b'a';
        set_attributes(&terminal.slave, &dirty);
        let _port = open(&Settings { flow_control, ..terminal.settings() }).unwrap();
        let clean = attributes(&terminal.slave);
        let wanted = if flow_control == FlowControl::None { 0 } else { libc::IXON | libc::IXOFF };
        assert_eq!((clean.c_iflag, clean.c_oflag, clean.c_lflag), (wanted, 0, 0));
        assert_eq!(clean.c_cc[libc::VSTART], 0x11);
    }
}

#[test]
fn refused_open_leaves_the_settings_of_a_cooked_terminal() {
    let terminal = PseudoTerminal::open();
    let before = attributes(&terminal.slave);
    assert_ne!(before.c_lflag & libc::ECHO, 0, "a new terminal echoes");
    let other = OpenOptions::new().read(true).write(true).open(&terminal.path).unwrap();
    // SAFETY: no memory is passed.
    assert_eq!(unsafe { libc::flock(other.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }, 0);
    refusal(&terminal.path);
    assert_eq!(attributes(&terminal.slave).c_lflag, before.c_lflag);
}

/// A module that was sent something before it could answer gets its answer back as a command otherwise.
#[test]
fn input_that_arrives_right_after_the_open_is_not_echoed() {
    let mut terminal = PseudoTerminal::open();
    let _port = open(&terminal.settings()).unwrap();
    terminal.master.write_all(b"\r\nRDY\r\n").unwrap();
    assert!(!has_input(&terminal.master, Duration::from_millis(50)), "the input was sent back");
}

fn attributes(terminal: &File) -> libc::termios {
    // SAFETY: termios is plain integers, filled by tcgetattr.
    unsafe {
        let mut attributes: libc::termios = std::mem::zeroed();
        assert_eq!(libc::tcgetattr(terminal.as_raw_fd(), &raw mut attributes), 0);
        attributes
    }
}

fn set_attributes(terminal: &File, attributes: &libc::termios) {
    // SAFETY: the attributes are borrowed for the call.
    assert_eq!(unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, attributes) }, 0);
}

fn leave_without_minimum(terminal: &File) {
    let mut attributes = attributes(terminal);
    attributes.c_lflag &= !(libc::ICANON | libc::ECHO);
    attributes.c_cc[libc::VMIN] = 0;
    attributes.c_cc[libc::VTIME] = 0;
    set_attributes(terminal, &attributes);
}
