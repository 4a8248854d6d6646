use pyo3::prelude::*;

use super::{html, repr};
use crate::channel::Counters;

/// Counters since the port was opened, at the time they were asked for.
#[pyclass(frozen, eq, get_all, module = "simcom_mqtt")]
#[derive(PartialEq, Eq)]
pub(crate) struct Stats {
    /// Bytes read from the port.
    bytes_in: u64,
    /// Bytes written to the port.
    bytes_out: u64,
    /// AT commands written.
    commands: u64,
    /// Messages received whole.
    messages: u64,
    /// Publishes that the module said were done.
    publishes: u64,
    /// Messages given up because bytes were lost or altered on the line.
    damaged_messages: u64,
    /// Messages and unsolicited lines dropped because the queue to the callback thread was full.
    dropped_messages: u64,
    /// Lines that nothing waited for.
    unknown_lines: u64,
    /// Results that came after their caller had stopped waiting.
    late_results: u64,
    /// The most messages that ever waited for the callback thread.
    queue_peak: u64,
    /// Times that a client with a `Reconnect` policy came back.
    reconnects: u64,
}

/// What is counted outside the protocol.
#[derive(Clone, Copy, Default)]
pub(crate) struct QueueCounters {
    pub(crate) dropped_messages: u64,
    pub(crate) queue_peak: u64,
    pub(crate) reconnects: u64,
}

impl Stats {
    pub(crate) fn new(counters: Counters, queue: QueueCounters) -> Self {
        Self {
            bytes_in: counters.bytes_in,
            bytes_out: counters.bytes_out,
            commands: counters.commands,
            messages: counters.messages,
            publishes: counters.publishes,
            damaged_messages: counters.damaged_messages,
            dropped_messages: queue.dropped_messages,
            unknown_lines: counters.unknown_lines,
            late_results: counters.deferred_results,
            queue_peak: queue.queue_peak,
            reconnects: queue.reconnects,
        }
    }
}

const SHOWN: &[&str] = &[
    "bytes_in",
    "bytes_out",
    "commands",
    "messages",
    "publishes",
    "damaged_messages",
    "dropped_messages",
    "unknown_lines",
    "late_results",
    "queue_peak",
    "reconnects",
];

#[pymethods]
impl Stats {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf, SHOWN)
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        html(slf, SHOWN)
    }
}
