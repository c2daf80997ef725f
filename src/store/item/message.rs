//! Messages, reasoning and plans.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::protocol::{
    AgentMessageDelivery, AsyncUserInputQuestion, ByteRange, ImageDetail, ItemId, MediaSource,
    MemoryCitation, MessagePhase, TextElement, ThreadItem, UserInput,
};

#[derive(Serialize, Deserialize)]
pub(super) struct User {
    id: ItemId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    content: Vec<serde_json::Value>,
}

/// A part of a user's message.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text {
        text: String,
        #[serde(default)]
        text_elements: Vec<Element>,
    },
    Image {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        image_url: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<ImageDetail>,
    },
    LocalImage {
        path: PathBuf,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<ImageDetail>,
    },
    Audio {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audio_url: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file_id: Option<String>,
    },
    LocalAudio {
        path: PathBuf,
    },
    Skill {
        name: String,
        path: PathBuf,
    },
    Mention {
        name: String,
        path: PathBuf,
    },
}

#[derive(Serialize, Deserialize)]
struct Element {
    byte_range: ByteRange,
    #[serde(default)]
    placeholder: Option<String>,
}

impl User {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::UserMessage { id, client_id, content } = item else { return None };
        let parts =
            content.iter().map(stored_part).filter_map(|part| serde_json::to_value(part).ok());
        Some(Self { id: id.clone(), client_id: client_id.clone(), content: parts.collect() })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        let content = user_content(self.content);
        Some(ThreadItem::UserMessage { id: self.id, client_id: self.client_id, content })
    }
}

/// The stored parts of the wire's.
pub(crate) fn stored_content(content: &[UserInput]) -> Vec<serde_json::Value> {
    content.iter().map(stored_part).filter_map(|part| serde_json::to_value(part).ok()).collect()
}

/// The wire's parts of stored ones; those that are not known are left out.
pub(crate) fn user_content(stored: Vec<serde_json::Value>) -> Vec<UserInput> {
    stored
        .into_iter()
        .filter_map(|part| serde_json::from_value::<Part>(part).ok())
        .filter_map(wire_part)
        .collect()
}

fn stored_part(part: &UserInput) -> Part {
    match part.clone() {
        UserInput::Text { text, text_elements } => Part::Text {
            text,
            text_elements: text_elements
                .into_iter()
                .map(|element| Element {
                    byte_range: element.byte_range,
                    placeholder: element.placeholder,
                })
                .collect(),
        },
        UserInput::Image { detail, source } => {
            let (image_url, file_id) = stored_source(source);
            Part::Image { image_url, file_id, detail }
        }
        UserInput::LocalImage { path, detail } => Part::LocalImage { path, detail },
        UserInput::Audio { source } => {
            let (audio_url, file_id) = stored_source(source);
            Part::Audio { audio_url, file_id }
        }
        UserInput::LocalAudio { path } => Part::LocalAudio { path },
        UserInput::Skill { name, path } => Part::Skill { name, path },
        UserInput::Mention { name, path } => Part::Mention { name, path },
    }
}

fn wire_part(part: Part) -> Option<UserInput> {
    Some(match part {
        Part::Text { text, text_elements } => UserInput::Text {
            text,
            text_elements: text_elements
                .into_iter()
                .map(|element| TextElement {
                    byte_range: element.byte_range,
                    placeholder: element.placeholder,
                })
                .collect(),
        },
        Part::Image { image_url, file_id, detail } => {
            UserInput::Image { detail, source: wire_source(image_url, file_id)? }
        }
        Part::LocalImage { path, detail } => UserInput::LocalImage { path, detail },
        Part::Audio { audio_url, file_id } => {
            UserInput::Audio { source: wire_source(audio_url, file_id)? }
        }
        Part::LocalAudio { path } => UserInput::LocalAudio { path },
        Part::Skill { name, path } => UserInput::Skill { name, path },
        Part::Mention { name, path } => UserInput::Mention { name, path },
    })
}

fn stored_source(source: MediaSource) -> (Option<String>, Option<String>) {
    match source {
        MediaSource::Url { url } => (Some(url), None),
        MediaSource::File { file_id } => (None, Some(file_id)),
    }
}

fn wire_source(url: Option<String>, file_id: Option<String>) -> Option<MediaSource> {
    let url = url.map(|url| MediaSource::Url { url });
    url.or_else(|| file_id.map(|file_id| MediaSource::File { file_id }))
}

#[derive(Serialize, Deserialize)]
pub(super) struct Agent {
    id: ItemId,
    content: Vec<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phase: Option<MessagePhase>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    memory_citation: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<AgentMessageDelivery>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    questions: Option<Vec<AsyncUserInputQuestion>>,
}

#[derive(Serialize, Deserialize)]
struct Text {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    text: String,
}

impl Agent {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::AgentMessage {
            id, text, phase, memory_citation, delivery, questions, ..
        } = item
        else {
            return None;
        };
        let citation =
            memory_citation.as_ref().and_then(|citation| serde_json::to_value(citation).ok());
        Some(Self {
            id: id.clone(),
            content: vec![Text { kind: "Text".to_owned(), text: text.clone() }],
            phase: *phase,
            memory_citation: citation.map(crate::store::case::snake_value),
            delivery: *delivery,
            questions: questions.clone(),
        })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        let citation = self.memory_citation.map(crate::store::case::camel_value);
        let memory_citation: Option<MemoryCitation> =
            citation.and_then(|value| serde_json::from_value(value).ok());
        Some(ThreadItem::AgentMessage {
            id: self.id,
            text: self.content.into_iter().map(|part| part.text).collect(),
            phase: self.phase,
            memory_citation,
            moderation: None,
            delivery: self.delivery,
            questions: self.questions,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Reasoning {
    id: ItemId,
    #[serde(default)]
    summary_text: Vec<String>,
    #[serde(default)]
    raw_content: Vec<String>,
}

impl Reasoning {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::Reasoning { id, summary, content } = item else { return None };
        Some(Self { id: id.clone(), summary_text: summary.clone(), raw_content: content.clone() })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        Some(ThreadItem::Reasoning {
            id: self.id,
            summary: self.summary_text,
            content: self.raw_content,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) id: ItemId,
    #[serde(default)]
    pub(super) text: String,
}

impl Plan {
    pub(super) fn wire(self) -> Option<ThreadItem> {
        Some(ThreadItem::Plan { id: self.id, text: self.text })
    }
}
