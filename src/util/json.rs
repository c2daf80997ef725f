//! JSON as bytes: values that are kept and passed on without being decoded.

use serde::Serialize;
use serde_json::value::RawValue;

/// The JSON text of `value`. What cannot be represented (a map with keys that are no strings) becomes `null`;
/// our own types never are such values.
pub(crate) fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
