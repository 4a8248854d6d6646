//! Certificates and keys as arguments.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::arguments::{bytes_like, expected};
use crate::commands::{CertificateBody, CertificateFile, CertificateName, Invalid};

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
