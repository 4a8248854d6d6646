use std::time::Instant;

/// What the I/O thread drives: a state machine that neither waits nor reads a clock.
///
/// Every method is called on the I/O thread and must not block. After each round of input, time-out or wake the thread
/// writes what `poll_transmit` gives, calls `flush` and asks `poll_timeout` how long it may wait.
pub trait Driver: Send + 'static {
    /// Another thread called [`Waker::wake`](super::Waker::wake): take what it left in the inbox. May come without need.
    fn handle_wake(&mut self, now: Instant);

    fn handle_input(&mut self, bytes: &[u8], now: Instant);

    /// The instant that `poll_timeout` named has come.
    fn handle_timeout(&mut self, now: Instant);

    /// The port is gone (unplugged, hung up, I/O error); the reason in the system's words. Everything that had been read
    /// before was handed to `handle_input`; what was written last may or may not have reached the module. Comes also, and
    /// then perhaps a second time, when the thread is stopped before the driver has finished.
    fn handle_port_lost(&mut self, reason: String, now: Instant);

    /// A port was attached again after a loss.
    fn handle_port_attached(&mut self, now: Instant);

    fn poll_timeout(&self) -> Option<Instant>;

    /// The bytes to write next, empty when there are none. The same bytes until `handle_transmitted` tells how many of
    /// them were written.
    fn poll_transmit(&mut self) -> &[u8];

    fn handle_transmitted(&mut self, count: usize, now: Instant);

    /// What `poll_transmit` gives must not be written before everything written earlier has left the UART.
    fn must_drain(&self) -> bool;

    /// Called once after every round of input, time-out or wake: hand events out, wake callers.
    fn flush(&mut self);

    /// True once the driver wants the thread to end.
    fn is_finished(&self) -> bool;
}
