//! Files of the host, by absolute path.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::AbsolutePathBuf;

/// Reads a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsReadFileParams {
    pub(crate) path: AbsolutePathBuf,
}

/// Is a file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsReadFileResponse {
    pub(crate) data_base64: String,
}

/// Writes a file; what was in it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsWriteFileParams {
    /// Its folder has to exist.
    pub(crate) path: AbsolutePathBuf,
    /// The standard alphabet, padded.
    pub(crate) data_base64: String,
}

/// Tells that the file is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsWriteFileResponse {}

/// Makes a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct FsCreateDirectoryParams {
    pub(crate) path: AbsolutePathBuf,
    /// Makes the folders above it, too, and takes one that is there already; true when absent.
    pub(crate) recursive: Option<bool>,
}

/// Tells that the folder is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsCreateDirectoryResponse {}

/// Asks what a path names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsGetMetadataParams {
    pub(crate) path: AbsolutePathBuf,
}

/// Describes what a path names. Links are followed, except by `isSymlink`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsGetMetadataResponse {
    pub(crate) is_directory: bool,
    pub(crate) is_file: bool,
    pub(crate) is_symlink: bool,
    /// Unix milliseconds; 0 when the system does not know.
    pub(crate) created_at_ms: i64,
    /// Unix milliseconds; 0 when the system does not know.
    pub(crate) modified_at_ms: i64,
}

/// Lists a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsReadDirectoryParams {
    pub(crate) path: AbsolutePathBuf,
}

/// Holds what is in a folder, in no order; links that lead nowhere are left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsReadDirectoryResponse {
    pub(crate) entries: Vec<FsReadDirectoryEntry>,
}

/// Is an entry of a folder, as what a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsReadDirectoryEntry {
    pub(crate) file_name: String,
    pub(crate) is_directory: bool,
    pub(crate) is_file: bool,
}

/// Removes a file, a folder or a link (not what that leads to).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) struct FsRemoveParams {
    pub(crate) path: AbsolutePathBuf,
    /// Removes what is in a folder, too; true when absent.
    pub(crate) recursive: Option<bool>,
    /// Takes it well when there is nothing to remove; true when absent.
    pub(crate) force: Option<bool>,
}

/// Tells that nothing is there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsRemoveResponse {}

/// Copies a file, a link or a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsCopyParams {
    pub(crate) source_path: AbsolutePathBuf,
    pub(crate) destination_path: AbsolutePathBuf,
    /// Needed for folders.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) recursive: bool,
}

/// Tells that the copy is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsCopyResponse {}

/// Asks to be told of changes of a file, or of the entries of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsWatchParams {
    /// The client's name for the watch; it lasts until `fs/unwatch` or the end of the connection.
    pub(crate) watch_id: String,
    /// Need not exist yet.
    pub(crate) path: AbsolutePathBuf,
}

/// Tells what is watched from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsWatchResponse {
    pub(crate) path: AbsolutePathBuf,
}

/// Ends a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsUnwatchParams {
    pub(crate) watch_id: String,
}

/// Tells that there is no such watch any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsUnwatchResponse {}

/// Tells what has changed under a watch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct FsChangedNotification {
    pub(crate) watch_id: String,
    /// Each once, sorted.
    pub(crate) changed_paths: Vec<AbsolutePathBuf>,
}
