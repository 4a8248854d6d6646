//! Opening serial ports: errors, exclusive use, settings.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

mod link_support;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;

use link_support::{Event, LIMIT, Order, PseudoTerminal, Rig, receive, settings};
use simcom_mqtt::link::{PortError, open};

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
    assert!(matches!(refusal(&terminal.path), PortError::Busy { .. }));
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

fn leave_without_minimum(terminal: &File) {
    // SAFETY: termios is plain integers, filled by tcgetattr and borrowed for the calls.
    unsafe {
        let mut attributes: libc::termios = std::mem::zeroed();
        assert_eq!(libc::tcgetattr(terminal.as_raw_fd(), &raw mut attributes), 0);
        attributes.c_lflag &= !(libc::ICANON | libc::ECHO);
        attributes.c_cc[libc::VMIN] = 0;
        attributes.c_cc[libc::VTIME] = 0;
        assert_eq!(libc::tcsetattr(terminal.as_raw_fd(), libc::TCSANOW, &raw const attributes), 0);
    }
}
