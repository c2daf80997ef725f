//! The configuration as clients read it: every known setting, where each set one comes from, and the layers.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize as _;
use serde_json::{Map, Value};

use super::layer::Layer;
use super::load::{Layers, Sources};
use super::problem::LoadError;
use super::setting;
use crate::protocol::{Config, ConfigLayerMetadata, ConfigReadResponse};

/// Why the configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// A file cannot be read or is no TOML.
    #[error("failed to read configuration layers: {}", .0.message)]
    Layers(LoadError),
    /// It says something that cannot be.
    #[error("invalid configuration: {0}")]
    Invalid(String),
}

impl Sources {
    /// The configuration for `cwd`, with its layers, the highest first.
    pub(crate) fn read(&self, cwd: Option<&Path>) -> Result<ConfigReadResponse, ReadError> {
        let layers = self.layers(cwd, None).map_err(ReadError::Layers)?;
        let mut merged = layers.merged();
        let origins = Origins::of(&merged, &layers);
        let all = layers.all.iter().rev().map(Layer::shown_to_clients).collect();
        layers.decode().map_err(|error| ReadError::Invalid(error.message))?;
        setting::complete(&mut merged);
        let config = Config::deserialize(Value::Object(merged))
            .map_err(|error| ReadError::Invalid(error.to_string()))?;
        Ok(ConfigReadResponse { config, origins, layers: Some(all) })
    }
}

/// A search for the layer that each set value comes from.
struct Origins<'a> {
    /// The layers that count, the highest first, as they are named.
    layers: Vec<(&'a Layer, ConfigLayerMetadata)>,
    path: Vec<String>,
    found: BTreeMap<String, ConfigLayerMetadata>,
}

impl<'a> Origins<'a> {
    fn of(
        merged: &Map<String, Value>,
        layers: &'a Layers,
    ) -> BTreeMap<String, ConfigLayerMetadata> {
        let mut layers: Vec<_> = layers.enabled().map(|layer| (layer, layer.metadata())).collect();
        layers.reverse();
        let mut origins = Self { layers, path: Vec::new(), found: BTreeMap::new() };
        origins.members(merged);
        origins.found
    }

    fn members(&mut self, members: &Map<String, Value>) {
        for (name, value) in members {
            self.value(name.clone(), value);
        }
    }

    fn value(&mut self, name: String, value: &Value) {
        self.path.push(name);
        match value {
            Value::Object(members) => self.members(members),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(index.to_string(), item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                let of = |(layer, _): &&(&Layer, _)| holds(&layer.content, &self.path);
                if let Some((_, metadata)) = self.layers.iter().find(of) {
                    self.found.insert(self.path.join("."), metadata.clone());
                }
            }
        }
        self.path.pop();
    }
}

/// Whether there is a value at a path of names, and of positions in lists.
fn holds(content: &Map<String, Value>, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else { return true };
    let found = rest.iter().try_fold(content.get(first), |value, name| {
        let value = value?;
        Some(match value.as_array() {
            Some(items) => items.get(name.parse::<usize>().ok()?),
            None => value.get(name),
        })
    });
    found.flatten().is_some()
}
