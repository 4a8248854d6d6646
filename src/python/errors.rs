//! The driver's errors as Python exceptions.

use std::sync::Arc;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};

use super::background_source::FutureResult;
use crate::at::{ClientIndex, ResultCode};
use crate::channel::{LostBy, UnknownReason};
use crate::mqtt;
use crate::mqtt::Deferred;
use crate::runtime::{Error, EventRouter};

/// The exceptions of `simcom_mqtt.errors`.
mod exceptions {
    #![allow(clippy::redundant_pub_crate, reason = "the macro's items are private to the module otherwise")]
    use pyo3::import_exception;

    import_exception!(simcom_mqtt.errors, SimcomError);
    import_exception!(simcom_mqtt.errors, PortError);
    import_exception!(simcom_mqtt.errors, ClosedError);
    import_exception!(simcom_mqtt.errors, CommandError);
    import_exception!(simcom_mqtt.errors, CommandTimeoutError);
    import_exception!(simcom_mqtt.errors, ConnectError);
    import_exception!(simcom_mqtt.errors, ConnectionLostError);
    import_exception!(simcom_mqtt.errors, MessageTimeoutError);
    import_exception!(simcom_mqtt.errors, ModuleRestartedError);
    import_exception!(simcom_mqtt.errors, MqttError);
    import_exception!(simcom_mqtt.errors, NotConnectedError);
    import_exception!(simcom_mqtt.errors, OutcomeUnknownError);
}
pub(super) use exceptions::MessageTimeoutError;
use exceptions::{
    ClosedError, CommandError, CommandTimeoutError, ConnectError, ConnectionLostError, ModuleRestartedError,
    MqttError, NotConnectedError, OutcomeUnknownError, PortError, SimcomError,
};

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        Python::attach(|py| into_python(py, &error))
    }
}

pub(super) fn into_python(py: Python<'_>, error: &Error) -> PyErr {
    to_python(py, error).unwrap_or_else(|failure| failure)
}

fn to_python(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let error = match error {
        Error::Mqtt(error) => return mqtt_to_python(py, error),
        error => error,
    };
    let message = error.to_string();
    match error {
        Error::Address(_) => Ok(PyValueError::new_err(message)),
        Error::Port(_) => new(&py.get_type::<PortError>(), &message, None),
        Error::Transcript { path, reason } => {
            // Made at once: a path is a Python object, and to make it may run Python code.
            let class = py.get_type::<PyOSError>();
            // Windows has numbers of its own. Python derives the errno, and with it the class, from the fourth argument.
            let error = if cfg!(windows) {
                class.call1((0, message, path, reason.raw_os_error()))?
            } else {
                class.call1((reason.raw_os_error(), message, path))?
            };
            Ok(PyErr::from_value(error))
        }
        _ => closed(py, &message),
    }
}

fn mqtt_to_python(py: Python<'_>, error: &mqtt::Error) -> PyResult<PyErr> {
    use mqtt::Error;
    let message = match error.code() {
        Some(code) => {
            let meaning = code.meaning();
            error.explained(meaning.unwrap_or("not in the application note"))
        }
        None => error.to_string(),
    };
    let fields = PyDict::new(py);
    let class = match error {
        Error::Invalid(_) => return Ok(PyValueError::new_err(message)),
        Error::PortUnavailable(_) | Error::PortLost { .. } | Error::NoMoreMessages(LostBy::Port(_)) => {
            py.get_type::<PortError>()
        }
        Error::Closed => return closed(py, &message),
        Error::Cancelled | Error::Interrupted | Error::PayloadHeld { .. } | Error::WillHalfEntered(_) => {
            py.get_type::<SimcomError>()
        }
        Error::NoAnswer { command, .. } => {
            fields.set_item("command", command)?;
            py.get_type::<CommandTimeoutError>()
        }
        Error::NoNetwork { .. } => {
            fields.set_item("command", "AT+CEREG?")?;
            py.get_type::<CommandTimeoutError>()
        }
        Error::Mute { .. } => {
            fields.set_item("command", "AT")?;
            py.get_type::<CommandTimeoutError>()
        }
        Error::SimLocked { response } => {
            fields.set_item("command", "AT+CPIN?")?;
            fields.set_item("response", response)?;
            py.get_type::<CommandError>()
        }
        Error::PinRefused { response } => {
            fields.set_item("command", "AT+CPIN=\"****\"")?;
            fields.set_item("response", response)?;
            py.get_type::<CommandError>()
        }
        Error::ClockNotSet { response, .. } => {
            fields.set_item("command", "AT+CNTP")?;
            fields.set_item("response", response)?;
            py.get_type::<CommandError>()
        }
        Error::UnexpectedAnswer(answer) => {
            fields.set_item("command", answer.command())?;
            fields.set_item("response", answer.lines().join("\n"))?;
            py.get_type::<CommandError>()
        }
        Error::Refused { command, response, code, client } => {
            fields.set_item("command", command)?;
            fields.set_item("response", response)?;
            let name = command.to_ascii_uppercase();
            if name.starts_with("AT+CMQTT") {
                fields.set_item("code", code.map(ResultCode::number))?;
                fields.set_item("client_index", client.map(ClientIndex::number))?;
            }
            match &*name {
                name if !name.starts_with("AT+CMQTT") => py.get_type::<CommandError>(),
                name if name.starts_with("AT+CMQTTCONNECT=") => py.get_type::<ConnectError>(),
                _ => py.get_type::<MqttError>(),
            }
        }
        Error::NoClientFree { .. } => {
            fields.set_item("command", "AT+CMQTTACCQ")?;
            fields.set_item("response", "")?;
            fields.set_item("code", error.code().map(ResultCode::number))?;
            fields.set_item("client_index", py.None())?;
            py.get_type::<MqttError>()
        }
        Error::NotConnected { command, response, code, client } => {
            fields.set_item("command", command)?;
            fields.set_item("response", response)?;
            fields.set_item("code", code.number())?;
            fields.set_item("client_index", client.number())?;
            py.get_type::<NotConnectedError>()
        }
        Error::ConnectionLost { cause: LostBy::Restart, .. } | Error::NoMoreMessages(LostBy::Restart) => {
            py.get_type::<ModuleRestartedError>()
        }
        Error::ConnectionLost { .. } | Error::NoMoreMessages(_) => py.get_type::<ConnectionLostError>(),
        Error::OutcomeUnknown { command, reason } => {
            return outcome_unknown(py, &message, command, reason, None);
        }
    };
    new(&class, &message, Some(&fields))
}

