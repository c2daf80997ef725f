//! The first line of a rollout: what a thread is and where it comes from.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, value::RawValue};

use crate::protocol::{GitInfo, SessionSource, ThreadHistoryMode, ThreadId};
use crate::util;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SessionMeta {
    /// The root thread's id for a sub-agent, else the thread's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session_id: Option<ThreadId>,
    pub(crate) id: ThreadId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forked_from_id: Option<ThreadId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forked_from_ordinal_exclusive: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent_thread_id: Option<ThreadId>,
    /// The thread that this one is a side conversation of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attached_to_thread_id: Option<ThreadId>,
    /// Of creation, RFC 3339.
    pub(crate) timestamp: String,
    #[serde(default)]
    pub(crate) cwd: PathBuf,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) runtime_workspace_roots: Vec<PathBuf>,
    #[serde(default)]
    pub(crate) originator: String,
    #[serde(default)]
    pub(crate) cli_version: String,
    #[serde(
        default = "no_source",
        deserialize_with = "source_from_stored",
        serialize_with = "source_to_stored"
    )]
    pub(crate) source: SessionSource,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread_source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agent_nickname: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) agent_role: Option<String>,
    #[serde(default)]
    pub(crate) model_provider: Option<String>,
    /// Kept as bytes, since it is long and rarely wanted; see [`SessionMeta::instructions`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) base_instructions: Option<Box<RawValue>>,
    /// The instructions of the oldest files.
    #[serde(default, skip_serializing)]
    pub(crate) instructions: Option<Box<RawValue>>,
    /// The tools of the client, as it gave them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) dynamic_tools: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) memory_mode: Option<String>,
    #[serde(default = "legacy")]
    pub(crate) history_mode: ThreadHistoryMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) history_base: Option<HistoryBase>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) multi_agent_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) context_window: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) git: Option<StoredGit>,
}

/// This file continues another one, up to a place in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HistoryBase {
    /// The file: a thread's id for its first one, else the segment in its name.
    pub(crate) thread_id: String,
    pub(crate) end_ordinal_exclusive: u64,
    #[serde(default)]
    pub(crate) end_byte_offset: u64,
}

/// Where the base instructions come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Provenance {
    /// They are the model's own.
    Model { model: String },
    /// A client gave them.
    Custom,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredGit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repository_url: Option<String>,
}

impl SessionMeta {
    /// Names the stretch of history that the model sees first.
    pub(crate) fn window_id(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Window {
            window_id: String,
        }
        let window = self.context_window.as_ref()?;
        serde_json::from_str(window.get()).ok().map(|window: Window| window.window_id)
    }

    /// The base instructions and where they come from; only a text in old files.
    pub(crate) fn instructions(&self) -> Option<(String, Option<Provenance>)> {
        #[derive(Deserialize)]
        struct Stored {
            text: String,
            #[serde(default)]
            provenance: Option<Value>,
        }
        let raw = self.base_instructions.as_deref().or(self.instructions.as_deref())?;
        if let Ok(stored) = serde_json::from_str::<Stored>(raw.get()) {
            let provenance = stored.provenance.and_then(|value| serde_json::from_value(value).ok());
            return Some((stored.text, provenance));
        }
        serde_json::from_str::<String>(raw.get()).ok().map(|text| (text, None))
    }

    /// Sets the base instructions.
    pub(crate) fn set_instructions(&mut self, text: &str, provenance: &Provenance) {
        #[derive(Serialize)]
        struct Stored<'a> {
            text: &'a str,
            provenance: &'a Provenance,
        }
        self.base_instructions = Some(util::json::raw(&Stored { text, provenance }));
    }

    /// Whether lines of this file are numbered.
    pub(crate) fn is_paginated(&self) -> bool {
        self.history_mode == ThreadHistoryMode::Paginated
    }
}

impl From<&StoredGit> for GitInfo {
    fn from(git: &StoredGit) -> Self {
        Self {
            sha: git.commit_hash.clone(),
            branch: git.branch.clone(),
            origin_url: git.repository_url.clone(),
        }
    }
}

impl From<&GitInfo> for StoredGit {
    fn from(git: &GitInfo) -> Self {
        Self {
            commit_hash: git.sha.clone(),
            branch: git.branch.clone(),
            repository_url: git.origin_url.clone(),
        }
    }
}

fn legacy() -> ThreadHistoryMode {
    ThreadHistoryMode::Legacy
}

fn no_source() -> SessionSource {
    SessionSource::Vscode
}

/// Stored sources are the wire's, but for two names.
const RENAMED: [(&str, &str); 2] = [("mcp", "appServer"), ("subagent", "subAgent")];

fn source_from_stored<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SessionSource, D::Error> {
    let wire =
        |name: &str| RENAMED.iter().find(|names| names.0 == name).map(|names| names.1.to_owned());
    let stored = rename(Value::deserialize(deserializer)?, wire);
    Ok(serde_json::from_value(stored).unwrap_or(SessionSource::Unknown))
}

fn source_to_stored<S: Serializer>(
    source: &SessionSource,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let stored =
        |name: &str| RENAMED.iter().find(|names| names.1 == name).map(|names| names.0.to_owned());
    rename(serde_json::to_value(source).map_err(serde::ser::Error::custom)?, stored)
        .serialize(serializer)
}

/// The value with another name of its variant, where there is one.
fn rename(source: Value, other: impl Fn(&str) -> Option<String>) -> Value {
    match source {
        Value::String(name) => Value::String(other(&name).unwrap_or(name)),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (other(&name).unwrap_or(name), value)).collect()
        }
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => plain,
    }
}
