//! What the user has said about hooks: which are switched off, and what has been approved.

use serde_json::{Map, Value};

use crate::protocol::HookTrustStatus;

/// Whether a hook is switched on, and whether it is what the user has approved. `state` is `[hooks.state]` by key.
pub(super) fn judge(state: &Map<String, Value>, key: &str, hash: &str) -> (bool, HookTrustStatus) {
    let said = state.get(key);
    let enabled =
        said.and_then(|said| said.get("enabled")).and_then(Value::as_bool).unwrap_or(true);
    let approved = said.and_then(|said| said.get("trusted_hash")).and_then(Value::as_str);
    let trust = match approved {
        None => HookTrustStatus::Untrusted,
        Some(approved) if approved == hash => HookTrustStatus::Trusted,
        Some(_) => HookTrustStatus::Modified,
    };
    (enabled, trust)
}
