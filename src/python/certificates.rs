//! `SimcomMqtt`: SSL contexts and the certificate store.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods};

use super::arguments::Integer;
use super::modem::SimcomMqtt;
use super::operation::{none, object};
use super::pem::certificate_body;
use crate::commands::certificate::StoredFiles;
use crate::commands::ssl_context::ContextSettings;
use crate::commands::{
    CertificateName, SettingValue, SslContextIndex, SslSetting, certificate, seconds, ssl_context,
};
use crate::mqtt::Session;

#[pymethods]
impl SimcomMqtt {
    /// Set parameters of an SSL context: `AT+CSSLCFG="<name>",<context>,<value>` for each one.
    ///
    /// context: 0–9.
    /// settings: sslversion, authmode, cacert, clientcert, clientkey, ignorelocaltime, negotiatetime, enableSNI, …
    ///
    /// ValueError: no such setting, or a value beyond its range.
    /// CommandError: the module knows no such setting or value.
    #[pyo3(signature = (context, **settings))]
    fn configure_ssl(
        &self,
        py: Python<'_>,
        context: Integer,
        settings: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let context = SslContextIndex::parse(context.0)?;
        let mut commands = Vec::new();
        for (name, value) in settings.into_iter().flat_map(PyDictMethods::iter) {
            let (name, value): (String, SettingValue) = (name.extract()?, value.extract()?);
            commands.push(ssl_context::configure(context, &SslSetting::parse(&name, &value)?));
        }
        let configure = |session: Session| async move {
            for command in commands {
                session.run_soon(command).await?;
            }
            Ok(())
        };
        self.run(py, |modem| modem.start(configure), none)
    }

    /// The parameters of an SSL context, 0–9: `AT+CSSLCFG=<context>`.
    fn ssl_context(&self, py: Python<'_>, context: Integer) -> PyResult<Py<PyAny>> {
        let context = SslContextIndex::parse(context.0)?;
        let query = move |session: Session| async move { session.ask(&ContextSettings(context)).await };
        self.run(
            py,
            |modem| modem.start(query),
            |py, settings| {
                let dict = PyDict::new(py);
                for (name, value) in settings {
                    dict.set_item(name, value)?;
                }
                dict.into_py_any(py)
            },
        )
    }

    /// Store a certificate or key on the module: `AT+CCERTDOWN`, 1–10240 bytes.
    ///
    /// name: 5–55 characters, ending in .pem or .der.
    #[pyo3(signature = (name, pem, *, timeout = 120.0))]
    fn upload_certificate(
        &self,
        py: Python<'_>,
        name: &str,
        pem: &Bound<'_, PyAny>,
        timeout: f64,
    ) -> PyResult<Py<PyAny>> {
        let name = CertificateName::parse(name)?;
        let body = certificate_body("pem", pem)?;
        let (upload, timeout) = (certificate::upload(&name, &body), seconds("timeout", timeout)?);
        let upload = move |session: Session| async move { session.run(upload, timeout).await.map(drop) };
        self.run(py, |modem| modem.start(upload), none)
    }

    /// The names of the files in the module's certificate store: `AT+CCERTLIST`.
    fn certificates(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let query = |session: Session| async move { session.ask(&StoredFiles).await };
        self.run(py, |modem| modem.start(query), object)
    }

    /// Remove a file from the module's certificate store: `AT+CCERTDELE`.
    ///
    /// CommandError: there is no such file.
    fn delete_certificate(&self, py: Python<'_>, name: &str) -> PyResult<Py<PyAny>> {
        let delete = certificate::delete(&CertificateName::parse(name)?);
        let delete = move |session: Session| async move { session.run_soon(delete).await.map(drop) };
        self.run(py, |modem| modem.start(delete), none)
    }
}
