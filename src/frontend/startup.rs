//! What `--print-startup-config` prints: whether a server would start with this configuration, for clients that want
//! to know before they start one.

use serde_json::{Value, json};

use crate::COMPATIBLE_VERSION;
use crate::config::LoadError;
use crate::server::error::Error;

/// One JSON object: what holds for the server, or the error that a request would get.
pub(crate) fn report(refusal: Option<LoadError>) -> Value {
    match refusal {
        None => json!({
            "appServerVersion": COMPATIBLE_VERSION,
            // Where an administrator requires something, nothing starts.
            "configRequirements": { "supportsIndependentSpeedModes": true, "requirements": null },
        }),
        Some(error) => json!({ "error": Error::from(error).into_rpc() }),
    }
}
