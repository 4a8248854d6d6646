//! Interrupts the I/O thread's wait. Unix.
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(target_os = "linux")]
use event_counter::EventCounter as Signal;
#[cfg(not(target_os = "linux"))]
use self_pipe::SelfPipe as Signal;

/// Calls the I/O thread, from any thread. Cheap: while one call is outstanding, further ones are no system calls.
#[derive(Clone, Debug)]
pub struct Waker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    is_outstanding: AtomicBool,
    signal: Signal,
}

impl Waker {
    pub(super) fn new() -> io::Result<Self> {
        let signal = Signal::new()?;
        Ok(Self { shared: Arc::new(Shared { is_outstanding: AtomicBool::new(false), signal }) })
    }

    /// [`Driver::handle_wake`](super::Driver::handle_wake) will be called after this, and sees what was left for it
    /// before this.
    pub fn wake(&self) {
        if !self.shared.is_outstanding.swap(true, Ordering::AcqRel) {
            self.shared.signal.raise();
        }
    }

    /// Readable while a call is outstanding.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.shared.signal.descriptor()
    }

    /// To be called before the inboxes are looked at.
    pub(super) fn take(&self) {
        // In this order: a call between the two raises no signal, but what it left is seen all the same.
        self.shared.signal.lower();
        self.shared.is_outstanding.swap(false, Ordering::AcqRel);
    }
}

#[cfg(target_os = "linux")]
mod event_counter {
    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, BorrowedFd};

    use crate::link::system_calls;

    #[derive(Debug)]
    pub(super) struct EventCounter(File);

    impl EventCounter {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(system_calls::event_counter()?.into()))
        }

        pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }

        pub(super) fn raise(&self) {
            // Fails only when the counter is full, and then it is readable.
            let _ = (&self.0).write(&1_u64.to_ne_bytes());
        }

        pub(super) fn lower(&self) {
            // Fails only when the counter is zero.
            let _ = (&self.0).read(&mut [0; 8]);
        }
    }
}

#[cfg(any(not(target_os = "linux"), test))]
mod self_pipe {
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::net::UnixStream;

    #[derive(Debug)]
    pub(super) struct SelfPipe {
        reader: UnixStream,
        writer: UnixStream,
    }

    impl SelfPipe {
        pub(super) fn new() -> io::Result<Self> {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            writer.set_nonblocking(true)?;
            Ok(Self { reader, writer })
        }

        pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
            self.reader.as_fd()
        }

        pub(super) fn raise(&self) {
            // Fails only when the pipe is full, and then it is readable.
            let _ = (&self.writer).write(&[0]);
        }

        pub(super) fn lower(&self) {
            // Fails only when the pipe is empty. The waker lets no more than two bytes gather.
            let _ = (&self.reader).read(&mut [0; 8]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::self_pipe::SelfPipe;
    use super::*;
    use crate::link::system_calls::{Watched, poll};

    fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
        let mut watched = [Watched::new(descriptor, false)];
        poll(&mut watched, Some(Duration::ZERO)).unwrap();
        watched[0].is_readable()
    }

    #[test]
    fn one_take_answers_many_calls() {
        let waker = Waker::new().unwrap();
        assert!(!is_readable(waker.descriptor()));
        for _ in 0..3 {
            waker.clone().wake();
        }
        assert!(is_readable(waker.descriptor()));
        waker.take();
        assert!(!is_readable(waker.descriptor()));
        waker.wake();
        assert!(is_readable(waker.descriptor()));
    }

    #[test]
    fn the_pipe_serves_where_there_is_no_event_counter() {
        let pipe = SelfPipe::new().unwrap();
        pipe.raise();
        pipe.raise();
        assert!(is_readable(pipe.descriptor()));
        pipe.lower();
        assert!(!is_readable(pipe.descriptor()));
        pipe.lower();
    }

    #[test]
    fn no_call_is_lost_between_threads() {
        use std::sync::atomic::AtomicU64;
        const CALLS: u64 = 20_000;
        let waker = Waker::new().unwrap();
        let inbox = Arc::new(AtomicU64::new(0));
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let (waker, inbox) = (waker.clone(), inbox.clone());
                std::thread::spawn(move || {
                    for _ in 0..CALLS {
                        inbox.fetch_add(1, Ordering::Relaxed);
                        waker.wake();
                    }
                })
            })
            .collect();
        let mut seen = 0;
        while seen < 4 * CALLS {
            let mut watched = [Watched::new(waker.descriptor(), false)];
            poll(&mut watched, Some(Duration::from_secs(5))).unwrap();
            assert!(watched[0].is_readable(), "a call was lost after {seen}");
            waker.take();
            seen += inbox.swap(0, Ordering::Relaxed);
        }
        for caller in callers {
            caller.join().unwrap();
        }
    }
}
