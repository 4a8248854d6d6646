use pyo3::prelude::*;

use super::{html, repr};
use crate::commands;

/// What the module says of a client: `AT+CMQTTACCQ?`, `CONNECT?`, `DISC?`, `SSLCFG?`, `CFG?`.
///
/// The user name and password, which it tells too, are left out.
#[pyclass(frozen, eq, hash, get_all, module = "simcom_mqtt")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct ClientState {
    /// Empty: not acquired.
    client_id: String,
    /// 0: TCP, 1: TLS.
    server_type: u8,
    /// As "tcp://host:1883"; None: not connected.
    server_address: Option<String>,
    /// Seconds.
    keepalive: Option<u16>,
    /// Whether the broker was told to forget the client between connections; None: not connected.
    clean_session: Option<bool>,
    /// Whether the module says that it is connected.
    connected: bool,
    /// None: not set, so the one numbered as the client.
    ssl_context: Option<u8>,
    /// Whether topics that are not UTF-8 are refused.
    check_utf8: bool,
    /// Seconds.
    operation_timeout: u16,
    /// The module's own lines, secrets redacted.
    raw: String,
}

impl From<commands::ClientState> for ClientState {
    fn from(state: commands::ClientState) -> Self {
        Self {
            client_id: state.client_id,
            server_type: u8::from(state.tls),
            server_address: state.server_address,
            keepalive: state.keep_alive,
            clean_session: state.clean_session,
            connected: state.connected,
            ssl_context: state.ssl_context,
            check_utf8: state.check_utf8,
            operation_timeout: state.operation_timeout,
            raw: state.raw,
        }
    }
}

const SHOWN: &[&str] = &[
    "client_id",
    "server_type",
    "server_address",
    "keepalive",
    "clean_session",
    "connected",
    "ssl_context",
    "check_utf8",
    "operation_timeout",
];

#[pymethods]
impl ClientState {
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        repr(slf, SHOWN)
    }

    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        html(slf, SHOWN)
    }
}
