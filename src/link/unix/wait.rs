use std::io;
use std::time::{Duration, Instant};

use super::system_calls::{Watched, poll};
use super::waker::Waker;
use crate::link::port::Port;

/// The events that ended a wait; none after a deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::link) struct Ready {
    pub(in crate::link) woken: bool,
    pub(in crate::link) readable: bool,
}

/// Waits until the port has input, takes output if `for_writing`, the waker is called, or `deadline` has come.
pub(in crate::link) fn wait(
    port: Option<&dyn Port>,
    waker: &Waker,
    for_writing: bool,
    deadline: Option<Instant>,
) -> io::Result<Ready> {
    let timeout = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    let wake = Watched::new(waker.descriptor(), false);
    let ready = match port {
        None => {
            let mut watched = [wake];
            poll_until_signal(&mut watched, timeout)?;
            Ready { woken: watched[0].is_readable(), readable: false }
        }
        Some(port) => {
            let mut watched = [wake, Watched::new(port.descriptor(), for_writing)];
            poll_until_signal(&mut watched, timeout)?;
            Ready { woken: watched[0].is_readable(), readable: watched[1].is_readable() }
        }
    };
    if ready.woken {
        waker.take();
    }
    Ok(ready)
}

/// A signal ends the wait like a deadline: the caller looks at the clock anyway.
fn poll_until_signal(watched: &mut [Watched], timeout: Option<Duration>) -> io::Result<()> {
    match poll(watched, timeout) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        result => result,
    }
}
