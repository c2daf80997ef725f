//! What commands may do beyond their policy.

use std::num::NonZeroUsize;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::LegacyAppPathString;

/// Lists what is allowed beyond the policy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AdditionalPermissionProfile {
    pub(crate) network: Option<AdditionalNetworkPermissions>,
    pub(crate) file_system: Option<AdditionalFileSystemPermissions>,
}

/// Lists what is allowed on the network beyond the policy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AdditionalNetworkPermissions {
    pub(crate) enabled: Option<bool>,
}

/// Lists what is allowed with files beyond the policy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AdditionalFileSystemPermissions {
    /// Paths to read.
    pub(crate) read: Option<Vec<LegacyAppPathString>>,
    /// Paths to write.
    pub(crate) write: Option<Vec<LegacyAppPathString>>,
    /// How deep patterns are followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) glob_scan_max_depth: Option<NonZeroUsize>,
    /// The same, entry by entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) entries: Option<Vec<FileSystemSandboxEntry>>,
}

/// Says what is allowed with a path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FileSystemSandboxEntry {
    pub(crate) path: FileSystemPath,
    pub(crate) access: FileSystemAccessMode,
}

/// Names a kind of access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum FileSystemAccessMode {
    Read,
    Write,
    Deny,
}

/// Names files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum FileSystemPath {
    Path { path: LegacyAppPathString },
    GlobPattern { pattern: String },
    Special { value: FileSystemSpecialPath },
}

/// Names files by what they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum FileSystemSpecialPath {
    Root,
    Minimal,
    ProjectRoots { subpath: Option<LegacyAppPathString> },
    Tmpdir,
    SlashTmp,
    Unknown { path: String, subpath: Option<LegacyAppPathString> },
}

/// Lists the permission profiles that can be chosen.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct PermissionProfileListParams {
    /// The folder whose configuration counts; the server's own by default.
    pub(crate) cwd: Option<String>,
    /// Goes on where an earlier answer ended.
    pub(crate) cursor: Option<String>,
    /// The most profiles to answer with; all by default.
    pub(crate) limit: Option<u32>,
}

/// Answers with permission profiles: the built-in ones, then those of the configuration by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct PermissionProfileListResponse {
    pub(crate) data: Vec<PermissionProfileSummary>,
    /// Asks for the next page; null on the last one.
    pub(crate) next_cursor: Option<String>,
}

/// Describes a permission profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct PermissionProfileSummary {
    /// What to choose it by.
    pub(crate) id: String,
    pub(crate) description: Option<String>,
    /// Whether it may be chosen.
    pub(crate) allowed: bool,
}
