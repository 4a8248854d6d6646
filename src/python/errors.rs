use std::sync::Arc;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::channel::{LostBy, UnknownReason};
use crate::runtime::{Error, LateResult};

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| into_python(py, &error))
    }
}

pub(super) fn into_python(py: Python<'_>, error: &Error) -> PyErr {
    to_python(py, error).unwrap_or_else(|failure| failure)
}

fn to_python(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let message = match error.code() {
        Some(code) => error.explained(&meaning(py, code)?),
        None => error.to_string(),
    };
    let fields = PyDict::new(py);
    let class = match error {
        Error::Invalid(_) | Error::Address(_) => return Ok(PyValueError::new_err(message)),
        Error::Port(_)
        | Error::PortAway { .. }
        | Error::PortLost { .. }
        | Error::NoMoreMessages(LostBy::Port(_)) => "PortError",
        Error::Closed | Error::Forked | Error::Released { .. } => return closed(py, &message),
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
            // Made at once: a path is a Python object, and to make it may run Python code.
            let error = py.get_type::<PyOSError>().call1((reason.raw_os_error(), message, path))?;
            return Ok(PyErr::from_value(error));
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
                fields.set_item("client_index", client.map(crate::at::ClientIndex::number))?;
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
        Error::ConnectionLost { cause: LostBy::Restart, .. } | Error::NoMoreMessages(LostBy::Restart) => {
            "ModuleRestartedError"
        }
        Error::ConnectionLost { .. } | Error::NoMoreMessages(_) => "ConnectionLostError",
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
        fields.set_item("late", late_future(py, late)?)?;
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

pub(super) fn is_closed(error: &Bound<'_, PyAny>) -> bool {
    static CLOSED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLOSED.import(error.py(), "simcom_mqtt.errors", "ClosedError");
    class.is_ok_and(|class| error.is_instance(class).unwrap_or(false))
}

fn late_future<'py>(py: Python<'py>, late: &LateResult) -> PyResult<Bound<'py, PyAny>> {
    static FUTURE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let future = FUTURE.import(py, "concurrent.futures", "Future")?.call0()?;
    match late.known_or_promised(|| Box::new(future.clone().unbind())) {
        None => {}
        Some(Ok(())) => drop(future.call_method1("set_result", (py.None(),))?),
        Some(Err(error)) => drop(future.call_method1("set_exception", (into_python(py, &error),))?),
    }
    Ok(future)
}

/// Made without a step of Python code: threads that the end of the interpreter surprises may be here, and would be ended
/// at that step, inside Rust.
fn closed(py: Python<'_>, message: &str) -> PyResult<PyErr> {
    static CLOSED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = CLOSED.import(py, "simcom_mqtt.errors", "ClosedError")?;
    Ok(PyErr::from_value(class.call_method1("__new__", (class, message))?))
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
