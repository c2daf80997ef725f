//! What a configuration says about hooks: where they may be declared, and which of them the user trusts. What a
//! declaration means is not decided here.

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::layer::{Layer, Source};

/// The places that may declare hooks, lowest layer first, and the state of hooks by their keys.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct HookSettings {
    pub(crate) layers: Vec<HookLayer>,
    /// `[hooks.state]`: what the user has said. A project has no say in whether its hooks are trusted.
    pub(crate) state: Map<String, Value>,
}

/// One place that may declare hooks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HookLayer {
    pub(crate) source: Source,
    /// Its `[hooks]` by event.
    pub(crate) table: Option<Map<String, Value>>,
}

impl HookSettings {
    pub(super) fn of<'a>(layers: impl Iterator<Item = &'a Layer>) -> Self {
        let mut settings = Self::default();
        for layer in layers {
            let mut table = layer.content.get("hooks").and_then(Value::as_object).cloned();
            let state = table.as_mut().and_then(|table| table.remove("state"));
            if let (Source::User(_) | Source::SessionFlags, Some(Value::Object(state))) =
                (&layer.source, state)
            {
                settings.state.extend(state);
            }
            let table = table.filter(|table| !table.is_empty());
            settings.layers.push(HookLayer { source: layer.source.clone(), table });
        }
        settings
    }
}

impl HookLayer {
    /// The file beside the layer's own that may declare hooks, too.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        Some(self.source.file()?.with_file_name("hooks.json"))
    }
}
