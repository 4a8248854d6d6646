use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::io_driver::Driver;
use super::platform::{self, Ready, Waker};
use super::port::Port;
use super::port_error::described;
use super::thread_control::{ThreadControl, ThreadRequest};

/// The kernel's own buffer for a terminal has this size, so one round reads all that arrived before a deadline.
const BUFFER_SIZE: usize = 64 * 1024;

/// A terminal returns at most 4095 bytes per read. A shorter read than this took all there was, so the loop does not read
/// again; if more has arrived meanwhile, the next wait returns at once.
const SHORT_READ: usize = 2048;

/// Bounds the time between two reads while the port takes everything at once.
const WRITES_PER_ROUND: usize = 16;

/// The wire time tells when bytes have left, but a USB port is faster than its baud rate says.
const LONGEST_DRAIN_CHECK: Duration = Duration::from_millis(10);
const SHORTEST_DRAIN_CHECK: Duration = Duration::from_millis(1);
const BITS_PER_BYTE: u64 = 10;

/// The kernel counts an error before it passes the byte on. It passes bytes on within milliseconds, even on a busy machine.
const DAMAGE_DELAY: Duration = Duration::from_millis(100);

/// Moves bytes between a port and a driver and passes the time to the driver, until the driver has finished.
pub(super) struct IoLoop<D> {
    /// Dropped before the driver: a caller that the driver wakes in its drop may open the port again at once.
    port: Option<Box<dyn Port>>,
    driver: D,
    control: Arc<ThreadControl>,
    waker: Waker,
    buffer: Box<[u8]>,
    /// The driver has more bytes to write than the port took.
    is_blocked: bool,
    /// When to ask again if the written bytes have left.
    drain_check: Option<Instant>,
    /// Until then, the next input may contain damaged bytes whose errors have been reported already.
    damage_expected: Option<Instant>,
}

impl<D: Driver> IoLoop<D> {
    pub(super) fn new(
        driver: D,
        port: Option<Box<dyn Port>>,
        control: Arc<ThreadControl>,
        waker: Waker,
    ) -> Self {
        let buffer = vec![0; BUFFER_SIZE].into_boxed_slice();
        Self {
            port,
            driver,
            control,
            waker,
            buffer,
            is_blocked: false,
            drain_check: None,
            damage_expected: None,
        }
    }

    /// Runs until the driver has finished. A panic in the driver ends the loop too; the driver gets it as the loss of the
    /// port, so that its callers get an error.
    pub(super) fn run(mut self) {
        if catch_unwind(AssertUnwindSafe(|| self.run_rounds())).is_ok() {
            return;
        }
        // The panic hook has printed the reason. A second panic here is ignored.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            self.end("internal error in the driver: please report it", Instant::now());
        }));
    }

    fn run_rounds(&mut self) {
        let mut now = Instant::now();
        loop {
            self.transmit(now);
            self.driver.flush();
            if self.driver.is_finished() {
                return;
            }
            let ready = self.wait();
            now = Instant::now();
            match ready {
                Ok(ready) => {
                    if ready.woken && self.handle_wake(now).is_break() {
                        return self.end("the port was closed", now);
                    }
                    if ready.readable {
                        self.receive(now);
                    }
                }
                Err(error) => return self.end(&described(&error), now),
            }
            // After the input: an answer that has arrived in time is no timeout.
            if self.driver.poll_timeout().is_some_and(|deadline| deadline <= now) {
                self.driver.handle_timeout(now);
            }
        }
    }

    fn wait(&self) -> io::Result<Ready> {
        let deadline = [self.driver.poll_timeout(), self.drain_check].into_iter().flatten().min();
        let port = self.port.as_deref();
        // A suspended port may be writable in the eyes of the system: only its input ends the suspension.
        let for_writing = self.is_blocked && port.is_some_and(|port| !port.is_suspended());
        platform::wait(port, &self.waker, for_writing, deadline)
    }

    fn handle_wake(&mut self, now: Instant) -> ControlFlow<()> {
        match self.control.take() {
            Some(ThreadRequest::Stop) => return ControlFlow::Break(()),
            Some(ThreadRequest::Attach(port)) => {
                if self.port.is_some() {
                    self.lose_port("another port was attached in its place", now);
                }
                self.port = Some(port);
                self.driver.handle_port_attached(now);
            }
            None => {}
        }
        self.driver.handle_wake(now);
        ControlFlow::Continue(())
    }

    /// Passes the bytes that have arrived to the driver, at most a buffer full, and returns their number.
    fn receive(&mut self, now: Instant) -> usize {
        let Some(port) = &mut self.port else { return 0 };
        let (filled, failure) = fill(port.as_mut(), &mut self.buffer);
        if filled > 0 {
            // After the read: the errors of these bytes are counted by now.
            let errors = port.take_line_errors();
            let expected = self.damage_expected.take().is_some_and(|until| now <= until);
            if !errors.is_empty() {
                self.damage_expected = Some(now + DAMAGE_DELAY);
            }
            let input = &self.buffer[..filled];
            if errors.is_empty() && !expected {
                self.driver.handle_input(input, now);
            } else {
                self.driver.handle_damaged_input(input, errors, now);
            }
        }
        if let Some(error) = failure {
            self.lose_port(&described(&error), now);
        }
        filled
    }

    fn transmit(&mut self, now: Instant) {
        self.is_blocked = false;
        self.drain_check = None;
        let Some(port) = &mut self.port else { return };
        for _ in 0..WRITES_PER_ROUND {
            if self.driver.poll_transmit().is_empty() {
                return;
            }
            if self.driver.must_drain()
                && let Some(wait) = time_to_drain(port.as_ref())
            {
                self.drain_check = Some(now + wait);
                return;
            }
            match port.write(self.driver.poll_transmit()) {
                Ok(count) => self.driver.handle_transmitted(count, now),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return self.lose_port_after_reading(&described(&error), now),
            }
        }
        self.is_blocked = true;
    }

    fn lose_port_after_reading(&mut self, reason: &str, now: Instant) {
        while self.receive(now) == BUFFER_SIZE {}
        if self.port.is_some() {
            self.lose_port(reason, now);
        }
    }

    fn lose_port(&mut self, reason: &str, now: Instant) {
        self.port = None;
        self.is_blocked = false;
        self.drain_check = None;
        self.damage_expected = None;
        self.driver.handle_port_lost(reason.to_owned(), now);
    }

    fn end(&mut self, reason: &str, now: Instant) {
        self.lose_port(reason, now);
        self.driver.flush();
    }
}

/// Reads until no byte is left or the buffer is full. Returns the number of bytes, and the error if the port is gone.
fn fill(port: &mut dyn Port, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match port.read(&mut buffer[filled..]) {
            Ok(count) => {
                filled += count;
                if count < SHORT_READ {
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

/// Returns the time after which the written bytes may have left; `None` if they have.
fn time_to_drain(port: &dyn Port) -> Option<Duration> {
    let bits = u64::try_from(port.output_pending()).unwrap_or(u64::MAX).saturating_mul(BITS_PER_BYTE);
    let baudrate = port.baudrate().filter(|_| bits > 0)?;
    let wire_time = Duration::from_micros(bits.saturating_mul(1_000_000) / u64::from(baudrate.get()));
    Some(wire_time.clamp(SHORTEST_DRAIN_CHECK, LONGEST_DRAIN_CHECK))
}
