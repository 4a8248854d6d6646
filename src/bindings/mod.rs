//! What Python sees: classes, conversions, errors.

mod arguments;
mod pem;
mod values;
