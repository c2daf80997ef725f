//! Errors as they go over the wire, and their codes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The server has more to do than it can queue.
pub(crate) const OVERLOADED: i64 = -32001;
/// The request cannot be decoded, or what it asks for cannot be done now.
pub(crate) const INVALID_REQUEST: i64 = -32600;
/// The method is not there, or not for what the params name.
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
/// A value in the params is out of bounds.
pub(crate) const INVALID_PARAMS: i64 = -32602;
/// Something went wrong that the client cannot mend.
pub(crate) const INTERNAL_ERROR: i64 = -32603;

/// Why a request was refused or failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RpcError {
    pub(crate) code: i64,
    pub(crate) message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<Value>,
}
