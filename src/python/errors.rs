use std::sync::Arc;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use crate::at::ResultCode;
use crate::channel::{LostBy, UnknownReason};
use crate::runtime::{Error, LateResult};

/// Declares the exceptions of `simcom_mqtt.errors` that the driver raises. A class is imported at its first use.
macro_rules! exceptions {
    ($($name:ident),* $(,)?) => {
        #[derive(Clone, Copy)]
        #[expect(clippy::enum_variant_names, reason = "the names of the Python classes")]
        pub(super) enum Exception {
            $($name),*
        }

        impl Exception {
            fn class(self, py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
                match self {
                    $(Self::$name => {
                        static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
                        CLASS.import(py, "simcom_mqtt.errors", stringify!($name))
                    })*
                }
            }
        }
    };
}

exceptions! {
    ClosedError,
    CommandError,
    CommandTimeoutError,
    ConnectError,
    ConnectionLostError,
    MessageTimeoutError,
    ModuleRestartedError,
    MqttError,
    NotConnectedError,
    OutcomeUnknownError,
    PortError,
    SimcomError,
}

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
        Some(code) => {
            let meaning = ResultCode::new(code).meaning();
            error.explained(meaning.unwrap_or("not in the application note"))
        }
        None => error.to_string(),
    };
    let fields = PyDict::new(py);
    let class = match error {
        Error::Invalid(_) | Error::Address(_) => return Ok(PyValueError::new_err(message)),
        Error::Port(_)
        | Error::PortAway { .. }
        | Error::PortLost { .. }
        | Error::NoMoreMessages(LostBy::Port(_)) => Exception::PortError,
        Error::Closed | Error::Forked | Error::Released { .. } => return closed(py, &message),
        Error::Cancelled | Error::Interrupted | Error::PayloadHeld { .. } | Error::WillHalfEntered(_) => {
            Exception::SimcomError
        }
        Error::NoAnswer { command, .. } => {
            fields.set_item("command", command)?;
            Exception::CommandTimeoutError
        }
        Error::NoNetwork { .. } => {
            fields.set_item("command", "AT+CEREG?")?;
            Exception::CommandTimeoutError
        }
        Error::Transcript { path, reason } => {
            // Made at once: a path is a Python object, and to make it may run Python code.
            let error = py.get_type::<PyOSError>().call1((reason.raw_os_error(), message, path))?;
            return Ok(PyErr::from_value(error));
        }
        Error::Mute { .. } => {
            fields.set_item("command", "AT")?;
            Exception::CommandTimeoutError
        }
        Error::UnexpectedAnswer(answer) => {
            fields.set_item("command", answer.command())?;
            fields.set_item("response", answer.lines().join("\n"))?;
            Exception::CommandError
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
                name if !name.starts_with("AT+CMQTT") => Exception::CommandError,
                name if name.starts_with("AT+CMQTTCONNECT=") => Exception::ConnectError,
                _ => Exception::MqttError,
            }
        }
        Error::NotConnected { command, response, code, client } => {
            fields.set_item("command", command)?;
            fields.set_item("response", response)?;
            fields.set_item("code", code)?;
            fields.set_item("client_index", client.number())?;
            Exception::NotConnectedError
        }
        Error::ConnectionLost { cause: LostBy::Restart, .. } | Error::NoMoreMessages(LostBy::Restart) => {
            Exception::ModuleRestartedError
        }
        Error::ConnectionLost { .. } | Error::NoMoreMessages(_) => Exception::ConnectionLostError,
        Error::OutcomeUnknown { command, reason, late } => {
            return outcome_unknown(py, &message, command, reason, late.as_ref());
        }
    };
    make(py, class, &message, Some(&fields))
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
    let error = make(py, Exception::OutcomeUnknownError, message, Some(&fields))?;
    let cause = match reason {
        UnknownReason::Timeout => {
            let fields = PyDict::new(py);
            fields.set_item("command", command)?;
            make(
                py,
                Exception::CommandTimeoutError,
                "no result of the publish within its timeout",
                Some(&fields),
            )?
        }
        UnknownReason::Closed => make(py, Exception::ClosedError, "the port was closed", None)?,
        UnknownReason::Lost(LostBy::Restart) => {
            make(py, Exception::ModuleRestartedError, "the module restarted", None)?
        }
        UnknownReason::Lost(LostBy::Port(reason)) => {
            make(py, Exception::PortError, &format!("the port is gone: {reason}"), None)?
        }
        UnknownReason::Lost(_) => make(py, Exception::ConnectionLostError, "the connection was lost", None)?,
    };
    error.set_cause(py, Some(cause));
    Ok(error)
}

pub(super) fn is_closed(error: &Bound<'_, PyAny>) -> bool {
    let class = Exception::ClosedError.class(error.py());
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
    let class = Exception::ClosedError.class(py)?;
    Ok(PyErr::from_value(class.call_method1("__new__", (class, message))?))
}

pub(super) fn make(
    py: Python<'_>,
    class: Exception,
    message: &str,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyErr> {
    Ok(PyErr::from_value(class.class(py)?.call((message,), fields)?))
}
