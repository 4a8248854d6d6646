//! The thread between a port and its driver.
#![cfg(target_os = "linux")]

mod link_support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use link_support::{Event, FakePort, Order, PATIENCE, PseudoTerminal, Rig};
use simcom_mqtt::link::open;

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

#[test]
fn an_answer_goes_out_in_the_round_of_its_input() {
    let mut terminal = PseudoTerminal::open();
    let rig = Rig::start("echo", open(&terminal.settings()).unwrap());
    rig.order(Order::EchoInput);
    for round in 0..200_u32 {
        terminal.master.write_all(&round.to_be_bytes()).unwrap();
        let mut answer = [0; 4];
        terminal.master.read_exact(&mut answer).unwrap();
        assert_eq!(u32::from_be_bytes(answer), round);
    }
}

#[test]
fn a_large_write_reaches_a_slow_reader_whole() {
    let mut terminal = PseudoTerminal::open();
    let rig = Rig::start("large", open(&terminal.settings()).unwrap());
    let sent = pattern(300_000);
    rig.order(Order::Send(sent.clone()));
    // What arrives meanwhile is read although the write is stuck.
    terminal.master.write_all(b"URC").unwrap();
    assert_eq!(rig.read(3), b"URC");
    let mut received: Vec<u8> = Vec::new();
    let mut piece = [0; 97];
    while received.len() < sent.len() {
        let count = terminal.master.read(&mut piece).unwrap();
        received.extend(&piece[..count]);
    }
    assert!(received == sent, "what arrived is not what was sent");
}

#[test]
fn large_input_arrives_whole() {
    let mut terminal = PseudoTerminal::open();
    let rig = Rig::start("input", open(&terminal.settings()).unwrap());
    let sent = pattern(300_000);
    terminal.master.write_all(&sent).unwrap();
    assert!(rig.read(sent.len()) == sent, "what arrived is not what was sent");
}

/// The master's side, since the kernel itself throws away what a slave has not read when its master goes.
#[test]
fn a_hang_up_is_told_after_the_bytes_before_it() {
    let terminal = PseudoTerminal::open();
    let mut near = open(&terminal.settings()).unwrap();
    drop(terminal.slave);
    let sent = pattern(3_000);
    assert_eq!(near.write(&sent).unwrap(), sent.len());
    drop(near);
    let (port, _) = FakePort::new(terminal.master);
    let rig = Rig::start("hang-up", Box::new(port));
    assert_eq!(rig.read(sent.len()), sent);
    assert_eq!(rig.wait_for_loss(), "Input/output error");
}

#[test]
fn bytes_before_the_end_of_a_connection_larger_than_the_buffer_are_all_read() {
    let (near, mut far) = UnixStream::pair().unwrap();
    let sent = pattern(150_000);
    let writer = std::thread::spawn({
        let sent = sent.clone();
        move || far.write_all(&sent)
    });
    let (port, _) = FakePort::new(near);
    let rig = Rig::start("end", Box::new(port));
    assert!(rig.read(sent.len()) == sent, "what arrived is not what was sent");
    writer.join().unwrap().unwrap();
    rig.wait_for_loss();
}

/// Reading finds nothing wrong here: only writing does.
#[test]
fn a_failed_write_is_a_loss_told_after_what_had_arrived() {
    let (near, mut far) = UnixStream::pair().unwrap();
    near.shutdown(std::net::Shutdown::Write).unwrap();
    far.write_all(b"last words").unwrap();
    let (port, _) = FakePort::new(near);
    let rig = Rig::start("write", Box::new(port));
    rig.order(Order::Send(b"AT\r".to_vec()));
    assert_eq!(rig.next(), Event::Input(b"last words".to_vec()));
    assert_eq!(rig.wait_for_loss(), "Broken pipe");
}

#[test]
fn a_lost_link_goes_on_with_another_port() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("attach", open(&terminal.settings()).unwrap());
    drop(terminal);
    rig.wait_for_loss();
    rig.order(Order::Send(b"AT\r".to_vec()));
    rig.wait_until_woken();
    let mut terminal = PseudoTerminal::open();
    rig.thread.attach(open(&terminal.settings()).unwrap());
    assert_eq!(rig.next(), Event::Attached);
    let mut received = [0; 3];
    terminal.master.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"AT\r", "what the driver still wanted to send");
    terminal.master.write_all(b"OK").unwrap();
    assert_eq!(rig.read(2), b"OK");
}

#[test]
fn a_port_attached_too_late_is_closed() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("late", open(&terminal.settings()).unwrap());
    rig.finish();
    rig.thread.attach(open(&terminal.settings()).unwrap());
    open(&terminal.settings()).expect("nobody has it any more");
}

#[test]
fn a_timeout_comes_when_it_is_due() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("timeout", open(&terminal.settings()).unwrap());
    for milliseconds in [0, 1, 20] {
        rig.order(Order::SetTimeout(Instant::now() + Duration::from_millis(milliseconds)));
        assert!(matches!(rig.next(), Event::TimedOut { .. }));
    }
}

