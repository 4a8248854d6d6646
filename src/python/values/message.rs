use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple, PyType};

use super::{decoded, repr, topic_text};
use crate::at::ClientIndex;
use crate::commands::{self, Invalid, QoS, Topic, WillMessage};
use crate::inbound::{ReceivedMessage, matches_filter};
use crate::python::arguments::{Integer, PayloadBytes, TopicBytes};

/// One received message. Immutable, equal by client index, topic and payload.
///
/// The module does not tell QoS, retain flag or packet identifier.
#[pyclass(frozen, module = "simcom_mqtt")]
pub(crate) struct Message {
    message: Arc<ReceivedMessage>,
}

impl From<Arc<ReceivedMessage>> for Message {
    fn from(message: Arc<ReceivedMessage>) -> Self {
        Self { message }
    }
}

#[pymethods]
impl Message {
    #[new]
    #[pyo3(signature = (topic, payload, client_index = Integer(0), received_at = 0.0), text_signature = "(topic, payload, client_index=0, received_at=0.0)")]
    fn new(
        topic: TopicBytes,
        payload: PayloadBytes,
        client_index: Integer,
        received_at: f64,
    ) -> Result<Self, Invalid> {
        let client = u64::try_from(client_index.0).ok().and_then(ClientIndex::from_number);
        let client = client.ok_or_else(|| Invalid::value("client_index", client_index.0, "0 or 1"))?;
        let received_at = since_1970(received_at)?;
        let topic_length = topic.0.len();
        let mut message = ReceivedMessage::new(client, topic_length, [topic.0, payload.0].concat());
        message.stamp(received_at);
        Ok(Self { message: Arc::new(message) })
    }

    /// The topic as text, bytes that are not UTF-8 as surrogate escapes.
    #[getter]
    fn topic<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        topic_text(py, self.message.topic())
    }

    /// The topic as it was received.
    #[getter]
    fn topic_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.message.topic())
    }

    /// The payload as it was received.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.message.payload())
    }

    /// Which client received it: 0 or 1.
    #[getter]
    fn client_index(&self) -> u8 {
        self.message.client().number()
    }

    /// `time.time()` when its last byte was read.
    #[getter]
    fn received_at(&self) -> f64 {
        let since_1970 =
            self.message.received_at().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        since_1970.unwrap_or_default().as_secs_f64()
    }

    /// The payload as text.
    ///
    /// UnicodeDecodeError: it is not in that encoding.
    #[pyo3(signature = (encoding = "utf-8"))]
    fn text<'py>(&self, py: Python<'py>, encoding: &str) -> PyResult<Bound<'py, PyString>> {
        decoded(&self.payload(py), encoding, "strict")
    }

    /// The payload parsed as JSON.
    ///
    /// ValueError: it is not JSON.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.payload(py),))
    }

    /// True if the topic matches an MQTT filter with its wildcards + and #.
    ///
    /// Topics that begin with $ are not matched by a leading wildcard; "$share/group/" is stripped.
    fn matches(&self, filter: TopicBytes) -> bool {
        let TopicBytes(filter) = filter;
        matches_filter(&filter, self.message.topic())
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.identity().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let topic = self.topic(py)?.repr()?;
        let (payload, dots) = shown_payload(self.message.payload());
        let payload = PyBytes::new(py, &payload).repr()?;
        let (client_index, received_at) =
            (self.client_index(), self.received_at().into_pyobject(py)?.repr()?);
        Ok(format!(
            "Message(topic={topic}, payload={payload}{dots}, client_index={client_index}, \
             received_at={received_at})"
        ))
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("simcom_mqtt.tables")?.getattr("message")?.call1((slf,))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyType>, Bound<'py, PyTuple>)> {
        let (py, message) = (slf.py(), slf.get());
        let arguments =
            (message.topic_bytes(py), message.payload(py), message.client_index(), message.received_at());
        Ok((slf.get_type(), arguments.into_pyobject(py)?))
    }
}

impl Message {
    fn identity(&self) -> (ClientIndex, &[u8], &[u8]) {
        (self.message.client(), self.message.topic(), self.message.payload())
    }
}

/// The beginning of the payload, long enough to recognize a message in a failed assertion.
fn shown_payload(payload: &[u8]) -> (Cow<'_, [u8]>, String) {
    const MOST: usize = 256;
    match payload.get(..MOST) {
        Some(start) if payload.len() > MOST => (Cow::Borrowed(start), format!("… ({} bytes)", payload.len())),
        _ => (Cow::Borrowed(payload), String::new()),
    }
}

fn since_1970(seconds: f64) -> Result<SystemTime, Invalid> {
    Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|duration| SystemTime::UNIX_EPOCH.checked_add(duration))
        .ok_or_else(|| {
            Invalid::value("received_at", seconds, "seconds since 1970, as time.time() gives them")
        })
}

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
