//! The provider that a configuration names.

use std::path::Path;

use serde_json::Value;

use super::load_error;
use crate::config::Effective;
use crate::model::{Provider, ProviderTable};
use crate::thread::Result;

/// Whether a provider of this id is configured or built in.
pub(super) fn exists(id: &str, config: &Effective) -> bool {
    config.model_providers.contains_key(id) || Provider::built_in(id, None).is_some()
}

/// Finds the provider among the configured and the built-in ones.
pub(super) fn configured(config: &Effective, home: &Path) -> Result<Provider> {
    let id = config.model_provider.as_str();
    if let Some(settings) = config.model_providers.get(id) {
        let mut settings = settings.clone();
        resolve_paths(&mut settings, home);
        let settings: ProviderTable =
            serde_json::from_value(settings).map_err(|error| load_error(&error))?;
        if !settings.has_place() {
            return Err(load_error(&format!("Model provider `{id}` has no `base_url`")));
        }
        return Ok(Provider::from_settings(id, settings));
    }
    Provider::built_in(id, config.openai_base_url.as_deref())
        .ok_or_else(|| load_error(&format!("Model provider `{id}` not found")))
}

/// Files and folders are named relative to the home.
fn resolve_paths(settings: &mut Value, home: &Path) {
    for place in ["/script", "/auth/cwd"] {
        if let Some(value) = settings.pointer_mut(place)
            && let Some(path) = value.as_str()
        {
            *value = Value::String(home.join(path).to_string_lossy().into_owned());
        }
    }
}
