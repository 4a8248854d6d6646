//! Opening the port: for the first time, and again for a client that reconnects.

use std::sync::{Arc, OnceLock, Weak};
use std::thread;

use super::error::Error;
use super::event_router::EventRouter;
use super::requests::{Request, Requests};
use crate::link::{self, Address, IoThread, Port, PortIdentity, Settings};

/// Opens the port, each time on a thread of its own: an attempt may take as long as a server does to answer.
pub(super) struct PortOpener {
    settings: Settings,
    /// The port as the user named it.
    name: String,
    /// Recognizes the device when it comes back under another name. Known once the port was open.
    identity: OnceLock<PortIdentity>,
    router: Arc<EventRouter>,
    requests: Requests,
    io_thread: Weak<IoThread>,
}

impl PortOpener {
    pub(super) fn new(
        settings: Settings,
        name: String,
        router: Arc<EventRouter>,
        requests: Requests,
        io_thread: &Arc<IoThread>,
    ) -> Self {
        let io_thread = Arc::downgrade(io_thread);
        Self { settings, name, identity: OnceLock::new(), router, requests, io_thread }
    }

    /// The port is gone: from now on, only ports that appear later can be the same device.
    pub(super) fn note_loss(&self) {
        if let Some(identity) = self.identity.get() {
            identity.note_loss();
        }
    }

    /// Starts an attempt. The I/O thread gets the new port, or hears that there is none.
    pub(super) fn open(self: Arc<Self>) {
        let requests = self.requests.clone();
        let open = move || match self.opened() {
            Ok(mut port) => {
                port.take_warnings().into_iter().for_each(|warning| self.router.warn(warning));
                if let Some(io_thread) = self.io_thread.upgrade() {
                    io_thread.attach(port);
                }
            }
            Err(error) => self.requests.put(Request::PortNotOpened(error.to_string())),
        };
        let thread = thread::Builder::new().name("simcom-mqtt-open".to_owned()).spawn(open);
        if let Err(error) = thread {
            requests.put(Request::PortNotOpened(error.to_string()));
        }
    }

    fn opened(&self) -> Result<Box<dyn Port>, Error> {
        let Some(identity) = self.identity.get() else {
            let port = link::open(&self.settings)?;
            self.identity.get_or_init(|| PortIdentity::of(&self.name));
            return Ok(port);
        };
        let path = match identity.candidates().into_iter().next() {
            Some(path) => path,
            None if identity.is_usb() => {
                return Err(crate::mqtt::Error::PortUnavailable(format!(
                    "the device that was port {} has not come back: plug the module in again",
                    self.name
                ))
                .into());
            }
            None => self.name.clone(),
        };
        let port = link::open(&Settings { address: Address::parse(&path)?, ..self.settings.clone() })?;
        identity.note_attached(&path);
        Ok(port)
    }
}
