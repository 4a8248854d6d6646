#![allow(unsafe_code)]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use windows_sys::Win32::Foundation::{WAIT_FAILED, WAIT_OBJECT_0, WAIT_TIMEOUT};
use windows_sys::Win32::System::Threading::{INFINITE, WaitForMultipleObjects};

use super::operation::{KernelEvent, Reset};
use crate::link::port::Port;

/// Ends the I/O thread's wait, from any thread. While a wake is outstanding, further wakes make no system call.
#[derive(Clone, Debug)]
pub struct Waker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    is_outstanding: AtomicBool,
    event: KernelEvent,
}

impl Waker {
    /// Makes a waker.
    ///
    /// # Errors
    ///
    /// The system's error if no event is left.
    pub fn new() -> io::Result<Self> {
        let event = KernelEvent::new(Reset::Automatic)?;
        Ok(Self { shared: Arc::new(Shared { is_outstanding: AtomicBool::new(false), event }) })
    }

    /// Makes the I/O thread call [`Driver::handle_wake`](crate::link::Driver::handle_wake). That call sees everything that
    /// the caller did before the wake.
    pub fn wake(&self) {
        if !self.shared.is_outstanding.swap(true, Ordering::AcqRel) {
            self.shared.event.signal();
        }
    }
}

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
    let mut handles = [waker.shared.event.handle(); 3];
    let mut count = 1;
    if let Some(port) = port {
        handles[1..].copy_from_slice(&port.events());
        // The event of a write stays signalled after its end, so it counts only while the port is blocked. A socket has one
        // event for both.
        count = if for_writing && handles[1] != handles[2] { 3 } else { 2 };
    }
    // SAFETY: the array has at least `count` handles, and their owners are borrowed.
    let result = unsafe { WaitForMultipleObjects(count, handles.as_ptr(), 0, milliseconds(deadline)) };
    match result {
        WAIT_FAILED => return Err(io::Error::last_os_error()),
        WAIT_TIMEOUT => return Ok(Ready::default()),
        _ => {}
    }
    // The system names the first event that is signalled; those behind it may be too.
    if let Some(port) = port {
        port.acknowledge();
    }
    // The wait has reset the event. In this order: a wake from now on raises no signal if the flag is still set, but the
    // caller looks at the requests after it.
    let woken = waker.shared.is_outstanding.swap(false, Ordering::AcqRel) || result == WAIT_OBJECT_0;
    Ok(Ready { woken, readable: port.is_some() })
}

/// Rounds up, so that a deadline has come when the wait ends.
fn milliseconds(deadline: Option<Instant>) -> u32 {
    const LONGEST: u32 = INFINITE - 1;
    deadline.map_or(INFINITE, |deadline| {
        let left = deadline.saturating_duration_since(Instant::now());
        u32::try_from(left.as_nanos().div_ceil(1_000_000)).map_or(LONGEST, |left| left.min(LONGEST))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn wait_ends_at_its_deadline_and_not_before() {
        let waker = Waker::new().unwrap();
        let deadline = Instant::now() + Duration::from_millis(20);
        assert_eq!(wait(None, &waker, false, Some(deadline)).unwrap(), Ready::default());
        assert!(Instant::now() >= deadline);
    }

    #[test]
    fn one_wait_resets_many_wakes() {
        let waker = Waker::new().unwrap();
        for _ in 0..3 {
            waker.clone().wake();
        }
        assert!(wait(None, &waker, false, None).unwrap().woken);
        let soon = Some(Instant::now() + Duration::from_millis(10));
        assert!(!wait(None, &waker, false, soon).unwrap().woken);
        waker.wake();
        assert!(wait(None, &waker, false, None).unwrap().woken);
    }
}
