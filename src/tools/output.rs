//! What a call gives back to the model.

use serde::Serialize;
use serde_json::Value;

use crate::protocol::ImageDetail;

/// The output of a call, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Output {
    Text(String),
    Parts(Vec<Part>),
    /// Namespaces with the tools that a search has found.
    Tools(Vec<Value>),
}

/// One part of what a model reads besides plain text.
#[expect(clippy::enum_variant_names, reason = "the names of the wire")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Part {
    InputText {
        text: String,
    },
    InputImage {
        #[serde(skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<String>,
        detail: ImageDetail,
    },
    InputAudio {
        #[serde(skip_serializing_if = "Option::is_none")]
        audio_url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        file_id: Option<String>,
    },
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
