//! The thread between a port and its driver.
#![allow(unreachable_pub, reason = "nothing outside a test crate can see it")]
#![cfg(target_os = "linux")]
#![allow(unsafe_code)]

mod link_support;

use std::fs;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use link_support::{Event, FakePort, LIMIT, Order, PseudoTerminal, Rig, has_input, receive};
use simcom_mqtt::link::{LineErrors, Port, open};

/// The I/O thread takes input for damaged if it comes within this time after an error.
const DAMAGE_DELAY: Duration = Duration::from_millis(100);

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
}

#[test]
fn answer_is_written_in_the_round_of_its_input() {
    let mut terminal = PseudoTerminal::open();
    let rig = Rig::start("echo", open(&terminal.settings()).unwrap());
    rig.order(Order::EchoInput);
    for round in 0..200_u32 {
        terminal.master.write_all(&round.to_be_bytes()).unwrap();
        assert_eq!(receive(&mut terminal.master, 4), round.to_be_bytes());
    }
}

#[test]
fn large_write_reaches_a_slow_reader_whole() {
    let mut terminal = PseudoTerminal::open();
    let rig = Rig::start("large-write", open(&terminal.settings()).unwrap());
    let sent = pattern(300_000);
    rig.order(Order::Send(sent.clone()));
    // Input is read although the write is blocked.
    terminal.master.write_all(b"URC").unwrap();
    assert_eq!(rig.read(3), b"URC");
    let mut received = Vec::new();
    while received.len() < sent.len() {
        received.extend(receive(&mut terminal.master, 100));
    }
    assert!(received == sent, "what arrived is not what was sent");
    rig.wait_until_written(sent.len());
    assert_eq!(wake_ups_in_a_second("large-write", &rig), 0, "it still waits until it can write");
}

#[test]
fn large_input_arrives_whole() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("input", open(&terminal.settings()).unwrap());
    let sent = pattern(300_000);
    let (bytes, mut master) = (sent.clone(), terminal.master.try_clone().unwrap());
    let writer = std::thread::spawn(move || master.write_all(&bytes));
    assert!(rig.read(sent.len()) == sent, "what arrived is not what was sent");
    writer.join().unwrap().unwrap();
}

/// On the master's side: the kernel drops what a slave has not read when its master closes.
#[test]
fn hang_up_is_reported_after_the_bytes_before_it() {
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
fn input_larger_than_the_buffer_is_read_before_the_end_is_reported() {
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

/// A port on which input arrives while a write fails.
struct BreaksWhenWritten {
    quiet: UnixStream,
    late_input: Vec<u8>,
    is_broken: bool,
}

impl Port for BreaksWhenWritten {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = buffer.len().min(self.late_input.len());
        if !self.is_broken || count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        buffer[..count].copy_from_slice(&self.late_input[..count]);
        self.late_input.drain(..count);
        Ok(count)
    }

    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        self.is_broken = true;
        Err(io::Error::from_raw_os_error(libc::EPIPE))
    }

    fn output_pending(&self) -> usize {
        0
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        None
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.quiet.as_fd()
    }
}

/// A port that reports a framing error for each read with an `x` in it.
struct Noisy {
    port: FakePort,
    errors: LineErrors,
}

impl Port for Noisy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.port.read(buffer)?;
        self.errors.framing += u64::from(buffer[..count].contains(&b'x'));
        Ok(count)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.port.write(bytes)
    }

    fn output_pending(&self) -> usize {
        0
    }

    fn baudrate(&self) -> Option<NonZeroU32> {
        None
    }

    fn take_line_errors(&mut self) -> LineErrors {
        std::mem::take(&mut self.errors)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.port.descriptor()
    }
}

#[test]
fn input_with_line_errors_and_the_input_right_after_it_are_damaged() {
    let (near, mut far) = UnixStream::pair().unwrap();
    let port = Noisy { port: FakePort::new(near).0, errors: LineErrors::default() };
    let rig = Rig::start("noise", Box::new(port));
    let one = LineErrors { framing: 1, ..LineErrors::default() };
    far.write_all(b"clean").unwrap();
    assert_eq!(rig.next(), Event::Input(b"clean".to_vec()));
    far.write_all(b"ax").unwrap();
    assert_eq!(rig.next(), Event::DamagedInput(b"ax".to_vec(), one));
    let reported = Instant::now();
    far.write_all(b"soon").unwrap();
    match rig.next() {
        Event::DamagedInput(bytes, errors) => {
            assert_eq!((bytes, errors.is_empty()), (b"soon".to_vec(), true));
        }
        // On a busy machine it may come too late to belong to the error.
        event => {
            assert!(
                event == Event::Input(b"soon".to_vec()) && reported.elapsed() > DAMAGE_DELAY,
                "{event:?}"
            );
        }
    }
    far.write_all(b"clean again").unwrap();
    assert_eq!(rig.next(), Event::Input(b"clean again".to_vec()));
}