/// The failure of a publish. An unknown outcome gets a future of the result that may still come.
pub(super) fn publish_failure(
    py: Python<'_>,
    error: &Error,
    deferred: &Deferred,
    router: &Arc<EventRouter>,
) -> PyErr {
    let Error::Mqtt(mqtt::Error::OutcomeUnknown { command, reason }) = error else {
        return into_python(py, error);
    };
    let unknown = || {
        let late = deferred_future(py, deferred, router)?;
        outcome_unknown(py, &error.to_string(), command, reason, Some(late))
    };
    unknown().unwrap_or_else(|failure| failure)
}

/// Its cause is the error that kept the result away.
fn outcome_unknown(
    py: Python<'_>,
    message: &str,
    command: &str,
    reason: &UnknownReason,
    late: Option<Bound<'_, PyAny>>,
) -> PyResult<PyErr> {
    let fields = PyDict::new(py);
    if let Some(late) = late {
        fields.set_item("late", late)?;
    }
    let error = new(&py.get_type::<OutcomeUnknownError>(), message, Some(&fields))?;
    let cause = match reason {
        UnknownReason::Timeout => {
            let fields = PyDict::new(py);
            fields.set_item("command", command)?;
            let message = "no result of the publish within its timeout";
            new(&py.get_type::<CommandTimeoutError>(), message, Some(&fields))?
        }
        UnknownReason::Closed => new(&py.get_type::<ClosedError>(), "the port was closed", None)?,
        UnknownReason::Lost(LostBy::Restart) => {
            new(&py.get_type::<ModuleRestartedError>(), "the module restarted", None)?
        }
        UnknownReason::Lost(LostBy::Port(reason)) => {
            new(&py.get_type::<PortError>(), &format!("the port is gone: {reason}"), None)?
        }
        UnknownReason::Lost(_) => {
            new(&py.get_type::<ConnectionLostError>(), "the connection was lost", None)?
        }
    };
    error.set_cause(py, Some(cause));
    Ok(error)
}

fn deferred_future<'py>(
    py: Python<'py>,
    deferred: &Deferred,
    router: &Arc<EventRouter>,
) -> PyResult<Bound<'py, PyAny>> {
    static FUTURE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let future = FUTURE.import(py, "concurrent.futures", "Future")?.call0()?;
    let (handle, router) = (future.clone().unbind(), router.clone());
    let known = deferred.result_or_notify(move |result| {
        let result = FutureResult::new(handle, move |py| match result {
            Ok(()) => Ok(py.None()),
            Err(error) => Err(into_python(py, &error.into())),
        });
        router.background().end_future(Box::new(result));
    });
    // The background thread may have ended with the driver, so a known result is set here.
    match known {
        None => {}
        Some(Ok(())) => drop(future.call_method1("set_result", (py.None(),))?),
        Some(Err(error)) => {
            drop(future.call_method1("set_exception", (into_python(py, &error.into()),))?);
        }
    }
    Ok(future)
}

pub(super) fn is_closed(error: &Bound<'_, PyAny>) -> bool {
    error.is_instance_of::<ClosedError>()
}

/// Made without a step of Python code: threads that the end of the interpreter surprises may be here, and would be ended
/// at that step, inside Rust.
fn closed(py: Python<'_>, message: &str) -> PyResult<PyErr> {
    let class = py.get_type::<ClosedError>();
    Ok(PyErr::from_value(class.call_method1("__new__", (&class, message))?))
}

pub(super) fn new(
    class: &Bound<'_, PyType>,
    message: &str,
    fields: Option<&Bound<'_, PyDict>>,
) -> PyResult<PyErr> {
    Ok(PyErr::from_value(class.call((message,), fields)?))
}
