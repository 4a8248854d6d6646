//! `SimcomMqtt`: SSL contexts and the certificate store; certificates and keys as arguments.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyDictMethods, PyString};

use super::arguments::{Integer, bytes_like, expected};
use super::modem::SimcomMqtt;
use super::operation::{none, object};
use crate::commands::ssl_context::ContextSettings;
use crate::commands::ssl_context::StoredFiles;
use crate::commands::{
    CertificateBody, CertificateFile, CertificateName, Invalid, SettingValue, SslContextIndex, SslSetting,
    seconds, ssl_context,
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
        let (upload, timeout) = (ssl_context::upload(&name, &body), seconds("timeout", timeout)?);
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
        let delete = ssl_context::delete(&CertificateName::parse(name)?);
        let delete = move |session: Session| async move { session.run_soon(delete).await.map(drop) };
        self.run(py, |modem| modem.start(delete), none)
    }
}

const PEM_MARK: &str = "-----BEGIN";

/// `bytes | PathLike[str]`, or PEM text: the content itself, or a file on this host.
pub(crate) fn certificate_body(
    argument: &'static str,
    object: &Bound<'_, PyAny>,
) -> PyResult<CertificateBody> {
    if let Some(text) = text_of(object)? {
        if is_pem(&text) {
            return Ok(CertificateBody::parse_argument(argument, text)?);
        }
        // Not shown: it may be a key that lost its first line.
        let expected = "PEM text beginning with -----BEGIN; for a file on this host pass a Path";
        return Err(Invalid::length(argument, text.len(), expected).into());
    }
    let content = match bytes_like(object)? {
        Some(bytes) => bytes,
        None => content_of_file(object)?,
    };
    Ok(CertificateBody::parse_argument(argument, content)?)
}

/// As `certificate_body`, but a str without PEM text names a file on the module.
pub(super) fn certificate_file(
    argument: &'static str,
    object: &Bound<'_, PyAny>,
) -> PyResult<CertificateFile> {
    if let Some(name) = text_of(object)?.filter(|text| !is_pem(text)) {
        return Ok(CertificateFile::on_module(argument, &name)?);
    }
    let body = certificate_body(argument, object)?;
    let name = name_of_content(object.py(), &body)?;
    Ok(CertificateFile::to_upload(argument, name, body))
}

/// The text may begin with a line end, as one in triple quotes does.
fn is_pem(text: &str) -> bool {
    text.trim_start().starts_with(PEM_MARK)
}

fn text_of(object: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let text = object.cast::<PyString>().ok();
    text.map(|text| text.to_str().map(str::to_owned)).transpose()
}

/// Reads the file with Python's `open`, whose errors name it.
fn content_of_file(object: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let py = object.py();
    if !object.hasattr("__fspath__")? {
        return Err(expected("bytes, str or a path", object));
    }
    let file = py.import("io")?.call_method1("open", (object, "rb"))?;
    let content = file.call_method1("read", (CertificateBody::LONGEST + 1,));
    file.call_method0("close")?;
    Ok(content?.cast::<PyBytes>()?.as_bytes().to_vec())
}

/// Makes a file name of the content, so that the same content is uploaded once.
fn name_of_content(py: Python<'_>, body: &CertificateBody) -> PyResult<CertificateName> {
    const DIGITS: usize = 32;
    let hash = py.import("hashlib")?.call_method1("sha256", (PyBytes::new(py, body.bytes()),))?;
    let digest: String = hash.call_method0("hexdigest")?.extract()?;
    let is_pem = memchr::memmem::find(body.bytes(), PEM_MARK.as_bytes()).is_some();
    let ending = if is_pem { "pem" } else { "der" };
    let digits: String = digest.chars().take(DIGITS).collect();
    Ok(CertificateName::parse(&format!("{digits}.{ending}"))?)
}
