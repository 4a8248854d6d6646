use std::time::Instant;

use super::line_errors::LineErrors;

/// A state machine that the I/O thread runs: bytes and time go in, bytes and a deadline come out.
///
/// The I/O thread calls every method, so no method may block. After each round of input, timeout or wake the thread writes
/// the bytes of `poll_transmit`, calls `flush`, and waits until the deadline of `poll_timeout` at most.
pub trait Driver {
    /// Takes what other threads left before they called [`Waker::wake`](super::Waker::wake). Spurious calls are possible.
    fn handle_wake(&mut self, now: Instant);

    fn handle_input(&mut self, bytes: &[u8], now: Instant);

    /// Handles input of which some bytes may be wrong or missing because of noise, a break or an overrun. The system does
    /// not tell which.
    ///
    /// `errors` are the errors that the port has counted since it was asked last. They are empty if the input came so soon
    /// after counted errors that these may belong to it.
    fn handle_damaged_input(&mut self, bytes: &[u8], errors: LineErrors, now: Instant);

    /// Handles the deadline that `poll_timeout` returned.
    fn handle_timeout(&mut self, now: Instant);

    /// Handles the loss of the port (unplugged, hung up, I/O error). `reason` is the system's message.
    ///
    /// All bytes read before the loss were passed to `handle_input`. The bytes written last may or may not have reached the
    /// module. If the thread is stopped before the driver has finished, this is called too, perhaps a second time.
    fn handle_port_lost(&mut self, reason: String, now: Instant);

    /// Handles a port that was attached after a loss.
    fn handle_port_attached(&mut self, now: Instant);

    fn poll_timeout(&self) -> Option<Instant>;

    /// Returns the bytes to write next; empty if there are none. Returns the same bytes until `handle_transmitted` says how
    /// many of them were written.
    fn poll_transmit(&mut self) -> &[u8];

    fn handle_transmitted(&mut self, count: usize, now: Instant);

    /// Returns true if the bytes of `poll_transmit` must wait until all bytes written before have left the UART.
    fn must_drain(&self) -> bool;

    /// Hands out events and wakes callers. Called once after every round of input, timeout or wake.
    fn flush(&mut self);

    /// Returns true once the thread may end.
    fn is_finished(&self) -> bool;
}
