use std::io;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(target_os = "linux")]
use event_counter::EventCounter as Signal;
#[cfg(not(target_os = "linux"))]
use self_pipe::SelfPipe as Signal;

/// Ends the I/O thread's wait, from any thread. While a wake is outstanding, further wakes make no system call.
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
    pub fn new() -> io::Result<Self> {
        let signal = Signal::new()?;
        Ok(Self { shared: Arc::new(Shared { is_outstanding: AtomicBool::new(false), signal }) })
    }

    /// Makes the I/O thread call [`Driver::handle_wake`](crate::link::Driver::handle_wake). That call sees everything that
    /// the caller did before the wake.
    pub fn wake(&self) {
        if !self.shared.is_outstanding.swap(true, Ordering::AcqRel) {
            self.shared.signal.raise();
        }
    }

    /// Returns a descriptor that is readable while a wake is outstanding.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.shared.signal.descriptor()
    }

    /// Resets the waker. Call this before looking at what other threads left.
    pub(super) fn take(&self) {
        // In this order: a wake between the two lines raises no signal, but the caller looks at the requests after it.
        self.shared.signal.lower();
        self.shared.is_outstanding.swap(false, Ordering::AcqRel);
    }
}

#[cfg(target_os = "linux")]
mod event_counter {
    use std::fs::File;
    use std::io::{self, Read, Write};
    use std::os::fd::{AsFd, BorrowedFd};

    use super::super::linux;

    #[derive(Debug)]
    pub(super) struct EventCounter(File);

    impl EventCounter {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self(linux::event_counter()?.into()))
        }

        pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }

        pub(super) fn raise(&self) {
            // Fails only if the counter is full; it is readable then.
            let _ = (&self.0).write(&1_u64.to_ne_bytes());
        }

        pub(super) fn lower(&self) {
            // Fails only if the counter is zero.
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
            // Fails only if the pipe is full; it is readable then.
            let _ = (&self.writer).write(&[0]);
        }

        pub(super) fn lower(&self) {
            // Fails only if the pipe is empty. At most two bytes gather: see `Waker::take`.
            let _ = (&self.reader).read(&mut [0; 8]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::system_calls::{Watched, poll};
    use super::self_pipe::SelfPipe;
    use super::*;

    fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
        let mut watched = [Watched::new(descriptor, false)];
        poll(&mut watched, Some(Duration::ZERO)).unwrap();
        watched[0].is_readable()
    }

    #[test]
    fn one_take_resets_many_wakes() {
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
    fn pipe_is_readable_from_raise_to_lower() {
        let pipe = SelfPipe::new().unwrap();
        pipe.raise();
        pipe.raise();
        assert!(is_readable(pipe.descriptor()));
        pipe.lower();
        assert!(!is_readable(pipe.descriptor()));
        pipe.lower();
    }

    #[test]
    fn no_wake_is_lost_between_threads() {
        use std::sync::atomic::AtomicU64;
        const WAKES: u64 = 20_000;
        let waker = Waker::new().unwrap();
        let requests = Arc::new(AtomicU64::new(0));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (waker, requests) = (waker.clone(), requests.clone());
                std::thread::spawn(move || {
                    for _ in 0..WAKES {
                        requests.fetch_add(1, Ordering::Relaxed);
                        waker.wake();
                    }
                })
            })
            .collect();
        let mut seen = 0;
        while seen < 4 * WAKES {
            let mut watched = [Watched::new(waker.descriptor(), false)];
            poll(&mut watched, Some(Duration::from_secs(5))).unwrap();
            assert!(watched[0].is_readable(), "a wake was lost after {seen}");
            waker.take();
            seen += requests.swap(0, Ordering::Relaxed);
        }
        for thread in threads {
            thread.join().unwrap();
        }
    }
}
