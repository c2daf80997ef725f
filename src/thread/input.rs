//! What a user says: checking it, and turning it into the message that the model reads.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use super::context::item_id;
use super::{Error, Result};
use crate::protocol::{ImageDetail, MediaSource, UserInput};
use crate::tools::Part;
use crate::util::json::raw;

/// The most characters (code points) that the texts of one input may have together.
const MAX_CHARS: usize = 1 << 20;
/// The largest image file that is sent, in bytes.
const MAX_IMAGE: u64 = 32 << 20;

/// Refuses what cannot be sent to a model.
pub(super) fn check(input: &[UserInput]) -> Result<()> {
    let mut chars = 0;
    for part in input {
        match part {
            UserInput::Text { text, .. } => chars += text.chars().count(),
            UserInput::Image { source: MediaSource::Url { url }, .. } if is_remote(url) => {
                let refusal = "remote image URLs are not supported; use an inline data URL instead";
                return Err(Error::Refused(refusal.to_owned()));
            }
            UserInput::Image { .. }
            | UserInput::LocalImage { .. }
            | UserInput::Audio { .. }
            | UserInput::LocalAudio { .. }
            | UserInput::Skill { .. }
            | UserInput::Mention { .. } => {}
        }
    }
    if chars > MAX_CHARS {
        return Err(Error::InputTooLarge { max_chars: MAX_CHARS, actual_chars: chars });
    }
    Ok(())
}

fn is_remote(url: &str) -> bool {
    let scheme = url.split(':').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// The user message that the model is sent. Reads the files that the input names.
pub(super) fn message(input: &[UserInput]) -> Box<RawValue> {
    let mut content = Vec::new();
    let mut images = 0;
    for part in input {
        match part {
            UserInput::Text { text, .. } => content.push(Part::InputText { text: text.clone() }),
            UserInput::Image { source, detail } => {
                images += 1;
                content.push(image(source, *detail));
            }
            UserInput::LocalImage { path, .. } => {
                images += 1;
                content.extend(local_image(path, images));
            }
            UserInput::Audio { .. } => {
                content.push(text("[audio: this model takes no audio input]".to_owned()));
            }
            UserInput::LocalAudio { path } => {
                content.push(text(format!(
                    "[audio file {}: this model takes no audio input]",
                    path.display()
                )));
            }
            // Neither is text of its own: a skill brings its file along, a mention is for the client.
            UserInput::Skill { .. } | UserInput::Mention { .. } => {}
        }
    }
    raw(&Message { kind: "message", id: item_id("msg"), role: "user", content })
}

fn image(source: &MediaSource, detail: Option<ImageDetail>) -> Part {
    if detail == Some(ImageDetail::Low) {
        return text(
            "[an image was left out: detail \"low\" is not supported, only auto, high and original]"
                .to_owned(),
        );
    }
    let (image_url, file_id) = match source {
        MediaSource::Url { url } => (Some(url.clone()), None),
        MediaSource::File { file_id } => (None, Some(file_id.clone())),
    };
    Part::InputImage { image_url, file_id, detail: "high" }
}

fn local_image(path: &Path, number: usize) -> Vec<Part> {
    let bytes = match read_image(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return vec![text(format!("[the image {} cannot be read: {error}]", path.display()))];
        }
    };
    let picture = match content_type(&bytes) {
        Some(kind) => Part::InputImage {
            image_url: Some(format!("data:{kind};base64,{}", STANDARD.encode(&bytes))),
            file_id: None,
            detail: "high",
        },
        None => text(format!("[the file {} is not an image that can be shown]", path.display())),
    };
    let opening = format!("<image name=[Image #{number}] path=\"{}\">", path.display());
    vec![text(opening), picture, text("</image>".to_owned())]
}

/// Only plain files are read, and only up to a bound: a pipe or a device would hold up the thread for ever.
fn read_image(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    if metadata.len() > MAX_IMAGE {
        return Err(io::Error::other(format!("it is larger than {MAX_IMAGE} bytes")));
    }
    std::fs::read(path)
}

/// The type of a picture by its first bytes.
fn content_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[derive(Serialize)]
struct Message {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    role: &'static str,
    content: Vec<Part>,
}

fn text(text: String) -> Part {
    Part::InputText { text }
}
