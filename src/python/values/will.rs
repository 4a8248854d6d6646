use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple, PyType};

use super::{repr, topic_text};
use crate::commands::{self, Invalid, QoS, Topic, WillMessage};
use crate::python::arguments::{Integer, PayloadBytes, TopicBytes};

/// The message that the broker publishes if the connection breaks: topic and payload, 1–1024 bytes each.
///
/// Entered by `AT+CMQTTWILLTOPIC` and `AT+CMQTTWILLMSG`, chapters 2.2.6 and 2.2.7. The module's wills have no
/// retain flag.
///
/// ValueError: a topic or payload of 0 or more than 1024 bytes, or a QoS beyond 2.
#[pyclass(frozen, eq, hash, module = "simcom_mqtt")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Will {
    will: commands::Will,
}

impl Will {
    pub(crate) fn will(&self) -> &commands::Will {
        &self.will
    }
}

#[pymethods]
impl Will {
    #[new]
    #[pyo3(signature = (topic, payload, qos = Integer(0)), text_signature = "(topic, payload, qos=0)")]
    fn new(topic: TopicBytes, payload: PayloadBytes, qos: Integer) -> Result<Self, Invalid> {
        let (topic, message) = (Topic::parse(topic.0)?, WillMessage::parse(payload.0)?);
        Ok(Self { will: commands::Will { topic, message, qos: QoS::parse(qos.0)? } })
    }

    /// The topic as text, bytes that are not UTF-8 as surrogate escapes.
    #[getter]
    fn topic<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        topic_text(py, self.will.topic.bytes())
    }

    /// As it goes out.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.will.message.bytes())
    }

    /// 0, 1 or 2.
    #[getter]
    fn qos(&self) -> u8 {
        self.will.qos.number()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf, &["topic", "payload", "qos"])
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let (py, will) = (slf.py(), slf.get());
        let topic = PyBytes::new(py, will.will.topic.bytes());
        Ok((slf.get_type(), (topic, will.payload(py), will.qos()).into_pyobject(py)?))
    }
}
