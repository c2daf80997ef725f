//! Writing the user's configuration, and where settings come from.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::AbsolutePathBuf;

/// Sets one value of the user's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ConfigValueWriteParams {
    /// The names from the top to the value, joined by dots; a name in double quotes may hold dots.
    pub(crate) key_path: String,
    /// The new value; null clears.
    pub(crate) value: Value,
    pub(crate) merge_strategy: MergeStrategy,
    /// The file to write; only the user's can be written, which is the default.
    pub(crate) file_path: Option<String>,
    /// Refuses the write unless the file still has this version.
    pub(crate) expected_version: Option<String>,
}

/// Makes several changes to the user's configuration: all of them or none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct ConfigBatchWriteParams {
    pub(crate) edits: Vec<ConfigEdit>,
    /// The file to write; only the user's can be written, which is the default.
    pub(crate) file_path: Option<String>,
    /// Refuses the write unless the file still has this version.
    pub(crate) expected_version: Option<String>,
    /// Has loaded threads take over what is not fixed for a thread's life.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) reload_user_config: bool,
}

/// Is one change to a configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ConfigEdit {
    /// The names from the top to the value, joined by dots; a name in double quotes may hold dots.
    pub(crate) key_path: String,
    /// The new value; null clears.
    pub(crate) value: Value,
    pub(crate) merge_strategy: MergeStrategy,
}

/// Says what becomes of a table that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum MergeStrategy {
    /// The new value takes its place.
    Replace,
    /// A new table is laid over it; anything else takes its place.
    Upsert,
}

/// Tells how the file stands after a write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ConfigWriteResponse {
    pub(crate) status: WriteStatus,
    /// The new version of the user's configuration.
    pub(crate) version: String,
    pub(crate) file_path: AbsolutePathBuf,
    /// What hides a written value, if something does.
    pub(crate) overridden_metadata: Option<OverriddenMetadata>,
}

/// Says whether what was written has an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum WriteStatus {
    Ok,
    /// It was written, and a higher layer hides it.
    OkOverridden,
}

/// Tells what hides a written value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct OverriddenMetadata {
    pub(crate) message: String,
    pub(crate) overriding_layer: ConfigLayerMetadata,
    /// The value that counts.
    pub(crate) effective_value: Value,
}

/// Names a layer of the configuration and its version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ConfigLayerMetadata {
    pub(crate) name: ConfigLayerSource,
    /// The hash of the layer's content.
    pub(crate) version: String,
}

/// Says where settings come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ConfigLayerSource {
    /// What the program was packaged with.
    PackagedDefaults { file: AbsolutePathBuf },
    /// A profile of the device's management.
    Mdm { domain: String, key: String },
    /// The system's file.
    System { file: AbsolutePathBuf },
    /// A hosted policy.
    EnterpriseManaged { id: String, name: String },
    /// The user's file, or one of the user's profiles.
    User { file: AbsolutePathBuf, profile: Option<String> },
    /// A project's folder.
    Project { dot_codex_folder: AbsolutePathBuf },
    /// The command line, or the request that starts a thread.
    SessionFlags,
    /// An older file of the system's management.
    LegacyManagedConfigTomlFromFile { file: AbsolutePathBuf },
    /// An older profile of the device's management.
    LegacyManagedConfigTomlFromMdm,
}
