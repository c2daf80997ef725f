//! `[agents]`: whether and how threads may spawn agents, and the roles that agents may have.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::protocol::MultiAgentVersion;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agents {
    pub(crate) enabled: bool,
    /// How many agents a session may have at once, if it is said.
    max_threads: Option<usize>,
    /// How many agents may be below one another.
    pub(crate) max_depth: u32,
    /// The model of agents for which nobody names one, where it is not their parent's.
    pub(crate) default_model: Option<String>,
    pub(crate) roles: BTreeMap<String, Role>,
}

/// `[agents.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Role {
    /// What it is for, told to models.
    pub(crate) description: Option<String>,
    /// Settings of agents with this role; relative to the home.
    pub(crate) config_file: Option<PathBuf>,
}

impl Default for Agents {
    fn default() -> Self {
        Self {
            enabled: true,
            max_threads: None,
            max_depth: 1,
            default_model: None,
            roles: BTreeMap::new(),
        }
    }
}

impl Agents {
    /// How many agents a session may have at once.
    pub(crate) fn most(&self, version: MultiAgentVersion) -> usize {
        let usual = match version {
            MultiAgentVersion::Disabled => 0,
            MultiAgentVersion::V1 => 6,
            MultiAgentVersion::V2 => 3,
        };
        self.max_threads.unwrap_or(usual)
    }

    /// What cannot be understood counts as absent.
    pub(super) fn new(table: &Map<String, Value>) -> Self {
        let number = |name: &str| table.get(name).and_then(Value::as_u64);
        let default = Self::default();
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let roles = table
            .iter()
            .filter(|(_, value)| value.is_object())
            .filter_map(|(name, value)| Some((name.clone(), Role::deserialize(value).ok()?)));
        Self {
            enabled: table.get("enabled").and_then(Value::as_bool).unwrap_or(default.enabled),
            max_threads: number("max_threads")
                .map(|value| usize::try_from(value).unwrap_or(usize::MAX)),
            max_depth: number("max_depth").map_or(default.max_depth, narrow),
            default_model: table
                .get("default_subagent_model")
                .and_then(Value::as_str)
                .map(str::to_owned),
            roles: roles.collect(),
        }
    }
}
