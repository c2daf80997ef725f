//! Configuration: where it comes from, how its layers merge, and what a thread or the server runs on.
//!
//! Nothing is read before somebody asks, and every question reads the files anew. Broken input is a value where
//! the server has to go on (defaults and a `Problem`) and a `LoadError` where a caller is refused. This module
//! knows neither threads nor connections, and it never decides what a setting means to the one who uses it.

mod account;
mod agents;
mod edit;
mod effective;
mod features;
mod home;
mod hook;
mod layer;
mod load;
mod mcp;
mod overrides;
pub(crate) mod permission;
mod problem;
pub(crate) mod profile;
mod provider;
mod read;
mod requirements;
mod setting;
mod skills;
mod tools;
mod trust;
mod write;

pub(crate) use account::{AccountSettings, CredentialStore, LoginMethod};
pub(crate) use agents::{Collaboration, Role};
pub(crate) use effective::{Effective, WorkspaceWrite};
pub(crate) use features::{Feature, Features, known as known_features};
pub(crate) use home::home;
pub(crate) use hook::{HookLayer, HookSettings};
pub(crate) use layer::{Source, table};
pub(crate) use load::Sources;
pub(crate) use mcp::{
    McpApproval, McpCommand, McpEndpoint, McpServer, McpTransport, approve_mcp_tool,
};
pub(crate) use overrides::Overrides;
pub(crate) use problem::{LoadError, Problem};
pub(crate) use provider::{ProviderChange, write_provider};
pub(crate) use read::ReadError;
pub(crate) use requirements::{Unheld, check as check_requirements};
pub(crate) use skills::{SkillKey, write_skill};
pub(crate) use tools::Tools;
pub(crate) use trust::{Trust, marked_root, write_trust};
pub(crate) use write::{Edit, Merge, Target, WriteError, Written};

/// Why the server cannot start with what it was given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("CODEX_HOME points to {0:?}, but that path does not exist")]
    HomeMissing(String),
    #[error("CODEX_HOME points to {0:?}, but that path is not a directory")]
    HomeNotDirectory(String),
    #[error("failed to use CODEX_HOME {path:?}")]
    HomeUnusable { path: String, source: std::io::Error },
    #[error("neither CODEX_HOME nor the user's home directory is known")]
    NoHome,
    #[error("error parsing -c overrides: {0}")]
    Override(String),
    #[error("{0}")]
    OverrideValue(String),
    #[error("Unknown feature flag: {0}")]
    UnknownFeature(String),
}
