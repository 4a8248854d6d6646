use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::repr;
use crate::commands::{Invalid, seconds};
use crate::mqtt::ReconnectPolicy;

/// How to come back after a lost connection, a lost network, a reboot or a port that was away.
///
/// Rebuilds service, client, connection and subscriptions, with exponential back-off and jitter.
///
/// min_delay, max_delay: seconds between two attempts; the first comes at once, unless the connection has hardly come back.
/// give_up_after: seconds without success; None: never.
/// resend_qos2: send QoS 2 publishes in flight again, which may deliver them twice.
///
/// ValueError: a time that is not positive, or a `max_delay` below `min_delay`.
#[pyclass(frozen, eq, hash, module = "simcom_mqtt")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Reconnect {
    min_delay: Duration,
    max_delay: Duration,
    give_up_after: Option<Duration>,
    resend_qos2: bool,
}

impl Reconnect {
    pub(crate) fn policy(&self) -> ReconnectPolicy {
        let Self { min_delay, max_delay, give_up_after, resend_qos2 } = *self;
        ReconnectPolicy { min_delay, max_delay, give_up_after, resend_qos2 }
    }
}

#[pymethods]
impl Reconnect {
    #[new]
    #[pyo3(signature = (*, min_delay = 1.0, max_delay = 60.0, give_up_after = None, resend_qos2 = false))]
    fn new(
        min_delay: f64,
        max_delay: f64,
        give_up_after: Option<f64>,
        resend_qos2: bool,
    ) -> Result<Self, Invalid> {
        let (least, most) = (seconds("min_delay", min_delay)?, seconds("max_delay", max_delay)?);
        if most < least {
            return Err(Invalid::value("max_delay", max_delay, format!("at least min_delay, {min_delay}")));
        }
        let give_up_after = give_up_after.map(|wait| seconds("give_up_after", wait)).transpose()?;
        Ok(Self { min_delay: least, max_delay: most, give_up_after, resend_qos2 })
    }

    /// The least seconds between two attempts; the first comes at once.
    #[getter]
    fn min_delay(&self) -> f64 {
        self.min_delay.as_secs_f64()
    }

    /// The most seconds between two attempts.
    #[getter]
    fn max_delay(&self) -> f64 {
        self.max_delay.as_secs_f64()
    }

    /// Seconds without success after which no more attempt is made; None: never.
    #[getter]
    fn give_up_after(&self) -> Option<f64> {
        self.give_up_after.map(|wait| wait.as_secs_f64())
    }

    /// True: QoS 2 publishes in flight go out again.
    #[getter]
    fn resend_qos2(&self) -> bool {
        self.resend_qos2
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf, &["min_delay", "max_delay", "give_up_after", "resend_qos2"])
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let (py, policy) = (slf.py(), slf.get());
        let arguments = PyDict::new(py);
        arguments.set_item("min_delay", policy.min_delay())?;
        arguments.set_item("max_delay", policy.max_delay())?;
        arguments.set_item("give_up_after", policy.give_up_after())?;
        arguments.set_item("resend_qos2", policy.resend_qos2())?;
        let rebuild =
            py.import("functools")?.getattr("partial")?.call((slf.get_type(),), Some(&arguments))?;
        Ok((rebuild, PyTuple::empty(py)))
    }
}
