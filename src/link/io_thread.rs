use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::io_driver::Driver;
use super::io_loop::IoLoop;
use super::platform::Waker;
use super::port::Port;
use super::thread_control::ThreadControl;

/// The thread that reads and writes a port for a driver. It waits only for the port, the driver's deadline and
/// [`Waker::wake`].
///
/// Dropping the handle stops the thread without waiting for its end.
pub struct IoThread {
    waker: Waker,
    control: Arc<ThreadControl>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl IoThread {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system's error if no thread or no file descriptor is left. The port is closed then.
    pub fn spawn(name: &str, port: Box<dyn Port>, driver: impl Driver + Send + 'static) -> io::Result<Self> {
        Self::spawn_with(name, Some(port), Waker::new()?, move || driver)
    }

    /// As [`IoThread::spawn`]. The thread makes the driver itself, so that the driver need not be `Send`, and waits on
    /// `waker`, which other threads may have already. Without a port, it waits for [`IoThread::attach`].
    ///
    /// # Errors
    ///
    /// As [`IoThread::spawn`].
    pub fn spawn_with<D: Driver>(
        name: &str,
        port: Option<Box<dyn Port>>,
        waker: Waker,
        make_driver: impl FnOnce() -> D + Send + 'static,
    ) -> io::Result<Self> {
        let control = Arc::new(ThreadControl::default());
        let thread = thread::Builder::new().name(name.to_owned()).spawn({
            let (waker, control) = (waker.clone(), control.clone());
            move || {
                // Dropped last, after port and driver.
                let _end = EndOfThread(control.clone());
                IoLoop::new(make_driver(), port, control, waker).run();
            }
        })?;
        Ok(Self { waker, control, thread: Mutex::new(Some(thread)) })
    }

    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Gives the thread a new port after a loss, and the driver `handle_port_attached`. If the old port still works, the
    /// driver gets `handle_port_lost` first.
    pub fn attach(&self, port: Box<dyn Port>) {
        self.control.attach(port);
        self.waker.wake();
    }

    /// Ends the thread whether or not the driver has finished. The driver gets `handle_port_lost`.
    pub fn stop(&self) {
        self.control.stop();
        self.waker.wake();
    }

    /// Waits until the thread has ended and closed its port. Returns false if that takes longer than `timeout`, or if the
    /// caller is that thread. Does not end the thread: let the driver finish, or call `stop`.
    pub fn join(&self, timeout: Duration) -> bool {
        if self.is_current() || !self.control.wait_for_end(timeout) {
            return false;
        }
        if let Some(thread) = self.thread().take() {
            // The thread has ended. An error would be a panic in the drop of the driver.
            let _ = thread.join();
        }
        true
    }

    fn is_current(&self) -> bool {
        self.thread().as_ref().is_some_and(|thread| thread.thread().id() == thread::current().id())
    }

    fn thread(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for IoThread {
    fn drop(&mut self) {
        self.stop();
    }
}

struct EndOfThread(Arc<ThreadControl>);

impl Drop for EndOfThread {
    fn drop(&mut self) {
        self.0.end();
    }
}
