//! `[agents]`: whether and how threads may spawn agents, and the roles that agents may have; and
//! `[features.multi_agent_v2]`, for agents that know each other.

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
    pub(crate) collaboration: Collaboration,
}

/// `[features.multi_agent_v2]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Collaboration {
    /// How many threads a session may have at once, its first one included.
    max_concurrent_threads_per_session: Option<usize>,
    /// How long calls wait for others, in milliseconds.
    pub(crate) default_wait_timeout_ms: u64,
    pub(crate) min_wait_timeout_ms: u64,
    pub(crate) max_wait_timeout_ms: u64,
    /// What the session's first agent is told in the place of our own words, and what the others are.
    pub(crate) root_agent_usage_hint_text: Option<String>,
    pub(crate) subagent_usage_hint_text: Option<String>,
    /// When to start agents, in the place of our own words.
    pub(crate) multi_agent_mode_hint_text: Option<String>,
    /// What the tool that starts agents says in addition.
    pub(crate) usage_hint_text: Option<String>,
}

impl Default for Collaboration {
    fn default() -> Self {
        Self {
            max_concurrent_threads_per_session: None,
            default_wait_timeout_ms: 30_000,
            min_wait_timeout_ms: 10_000,
            max_wait_timeout_ms: 3_600_000,
            root_agent_usage_hint_text: None,
            subagent_usage_hint_text: None,
            multi_agent_mode_hint_text: None,
            usage_hint_text: None,
        }
    }
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
            collaboration: Collaboration::default(),
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
        let own = match version {
            MultiAgentVersion::Disabled | MultiAgentVersion::V1 => None,
            MultiAgentVersion::V2 => self.collaboration.max_concurrent_threads_per_session,
        };
        own.map(|threads| threads.saturating_sub(1)).or(self.max_threads).unwrap_or(usual)
    }

    /// What cannot be understood counts as absent.
    pub(super) fn new(table: &Map<String, Value>, collaboration: Option<&Value>) -> Self {
        let number = |name: &str| table.get(name).and_then(Value::as_u64);
        let default = Self::default();
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let roles = table
            .iter()
            .filter(|(_, value)| value.is_object())
            .filter_map(|(name, value)| Some((name.clone(), Role::deserialize(value).ok()?)));
        Self {
            enabled: table.get("enabled").and_then(Value::as_bool).unwrap_or(default.enabled),
            max_threads: number("max_concurrent_threads_per_session")
                .or(number("max_threads"))
                .map(|value| usize::try_from(value).unwrap_or(usize::MAX)),
            max_depth: number("max_depth").map_or(default.max_depth, narrow),
            default_model: table
                .get("default_subagent_model")
                .and_then(Value::as_str)
                .map(str::to_owned),
            roles: roles.collect(),
            collaboration: collaboration
                .and_then(|table| Collaboration::deserialize(table).ok())
                .unwrap_or_default(),
        }
    }
}