#[test]
fn input_that_is_there_is_read_before_a_timeout_is_told() {
    let (near, mut far) = UnixStream::pair().unwrap();
    far.write_all(b"in time").unwrap();
    let (port, _) = FakePort::new(near);
    let rig = Rig::start("before", Box::new(port));
    rig.order(Order::SetTimeout(Instant::now()));
    assert_eq!(rig.next(), Event::Input(b"in time".to_vec()));
    assert!(matches!(rig.next(), Event::TimedOut { .. }));
}

#[test]
fn what_must_drain_waits_until_all_before_it_has_left() {
    let (near, mut far) = UnixStream::pair().unwrap();
    let (port, unsent) = FakePort::new(near);
    let rig = Rig::start("drain", Box::new(port));
    unsent.store(3072, Ordering::SeqCst);
    rig.order(Order::SendWhenDrained(b"second".to_vec()));
    rig.wait_until_woken();
    // Reading goes on meanwhile.
    far.write_all(b"URC").unwrap();
    assert_eq!(rig.read(3), b"URC");
    far.set_nonblocking(true).unwrap();
    let mut received = [0; 6];
    assert!(far.read(&mut received).is_err(), "it was written too early");
    far.set_nonblocking(false).unwrap();
    unsent.store(0, Ordering::SeqCst);
    far.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"second");
}

#[test]
fn no_call_is_lost_under_contention() {
    const CALLERS: usize = 4;
    const CALLS: usize = 2_000;
    let (near, mut far) = UnixStream::pair().unwrap();
    let (port, _) = FakePort::new(near);
    let rig = Rig::start("calls", Box::new(port));
    std::thread::scope(|scope| {
        for caller in 0..CALLERS {
            let boss = rig.boss.clone();
            let byte = u8::try_from(caller).unwrap();
            scope.spawn(move || (0..CALLS).for_each(|_| boss.order(Order::Send(vec![byte]))));
        }
        let mut received = vec![0; CALLERS * CALLS];
        far.read_exact(&mut received).unwrap();
        for caller in 0..CALLERS {
            let byte = u8::try_from(caller).unwrap();
            assert_eq!(received.iter().filter(|received| **received == byte).count(), CALLS);
        }
    });
}

#[test]
fn a_panic_in_the_driver_ends_the_thread_as_a_loss() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("panic", open(&terminal.settings()).unwrap());
    rig.order(Order::Panic);
    assert!(rig.wait_for_loss().contains("internal error"));
    assert!(rig.thread.join(PATIENCE));
    open(&terminal.settings()).expect("the port was closed");
}

#[test]
fn a_stopped_thread_tells_its_driver_and_closes_its_port() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("stop", open(&terminal.settings()).unwrap());
    assert!(!rig.thread.join(Duration::ZERO), "it runs");
    rig.thread.stop();
    assert_eq!(rig.wait_for_loss(), "the port was closed");
    assert!(rig.thread.join(PATIENCE));
    assert!(rig.thread.join(PATIENCE), "a second time");
    open(&terminal.settings()).expect("the port was closed");
}

#[test]
fn a_dropped_handle_stops_the_thread() {
    let terminal = PseudoTerminal::open();
    let Rig { thread, events, .. } = Rig::start("drop", open(&terminal.settings()).unwrap());
    drop(thread);
    while events.recv_timeout(PATIENCE) != Err(std::sync::mpsc::RecvTimeoutError::Disconnected) {}
    open(&terminal.settings()).expect("the port was closed before the driver was dropped");
}

#[test]
fn an_idle_thread_does_not_wake_up() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("idle-thread", open(&terminal.settings()).unwrap());
    rig.order(Order::EchoInput);
    rig.wait_until_woken();
    assert_eq!(wake_ups_in_a_second("idle-thread", &rig), 0);
}

#[test]
fn a_thread_without_a_port_does_not_wake_up() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("lost-thread", open(&terminal.settings()).unwrap());
    drop(terminal);
    rig.wait_for_loss();
    assert_eq!(wake_ups_in_a_second("lost-thread", &rig), 0);
}

#[test]
fn a_stuck_write_does_not_wake_it_up() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("stuck-thread", open(&terminal.settings()).unwrap());
    rig.order(Order::Send(vec![0; 1_000_000]));
    // The kernel takes some of it, in pieces, and then no more.
    while rig.events.recv_timeout(Duration::from_millis(300)).is_ok() {}
    assert_eq!(wake_ups_in_a_second("stuck-thread", &rig), 0);
}

/// How often the thread was scheduled in a second in which nothing was to be done.
fn wake_ups_in_a_second(thread: &str, rig: &Rig) -> u64 {
    let before = switches_once_asleep(thread);
    assert!(rig.events.recv_timeout(Duration::from_secs(1)).is_err(), "something was to be done");
    switches_once_asleep(thread) - before
}

fn switches_once_asleep(thread: &str) -> u64 {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = status_of(thread);
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        if field("State:").starts_with('S') {
            let count = |name| field(name).parse::<u64>().unwrap();
            return count("voluntary_ctxt_switches:") + count("nonvoluntary_ctxt_switches:");
        }
        assert!(Instant::now() < deadline, "{thread} never slept");
        std::thread::yield_now();
    }
}

fn status_of(thread: &str) -> String {
    fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| fs::read_to_string(task.unwrap().path().join("status")).ok())
        .find(|status| status.lines().next() == Some(&format!("Name:\t{thread}")))
        .expect("no such thread")
}
