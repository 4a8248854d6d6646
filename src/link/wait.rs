//! Where the I/O thread spends its life. Unix.
use std::io;
use std::time::{Duration, Instant};

use super::port::Port;
use super::system_calls::{Watched, poll};
use super::waker::Waker;

/// What ended a wait; nothing of it if that was the deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) woken: bool,
    pub(super) readable: bool,
}

/// Waits until the port has something, takes something if `for_writing`, somebody calls, or `deadline` has come.
pub(super) fn wait(
    port: Option<&dyn Port>,
    waker: &Waker,
    for_writing: bool,
    deadline: Option<Instant>,
) -> io::Result<Ready> {
    let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let call = Watched::new(waker.descriptor(), false);
    let ready = match port {
        None => {
            let mut watched = [call];
            poll_through_signals(&mut watched, timeout)?;
            Ready { woken: watched[0].is_readable(), readable: false }
        }
        Some(port) => {
            let mut watched = [call, Watched::new(port.descriptor(), for_writing)];
            poll_through_signals(&mut watched, timeout)?;
            Ready { woken: watched[0].is_readable(), readable: watched[1].is_readable() }
        }
    };
    if ready.woken {
        waker.take();
    }
    Ok(ready)
}

/// A signal ends the wait as a deadline would: the caller looks at the clock anyway.
fn poll_through_signals(watched: &mut [Watched], timeout: Option<Duration>) -> io::Result<()> {
    match poll(watched, timeout) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        result => result,
    }
}
