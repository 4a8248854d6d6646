use std::collections::VecDeque;

use parking_lot::Mutex;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyTypeError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;

use crate::at::ClientIndex;
use crate::inbound::{ReceivedMessage, matches_filter};

pub(super) type Callback = Option<Py<PyAny>>;

/// Every callback of a module and its two clients. Cloned out and called with the lock released, always.
#[derive(Default)]
pub(super) struct Callbacks(Mutex<Table>);

#[derive(Default)]
struct Table {
    module: [Callback; EVENTS],
    clients: [ClientTable; 2],
    /// Of clients that were released, for what came before and is not delivered yet.
    released: [VecDeque<ClientTable>; 2],
}

#[derive(Default)]
struct ClientTable {
    on_message: Callback,
    subscriptions: Vec<Subscription>,
}

struct Subscription {
    filter: Vec<u8>,
    callback: Py<PyAny>,
}

/// The events that have a callback attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Message,
    ConnectionLost,
    NetworkLost,
    Reconnected,
    Restart,
    PortLost,
    MessageLost,
    Urc,
}

const EVENTS: usize = 8;

impl Callbacks {
    pub(super) fn get(&self, py: Python<'_>, on: On) -> Callback {
        self.0.lock().module[on as usize].as_ref().map(|callback| callback.clone_ref(py))
    }

    /// Gives the old one back, to be dropped without the lock.
    pub(super) fn set(&self, on: On, callback: Callback) -> Callback {
        std::mem::replace(&mut self.0.lock().module[on as usize], callback)
    }

    pub(super) fn client(&self, py: Python<'_>, client: ClientIndex) -> Callback {
        self.0.lock().clients[client.slot()].on_message.as_ref().map(|callback| callback.clone_ref(py))
    }

    pub(super) fn set_client(&self, client: ClientIndex, callback: Callback) -> Callback {
        std::mem::replace(&mut self.0.lock().clients[client.slot()].on_message, callback)
    }

    /// Replaces the callback of a filter, or removes it. Gives the old one back.
    pub(super) fn subscribe(&self, client: ClientIndex, filter: &[u8], callback: Callback) -> Callback {
        let mut table = self.0.lock();
        let subscriptions = &mut table.clients[client.slot()].subscriptions;
        let known = subscriptions.iter().position(|known| known.filter == filter);
        match (known, callback) {
            (Some(at), Some(callback)) => Some(std::mem::replace(&mut subscriptions[at].callback, callback)),
            (Some(at), None) => Some(subscriptions.remove(at).callback),
            (None, Some(callback)) => {
                subscriptions.push(Subscription { filter: filter.to_vec(), callback });
                None
            }
            (None, None) => None,
        }
    }

    /// A client that was released has no callbacks any more, but for what came before.
    pub(super) fn release(&self, client: ClientIndex) {
        let mut table = self.0.lock();
        let released = std::mem::take(&mut table.clients[client.slot()]);
        table.released[client.slot()].push_back(released);
    }

    /// All that came before its release was delivered. Dropped without the lock.
    pub(super) fn forget_released(&self, client: ClientIndex) {
        let forgotten = self.0.lock().released[client.slot()].pop_front();
        drop(forgotten);
    }

    /// Those whose subscription matches; else the client's; else the module's.
    pub(super) fn for_message(&self, py: Python<'_>, message: &ReceivedMessage) -> Vec<Py<PyAny>> {
        let table = self.0.lock();
        let slot = message.client().slot();
        let client = table.released[slot].front().unwrap_or(&table.clients[slot]);
        let matching =
            client.subscriptions.iter().filter(|known| matches_filter(&known.filter, message.topic()));
        let found: Vec<_> = matching.map(|known| known.callback.clone_ref(py)).collect();
        if !found.is_empty() {
            return found;
        }
        let general = client.on_message.as_ref().or(table.module[On::Message as usize].as_ref());
        general.map(|callback| callback.clone_ref(py)).into_iter().collect()
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // A collector must not wait; what is locked is in use, and so reachable.
        let Some(table) = self.0.try_lock() else { return Ok(()) };
        for callback in table.module.iter().flatten() {
            visit.call(callback)?;
        }
        for client in table.clients.iter().chain(table.released.iter().flatten()) {
            visit.call(&client.on_message)?;
            for subscription in &client.subscriptions {
                visit.call(&subscription.callback)?;
            }
        }
        Ok(())
    }

    pub(super) fn clear(&self) {
        let forgotten = std::mem::take(&mut *self.0.lock());
        drop(forgotten);
    }
}

pub(super) fn require_callable(py: Python<'_>, callback: Option<&Py<PyAny>>) -> PyResult<()> {
    match callback {
        Some(callback) if !callback.bind(py).is_callable() => {
            Err(PyTypeError::new_err("a callback must be callable, or None"))
        }
        _ => Ok(()),
    }
}
