use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;

use super::driver::Driver;
use super::io_loop::IoLoop;
use super::mailbox::Mailbox;
use super::platform::Waker;
use super::port::Port;

/// The thread that reads and writes a port for a driver. It never waits for anything but the port, the driver's next
/// time-out and a call of [`Waker::wake`].
///
/// Dropped before the driver has finished, it is stopped and not waited for.
pub struct IoThread {
    waker: Waker,
    mailbox: Arc<Mailbox>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl IoThread {
    /// # Errors
    ///
    /// The system has no thread or no descriptor left. The port is closed then.
    pub fn spawn(name: &str, port: Box<dyn Port>, driver: impl Driver) -> io::Result<Self> {
        let waker = Waker::new()?;
        let mailbox = Arc::new(Mailbox::default());
        let thread = thread::Builder::new().name(name.to_owned()).spawn({
            let (waker, mailbox) = (waker.clone(), mailbox.clone());
            move || {
                // Dropped last, when port and driver are gone.
                let _end = EndOfThread(mailbox.clone());
                IoLoop::new(driver, port, mailbox, waker).run();
            }
        })?;
        Ok(Self { waker, mailbox, thread: Mutex::new(Some(thread)) })
    }

    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Gives a lost link a new port; the driver hears of it. A port that still works is replaced, which the driver hears as
    /// a loss first.
    pub fn attach(&self, port: Box<dyn Port>) {
        self.mailbox.attach(port);
        self.waker.wake();
    }

    /// Ends the thread without asking the driver, which hears that its port is gone.
    pub fn stop(&self) {
        self.mailbox.stop();
        self.waker.wake();
    }

    /// Waits until the thread has ended and closed its port; false if it has not within `timeout`, or if this is that
    /// thread. Whoever wants it to end tells the driver, or calls `stop`.
    pub fn join(&self, timeout: Duration) -> bool {
        if self.is_current() || !self.mailbox.wait_for_end(timeout) {
            return false;
        }
        if let Some(thread) = self.thread.lock().take() {
            // It ended, whether or not the driver panicked while it was dropped.
            let _ = thread.join();
        }
        true
    }

    fn is_current(&self) -> bool {
        self.thread.lock().as_ref().is_some_and(|thread| thread.thread().id() == thread::current().id())
    }
}

impl Drop for IoThread {
    fn drop(&mut self) {
        self.stop();
    }
}

struct EndOfThread(Arc<Mailbox>);

impl Drop for EndOfThread {
    fn drop(&mut self) {
        self.0.end();
    }
}
