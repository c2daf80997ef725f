//! JSON as bytes: values that are kept and passed on without being decoded.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::hex::hex;

/// The JSON text of `value`. What cannot be represented (a map with keys that are no strings) becomes `null`;
/// our own types never are such values.
pub(crate) fn raw(value: &(impl Serialize + ?Sized)) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The same as a text of its own.
pub(crate) fn text(value: &(impl Serialize + ?Sized)) -> String {
    raw(value).get().to_owned()
}

/// The object that a text holds, whatever stands before and after it: models like to say more than they are asked.
pub(crate) fn object_in<T: DeserializeOwned>(text: &str) -> Option<T> {
    let object = text.get(text.find('{')?..=text.rfind('}')?)?;
    serde_json::from_str(object).ok()
}

/// `sha256:` and the hash of `value` as compact JSON with sorted keys, so that the same content has the same hash.
pub(crate) fn sha256(value: &impl Serialize) -> String {
    let mut value = serde_json::to_value(value).unwrap_or_default();
    value.sort_all_objects();
    format!("sha256:{}", hex(&Sha256::digest(value.to_string())))
}
