use std::sync::Arc;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::protocol::{Failure, LostBy, UnknownReason};
use crate::session::{Error, LateResult};

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| to_python(py, &error).unwrap_or_else(|failure| failure))
    }
}

fn to_python(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let message = match error.code() {
        Some(code) => error.explained(&meaning(py, code)?),
        None => error.to_string(),
    };
    let fields = PyDict::new(py);
    let class = match error {
        Error::Invalid(_) | Error::Address(_) => return Ok(PyValueError::new_err(message)),
        Error::Port(_) | Error::PortLost { .. } => "PortError",
        Error::Closed | Error::Forked => "ClosedError",
        Error::Cancelled | Error::Interrupted | Error::PayloadHeld { .. } | Error::WillHalfEntered(_) => {
            "SimcomError"
        }
        Error::NoAnswer { command, .. } => {
            fields.set_item("command", command)?;
            "CommandTimeoutError"
        }
        Error::NoNetwork { .. } => {
            fields.set_item("command", "AT+CEREG?")?;
            "CommandTimeoutError"
        }
        Error::Transcript { path, reason } => {
            return Ok(PyOSError::new_err((reason.raw_os_error(), message, path.clone())));
        }
        Error::Mute { .. } => {
            fields.set_item("command", "AT")?;
            "CommandTimeoutError"
        }
        Error::UnexpectedAnswer(answer) => {
            fields.set_item("command", answer.command())?;
            fields.set_item("response", answer.lines().join("\n"))?;
            "CommandError"
        }
        Error::Refused { command, response, code, client } => {
            fields.set_item("command", command)?;
            fields.set_item("response", response)?;
            let name = command.to_ascii_uppercase();
            if name.starts_with("AT+CMQTT") {
                fields.set_item("code", code)?;
                fields.set_item("client_index", client.map(crate::protocol::ClientIndex::number))?;
            }
            match &*name {
                name if !name.starts_with("AT+CMQTT") => "CommandError",
                name if name.starts_with("AT+CMQTTCONNECT=") => "ConnectError",
                _ => "MqttError",
            }
        }
        Error::NotConnected { command, response, code, client } => {
            fields.set_item("command", command)?;
            fields.set_item("response", response)?;
            fields.set_item("code", code)?;
            fields.set_item("client_index", client.number())?;
            "NotConnectedError"
        }
        Error::ConnectionLost { cause: LostBy::Restart, .. } => "ModuleRestartedError",
        Error::ConnectionLost { .. } => "ConnectionLostError",
        Error::OutcomeUnknown { command, reason, late } => {
            return outcome_unknown(py, &message, command, reason, late.as_ref());
        }
    };
    make(py, class, &message, Some(&fields))
}

/// In the words of the note.
fn meaning(py: Python<'_>, code: u16) -> PyResult<String> {
    static RESULT_CODE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    RESULT_CODE.import(py, "simcom_mqtt.codes", "ResultCode")?.call1((code,))?.getattr("meaning")?.extract()
}

/// With a future for the result that may still come, and with what kept it away as the cause.
fn outcome_unknown(
    py: Python<'_>,
    message: &str,
    command: &str,
    reason: &UnknownReason,
    late: Option<&Arc<LateResult>>,
) -> PyResult<PyErr> {
    let fields = PyDict::new(py);
    if let Some(late) = late {
        let future = new_future(py)?;
        fields.set_item("late", &future)?;
        let future = future.unbind();
        late.when_known(move |result| Python::attach(|py| end_future(py, &future, result.map_err(no_more))));
    }
    let error = make(py, "OutcomeUnknownError", message, Some(&fields))?;
    let cause = match reason {
        UnknownReason::Timeout => {
            let fields = PyDict::new(py);
            fields.set_item("command", command)?;
            make(py, "CommandTimeoutError", "no result of the publish within its timeout", Some(&fields))?
        }
        UnknownReason::Closed => make(py, "ClosedError", "the port was closed", None)?,
        UnknownReason::Lost(LostBy::Restart) => {
            make(py, "ModuleRestartedError", "the module restarted", None)?
        }
        UnknownReason::Lost(LostBy::Port(reason)) => {
            make(py, "PortError", &format!("the port is gone: {reason}"), None)?
        }
        UnknownReason::Lost(_) => make(py, "ConnectionLostError", "the connection was lost", None)?,
    };
    error.set_cause(py, Some(cause));
    Ok(error)
}

/// Why a late result is a failure: the module's own words, or that none can come.
fn no_more(failure: Failure) -> Error {
    match failure {
        Failure::Refused { command, response, code, client } => {
            Error::Refused { command, response, code, client }
        }
        Failure::ResultUnknown { command, reason } => Error::OutcomeUnknown { command, reason, late: None },
        Failure::NoAnswer { command, .. } | Failure::Mute { command } => {
            Error::OutcomeUnknown { command, reason: UnknownReason::Timeout, late: None }
        }
        Failure::ConnectionLost { command, cause } => {
            Error::OutcomeUnknown { command, reason: UnknownReason::Lost(cause), late: None }
        }
        Failure::Closed | Failure::Cancelled | Failure::PayloadHeld { .. } => Error::Closed,
    }
}

pub(super) fn is_closed(py: Python<'_>, error: &PyErr) -> bool {
    static CLOSED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLOSED.import(py, "simcom_mqtt.errors", "ClosedError");
    class.is_ok_and(|class| error.is_instance(py, class))
}

fn new_future(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static FUTURE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    FUTURE.import(py, "concurrent.futures", "Future")?.call0()
}

/// Nobody can be told if this fails: a future that was completed by somebody else is none of ours any more.
pub(super) fn end_future(py: Python<'_>, future: &Py<PyAny>, result: Result<(), Error>) {
    let future = future.bind(py);
    let ended =
        match future.call_method0("set_running_or_notify_cancel").and_then(|running| running.is_truthy()) {
            Ok(false) => return,
            Err(error) => Err(error),
            Ok(true) => match result {
                Ok(()) => future.call_method1("set_result", (py.None(),)).map(drop),
                Err(error) => future.call_method1("set_exception", (PyErr::from(error),)).map(drop),
            },
        };
    if let Err(error) = ended {
        error.write_unraisable(py, Some(future));
    }
}

pub(super) fn make(
    py: Python<'_>,
    class: &str,
    message: &str,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyErr> {
    static ERRORS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let errors = ERRORS.get_or_try_init(py, || py.import("simcom_mqtt.errors").map(Bound::unbind))?;
    let value = errors.bind(py).getattr(class)?.call((message,), fields)?;
    Ok(PyErr::from_value(value))
}
