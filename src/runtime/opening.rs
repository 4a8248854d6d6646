use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex};

use super::error::Error;
use super::patience::{Patience, Sleeper};
use super::waiting::{rouse, wait_until, watch};
use crate::link::{self, Port, PortError, Settings};

type Opened = Result<Box<dyn Port>, PortError>;

/// What the opening thread has come to.
#[derive(Default)]
struct Opening {
    opened: Mutex<Option<Opened>>,
    changed: Condvar,
}

impl Sleeper for Opening {
    fn wake(&self) {
        rouse(&self.opened, &self.changed);
    }
}

/// Opens a port on a thread of its own, so that the caller can be interrupted: a server may not answer, and the kernel lets
/// no process open a serial port while another one is closing it.
///
/// # Errors
///
/// The port cannot be opened, or the wait was interrupted: then it is closed again as soon as it is open.
pub(super) fn open_port(settings: Settings, patience: &dyn Patience) -> Result<Box<dyn Port>, Error> {
    let shared = Arc::new(Opening::default());
    let opening = Arc::downgrade(&shared);
    let name = settings.address.to_string();
    let open = move || {
        let opened = link::open(&settings);
        if let Some(shared) = opening.upgrade() {
            *shared.opened.lock() = Some(opened);
            shared.changed.notify_all();
        }
    };
    thread::Builder::new()
        .name("simcom-mqtt-open".to_owned())
        .spawn(open)
        .map_err(|error| Error::PortLost { port: name, reason: error.to_string() })?;
    watch(&shared, patience);
    let opened = wait_until(&shared.changed, &mut shared.opened.lock(), None, patience, Option::take);
    Ok(opened.map_err(|_| Error::Interrupted)??)
}
