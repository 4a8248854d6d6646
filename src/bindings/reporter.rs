use std::sync::Arc;

use log::Level;
use pyo3::prelude::*;

use crate::session::{self, Endless, Hub, Logger, Record, Report};

/// The target of the thread that writes log records and completes futures, so that no callback can hold them up.
#[pyclass(frozen)]
pub(super) struct Reporter {
    hub: Arc<Hub>,
}

impl Reporter {
    pub(super) fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }
}

#[pymethods]
impl Reporter {
    fn __call__(&self, py: Python<'_>) {
        const BATCH: usize = 64;
        let mut batch = Vec::with_capacity(BATCH);
        while py.detach(|| self.hub.reports().pop_batch(&mut batch, BATCH, &Endless)).is_ok() {
            for report in batch.drain(..) {
                match report {
                    Report::Record(record) => write(&record),
                    Report::Task(task) => task(),
                }
            }
        }
    }
}

fn write(record: &Record) {
    let level = match record.level {
        session::Level::Debug => Level::Debug,
        session::Level::Warning => Level::Warn,
    };
    match record.kind {
        Logger::Driver => log::log!(target: "simcom_mqtt", level, "{}", record.text),
        Logger::Line => log::log!(target: "simcom_mqtt::at", level, "{}", record.text),
    }
}