#[test]
fn failed_write_is_reported_as_loss_after_the_input_before_it() {
    let (quiet, _far) = UnixStream::pair().unwrap();
    let late_input = pattern(150_000);
    let port = BreaksWhenWritten { quiet, late_input: late_input.clone(), is_broken: false };
    let rig = Rig::start("write", Box::new(port));
    rig.order(Order::Send(b"AT\r".to_vec()));
    assert!(rig.read(late_input.len()) == late_input);
    assert_eq!(rig.wait_for_loss(), "Broken pipe");
}

#[test]
fn thread_continues_with_a_port_attached_after_a_loss() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("attach", open(&terminal.settings()).unwrap());
    drop(terminal);
    rig.wait_for_loss();
    rig.order(Order::Send(b"AT\r".to_vec()));
    rig.wait_until_woken();
    let mut terminal = PseudoTerminal::open();
    rig.thread.attach(open(&terminal.settings()).unwrap());
    assert_eq!(rig.next(), Event::Attached);
    assert_eq!(receive(&mut terminal.master, 3), b"AT\r", "output that was not sent before the loss");
    terminal.master.write_all(b"OK").unwrap();
    assert_eq!(rig.read(2), b"OK");
}

#[test]
fn port_attached_after_the_end_is_closed() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("late", open(&terminal.settings()).unwrap());
    rig.finish();
    rig.thread.attach(open(&terminal.settings()).unwrap());
    open(&terminal.settings()).expect("the late port was not closed");
}

#[test]
fn timeout_is_handled_when_it_is_due() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("timeout", open(&terminal.settings()).unwrap());
    for milliseconds in [0, 1, 20] {
        rig.order(Order::SetTimeout(Instant::now() + Duration::from_millis(milliseconds)));
        assert!(matches!(rig.next(), Event::TimedOut { .. }));
    }
}

#[test]
fn input_is_handled_before_a_timeout() {
    let (near, mut far) = UnixStream::pair().unwrap();
    far.write_all(b"in time").unwrap();
    let (port, _) = FakePort::new(near);
    let rig = Rig::start("before", Box::new(port));
    rig.order(Order::SetTimeout(Instant::now()));
    assert_eq!(rig.next(), Event::Input(b"in time".to_vec()));
    assert!(matches!(rig.next(), Event::TimedOut { .. }));
}

#[test]
fn output_that_must_drain_waits_until_earlier_output_has_left() {
    let (near, mut far) = UnixStream::pair().unwrap();
    let (port, unsent) = FakePort::new(near);
    let rig = Rig::start("drain", Box::new(port));
    unsent.store(3072, Ordering::SeqCst);
    rig.order(Order::SendWhenDrained(b"second".to_vec()));
    rig.wait_until_woken();
    // Reading goes on meanwhile.
    far.write_all(b"URC").unwrap();
    assert_eq!(rig.read(3), b"URC");
    assert!(!has_input(&far, Duration::ZERO), "it was written too early");
    unsent.store(0, Ordering::SeqCst);
    assert_eq!(receive(&mut far, 6), b"second");
}

#[test]
fn no_wake_is_lost_under_contention() {
    const THREADS: usize = 4;
    const WAKES: usize = 2_000;
    let (near, mut far) = UnixStream::pair().unwrap();
    let (port, _) = FakePort::new(near);
    let rig = Rig::start("calls", Box::new(port));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let commander = rig.commander.clone();
            let byte = u8::try_from(thread).unwrap();
            scope.spawn(move || (0..WAKES).for_each(|_| commander.order(Order::Send(vec![byte]))));
        }
        let mut received = receive(&mut far, THREADS * WAKES);
        received.sort_unstable();
        let sent = (0..THREADS).flat_map(|thread| [u8::try_from(thread).unwrap(); WAKES]);
        assert!(received.into_iter().eq(sent));
    });
}

#[test]
fn signals_do_not_end_the_thread() {
    let mut terminal = PseudoTerminal::open();
    let rig = Rig::start("signal-thread", open(&terminal.settings()).unwrap());
    install_empty_handler(libc::SIGUSR1);
    rig.order(Order::EchoInput);
    let thread = id_of("signal-thread");
    for round in 0..200_u8 {
        send_signal(thread, libc::SIGUSR1);
        terminal.master.write_all(&[round]).unwrap();
        assert_eq!(receive(&mut terminal.master, 1), [round]);
    }
}

