//! What users say.

use std::path::PathBuf;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

/// Is a part of what a user says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum UserInput {
    Text {
        text: String,
        #[serde(default)]
        text_elements: Vec<TextElement>,
    },
    Image {
        #[serde(flatten)]
        source: MediaSource,
        #[cfg_attr(test, ts(optional))]
        detail: Option<ImageDetail>,
    },
    /// An image file on the server's machine.
    LocalImage {
        #[cfg_attr(test, ts(optional))]
        detail: Option<ImageDetail>,
        path: PathBuf,
    },
    Audio {
        #[serde(flatten)]
        source: MediaSource,
    },
    /// An audio file on the server's machine.
    LocalAudio { path: PathBuf },
    /// A skill to use.
    Skill { name: String, path: PathBuf },
    /// Something that the text refers to.
    Mention { name: String, path: PathBuf },
}

impl UserInput {
    pub(crate) fn text(text: &str) -> Self {
        Self::Text { text: text.to_owned(), text_elements: Vec::new() }
    }
}

/// Marks a part of a text that clients show in a special way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct TextElement {
    /// Where it is in the text.
    pub(crate) byte_range: ByteRange,
    /// What to show in its place.
    pub(crate) placeholder: Option<String>,
}

/// Is a part of a text, in bytes of its UTF-8.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ByteRange {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Says how closely the model looks at an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum ImageDetail {
    Auto,
    Low,
    High,
    Original,
}

/// Says where media come from: a data URL, or a file that the provider has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum MediaSource {
    Url { url: String },
    File { file_id: String },
}
