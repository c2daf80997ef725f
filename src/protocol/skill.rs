//! Skills: folders of instructions that users and projects give to agents.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{AbsolutePathBuf, LegacyAppPathString};

/// Lists skills.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillsListParams {
    /// The working directories to list for; the server's own when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(as = "Option<Vec<String>>", optional))]
    pub(crate) cwds: Vec<String>,
    /// Searches again rather than trusting what is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) force_reload: bool,
}

/// Holds one entry for each working directory, in the order of the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillsListResponse {
    pub(crate) data: Vec<SkillsListEntry>,
}

/// Lists the skills that a thread in a working directory has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillsListEntry {
    pub(crate) cwd: String,
    pub(crate) skills: Vec<SkillMetadata>,
    /// What is there and cannot be used.
    pub(crate) errors: Vec<SkillErrorInfo>,
}

/// Describes a skill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillMetadata {
    pub(crate) name: String,
    pub(crate) description: String,
    /// A shorter description, from the skill's own file; `interface` has a better one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) short_description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) interface: Option<SkillInterface>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) dependencies: Option<SkillDependencies>,
    /// The skill's `SKILL.md`.
    pub(crate) path: LegacyAppPathString,
    pub(crate) scope: SkillScope,
    pub(crate) enabled: bool,
    /// The plugin that brings the skill.
    pub(crate) plugin_id: Option<String>,
}

/// Says how to show a skill to people.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct SkillInterface {
    pub(crate) display_name: Option<String>,
    pub(crate) short_description: Option<String>,
    pub(crate) icon_small: Option<AbsolutePathBuf>,
    pub(crate) icon_large: Option<AbsolutePathBuf>,
    pub(crate) icon_small_url: Option<String>,
    pub(crate) icon_large_url: Option<String>,
    /// As `#RRGGBB`.
    pub(crate) brand_color: Option<String>,
    /// What to ask when the skill is chosen and nothing is said.
    pub(crate) default_prompt: Option<String>,
}

/// Lists what a skill needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillDependencies {
    pub(crate) tools: Vec<SkillToolDependency>,
}

/// Describes a tool that a skill needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillToolDependency {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) value: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) transport: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) command: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub(crate) url: Option<String>,
}

/// Says whose skill it is; the variants stand in the order in which skills are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum SkillScope {
    /// The repository's.
    Repo,
    /// The user's own.
    User,
    /// The server's.
    System,
    /// The machine's.
    Admin,
}

/// Says why a skill cannot be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillErrorInfo {
    pub(crate) path: String,
    pub(crate) message: String,
}

/// Switches a skill on or off in the user's configuration; it is named by its path or by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct SkillsConfigWriteParams {
    /// The skill's `SKILL.md`.
    pub(crate) path: Option<AbsolutePathBuf>,
    pub(crate) name: Option<String>,
    pub(crate) enabled: bool,
}

/// Says whether the skill is on now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillsConfigWriteResponse {
    pub(crate) effective_enabled: bool,
}

/// Replaces the folders that are searched for skills besides the usual ones, until the server ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillsExtraRootsSetParams {
    pub(crate) extra_roots: Vec<AbsolutePathBuf>,
}

/// Confirms that the folders are searched from now on.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillsExtraRootsSetResponse {}

/// Tells that a list of skills may not be right any more.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct SkillsChangedNotification {}