fn install_empty_handler(signal: libc::c_int) {
    extern "C" fn do_nothing(_: libc::c_int) {}
    let handler: extern "C" fn(libc::c_int) = do_nothing;
    // SAFETY: the action is plain integers and a handler that does nothing.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        assert_eq!(libc::sigaction(signal, &raw const action, std::ptr::null_mut()), 0);
    }
}

fn send_signal(thread: libc::c_long, signal: libc::c_int) {
    // SAFETY: no memory is passed.
    let result =
        unsafe { libc::syscall(libc::SYS_tgkill, libc::c_long::from(libc::getpid()), thread, signal) };
    assert_eq!(result, 0);
}

#[test]
fn panic_in_the_driver_ends_the_thread_as_a_loss() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("panic", open(&terminal.settings()).unwrap());
    rig.order(Order::Panic);
    assert!(rig.wait_for_loss().contains("internal error"));
    assert!(rig.thread.join(LIMIT));
    open(&terminal.settings()).expect("the port was closed");
}

#[test]
fn stopped_thread_reports_a_loss_and_closes_its_port() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("stop", open(&terminal.settings()).unwrap());
    assert!(!rig.thread.join(Duration::ZERO), "it runs");
    rig.thread.stop();
    assert_eq!(rig.wait_for_loss(), "the port was closed");
    assert!(rig.thread.join(LIMIT));
    assert!(rig.thread.join(LIMIT), "a second time");
    open(&terminal.settings()).expect("the port was closed");
}

#[test]
fn dropped_handle_stops_the_thread() {
    let terminal = PseudoTerminal::open();
    let Rig { thread, events, .. } = Rig::start("drop", open(&terminal.settings()).unwrap());
    drop(thread);
    let end = std::iter::repeat_with(|| events.recv_timeout(LIMIT)).find_map(Result::err);
    assert_eq!(end, Some(RecvTimeoutError::Disconnected), "the driver was not dropped");
    open(&terminal.settings()).expect("the port was closed before the driver was dropped");
}

#[test]
fn idle_thread_does_not_wake_up() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("idle-thread", open(&terminal.settings()).unwrap());
    rig.order(Order::EchoInput);
    rig.wait_until_woken();
    assert_eq!(wake_ups_in_a_second("idle-thread", &rig), 0);
}

#[test]
fn thread_without_a_port_does_not_wake_up() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("lost-thread", open(&terminal.settings()).unwrap());
    drop(terminal);
    rig.wait_for_loss();
    assert_eq!(wake_ups_in_a_second("lost-thread", &rig), 0);
}

#[test]
fn thread_with_a_blocked_write_does_not_wake_up() {
    let terminal = PseudoTerminal::open();
    let rig = Rig::start("stuck-thread", open(&terminal.settings()).unwrap());
    rig.order(Order::Send(vec![0; 1_000_000]));
    // The kernel takes some of the bytes, in pieces, and then no more.
    while rig.events.recv_timeout(Duration::from_millis(300)).is_ok() {}
    assert_eq!(wake_ups_in_a_second("stuck-thread", &rig), 0);
}

/// Returns how often the thread was scheduled in a second without events.
fn wake_ups_in_a_second(name: &str, rig: &Rig) -> u64 {
    let thread = id_of(name);
    let before = switches_once_asleep(thread);
    assert!(rig.events.recv_timeout(Duration::from_secs(1)).is_err(), "an event came");
    switches_once_asleep(thread) - before
}

fn switches_once_asleep(thread: libc::c_long) -> u64 {
    let deadline = Instant::now() + LIMIT;
    loop {
        let status = fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap();
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        if field("State:").starts_with('S') {
            let count = |name| field(name).parse::<u64>().unwrap();
            return count("voluntary_ctxt_switches:") + count("nonvoluntary_ctxt_switches:");
        }
        assert!(Instant::now() < deadline, "thread {thread} never slept");
        std::thread::yield_now();
    }
}

/// A thread has its name only once it runs, and the list of threads may miss one while others end.
fn id_of(name: &str) -> libc::c_long {
    let deadline = Instant::now() + LIMIT;
    loop {
        let tasks = fs::read_dir("/proc/self/task").unwrap().filter_map(Result::ok);
        let mut named = tasks.filter(|task| {
            fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim_end() == name)
        });
        if let Some(task) = named.next() {
            return task.file_name().to_str().unwrap().parse().unwrap();
        }
        assert!(Instant::now() < deadline, "no thread {name}");
        std::thread::yield_now();
    }
}
