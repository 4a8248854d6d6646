//! `SimcomMqtt`: SSL contexts and the certificate store.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods};

use super::arguments::Integer;
use super::modem::SimcomMqtt;
use super::pem::certificate_body;
use crate::channel::Transaction;
use crate::commands::certificate::StoredFiles;
use crate::commands::ssl_context::ContextSettings;
use crate::commands::{
    CertificateName, SettingValue, SslContextIndex, SslSetting, certificate, seconds, ssl_context,
};

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
    ) -> PyResult<()> {
        let context = SslContextIndex::parse(context.0)?;
        let mut commands = Vec::new();
        for (name, value) in settings.into_iter().flat_map(PyDictMethods::iter) {
            let (name, value): (String, SettingValue) = (name.extract()?, value.extract()?);
            commands.push(ssl_context::configure(context, &SslSetting::parse(&name, &value)?));
        }
        self.run(py, |modem, patience| {
            commands.into_iter().try_for_each(|command| modem.run_soon(command, patience).map(drop))
        })
    }

    /// The parameters of an SSL context, 0–9: `AT+CSSLCFG=<context>`.
    fn ssl_context<'py>(&self, py: Python<'py>, context: Integer) -> PyResult<Bound<'py, PyDict>> {
        let context = SslContextIndex::parse(context.0)?;
        let settings = self.run(py, |modem, patience| modem.ask(&ContextSettings(context), patience))?;
        let dict = PyDict::new(py);
        for (name, value) in settings {
            dict.set_item(name, value)?;
        }
        Ok(dict)
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
    ) -> PyResult<()> {
        let name = CertificateName::parse(name)?;
        let body = certificate_body("pem", pem)?;
        let upload = Transaction::single(certificate::upload(&name, &body), seconds("timeout", timeout)?);
        self.run(py, |modem, patience| modem.execute(upload, patience).map(drop))
    }

    /// The names of the files in the module's certificate store: `AT+CCERTLIST`.
    fn certificates(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.run(py, |modem, patience| modem.ask(&StoredFiles, patience))
    }

    /// Remove a file from the module's certificate store: `AT+CCERTDELE`.
    ///
    /// CommandError: there is no such file.
    fn delete_certificate(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let name = CertificateName::parse(name)?;
        self.run(py, |modem, patience| modem.run_soon(certificate::delete(&name), patience).map(drop))
    }
}
