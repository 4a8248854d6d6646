//! Python arguments that are more than one type, or that must not overflow.

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};

use crate::commands::{Invalid, SettingValue};

impl From<Invalid> for PyErr {
    fn from(invalid: Invalid) -> Self {
        PyValueError::new_err(invalid.to_string())
    }
}

/// `str | bytes`. Surrogate escapes become the bytes they stand for, so that `Message.topic` can be given back.
#[derive(Debug)]
pub(crate) struct TopicBytes(pub(crate) Vec<u8>);

impl FromPyObject<'_, '_> for TopicBytes {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self(bytes.as_bytes().to_vec()));
        }
        let Ok(text) = object.cast::<PyString>() else { return Err(expected("str or bytes", &object)) };
        if let Ok(text) = text.to_str() {
            return Ok(Self(text.as_bytes().to_vec()));
        }
        let encoded = text.call_method1("encode", ("utf-8", "surrogateescape"))?;
        Ok(Self(encoded.cast::<PyBytes>()?.as_bytes().to_vec()))
    }
}

/// `str | bytes | bytearray | memoryview`, whatever the view's shape and item.
#[derive(Debug)]
pub(crate) struct PayloadBytes(pub(crate) Vec<u8>);

impl FromPyObject<'_, '_> for PayloadBytes {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Self(text.to_str()?.as_bytes().to_vec()));
        }
        match bytes_like(&object)? {
            Some(bytes) => Ok(Self(bytes)),
            None => Err(expected("str, bytes, bytearray or memoryview", &object)),
        }
    }
}

/// None for anything but `bytes | bytearray | memoryview`.
pub(super) fn bytes_like(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Some(bytes.as_bytes().to_vec()));
    }
    if let Ok(array) = object.cast::<PyByteArray>() {
        return Ok(Some(array.to_vec()));
    }
    if object.is_instance_of::<PyMemoryView>() {
        // Not PyBuffer<u8>, which refuses items that are not bytes.
        let bytes = object.call_method0("tobytes")?;
        return Ok(Some(bytes.cast::<PyBytes>()?.as_bytes().to_vec()));
    }
    Ok(None)
}

/// An int of any size: one beyond 64 bits is beyond every range of the module too, and must be told so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Integer(pub(crate) i64);

impl FromPyObject<'_, '_> for Integer {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        match object.extract::<i64>() {
            Err(error) if error.is_instance_of::<PyOverflowError>(object.py()) => {
                Ok(Self(if object.lt(0)? { i64::MIN } else { i64::MAX }))
            }
            number => number.map(Self),
        }
    }
}

impl FromPyObject<'_, '_> for SettingValue {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Self::Text(text.to_str()?.to_owned()));
        }
        let number: PyResult<Integer> = object.extract();
        number.map(|Integer(number)| Self::Number(number)).map_err(|_| expected("int or str", &object))
    }
}

impl<'py> IntoPyObject<'py> for SettingValue {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = std::convert::Infallible;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        match self {
            Self::Number(number) => number.into_pyobject(py).map(Bound::into_any),
            Self::Text(text) => text.into_pyobject(py).map(Bound::into_any),
        }
    }
}

pub(super) fn expected(types: &str, object: &Bound<'_, PyAny>) -> PyErr {
    let found = object.get_type().name().map_or_else(|_| "another type".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("expected {types}, not {found}"))
}
