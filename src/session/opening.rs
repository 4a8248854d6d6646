use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex};

use super::error::Error;
use super::patience::Patience;
use super::waiting::wait_until;
use crate::link::{self, Address, Port, PortError, Settings};

type Opened = Result<Box<dyn Port>, PortError>;

/// Opens a port. A server that does not answer is waited for on another thread, so that the caller's can be interrupted.
///
/// # Errors
///
/// The port cannot be opened, or the wait was interrupted: then it is closed again as soon as it is open.
pub(super) fn open_port(settings: Settings, patience: &dyn Patience) -> Result<Box<dyn Port>, Error> {
    if matches!(settings.address, Address::Serial { .. }) {
        return Ok(link::open(&settings)?);
    }
    let shared = Arc::new((Mutex::new(None::<Opened>), Condvar::new()));
    let opening = Arc::downgrade(&shared);
    let name = settings.address.to_string();
    let open = move || {
        let opened = link::open(&settings);
        if let Some(shared) = opening.upgrade() {
            *shared.0.lock() = Some(opened);
            shared.1.notify_all();
        }
    };
    thread::Builder::new()
        .name("simcom-mqtt-open".to_owned())
        .spawn(open)
        .map_err(|error| Error::PortLost { port: name, reason: error.to_string() })?;
    let (opened, changed) = &*shared;
    let opened = wait_until(changed, &mut opened.lock(), None, patience, Option::take);
    Ok(opened.map_err(|_| Error::Interrupted)??)
}
