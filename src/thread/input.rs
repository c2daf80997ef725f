//! What a user says: checking it, and turning it into the message that the model reads.

use std::path::Path;

use serde::Serialize;
use serde_json::value::RawValue;

use super::context::item_id;
use super::{Error, Result};
use crate::model::picture;
use crate::model::senses::{Hearing, Senses, Sight};
use crate::protocol::{ImageDetail, MediaSource, UserInput};
use crate::tools::Part;
use crate::util::json::raw;

/// The most characters (code points) that the texts of one input may have together.
const MAX_CHARS: usize = 1 << 20;

const NO_IMAGES: &str = "[an image was left out: this model takes no images]";
const NO_AUDIO: &str = "[a sound was left out: this model takes no audio]";

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

/// The user message for a model with these senses. Reads the files that the input names, and makes pictures fit:
/// somewhere else, since that may take seconds.
pub(super) async fn message(input: Vec<UserInput>, senses: Senses) -> Box<RawValue> {
    let without = render(&input, Senses::NONE);
    picture::apart(move || render(&input, senses)).await.unwrap_or(without)
}

/// The user message of an input without media.
pub(super) fn text_message(input: &[UserInput]) -> Box<RawValue> {
    render(input, Senses::NONE)
}

/// Whether the input holds anything that takes a model with senses.
pub(super) fn has_media(input: &[UserInput]) -> bool {
    input.iter().any(|part| match part {
        UserInput::Image { .. }
        | UserInput::LocalImage { .. }
        | UserInput::Audio { .. }
        | UserInput::LocalAudio { .. } => true,
        UserInput::Text { .. } | UserInput::Skill { .. } | UserInput::Mention { .. } => false,
    })
}

fn render(input: &[UserInput], senses: Senses) -> Box<RawValue> {
    let mut content = Vec::new();
    let (mut images, mut audios) = (0, 0);
    for part in input {
        match part {
            UserInput::Text { text, .. } => content.push(Part::InputText { text: text.clone() }),
            UserInput::Image { source, detail } => {
                images += 1;
                content.push(image(source, *detail, senses.sight));
            }
            UserInput::LocalImage { path, detail } => {
                images += 1;
                content.extend(local_image(path, *detail, senses.sight, images));
            }
            UserInput::Audio { source } => {
                audios += 1;
                content.push(audio(source, senses.hearing));
            }
            UserInput::LocalAudio { path } => {
                audios += 1;
                content.extend(local_audio(path, senses.hearing, audios));
            }
            // Neither is text of its own: a skill brings its file along, a mention is for the client.
            UserInput::Skill { .. } | UserInput::Mention { .. } => {}
        }
    }
    raw(&Message { kind: "message", id: item_id("msg"), role: "user", content })
}

fn image(source: &MediaSource, detail: Option<ImageDetail>, sight: Sight) -> Part {
    if sight == Sight::Blind {
        return text(NO_IMAGES);
    }
    let unseen = |image_url, file_id| {
        let detail = sight.detail(detail);
        Part::InputImage { image_url, file_id, detail }
    };
    match source {
        MediaSource::File { file_id } => unseen(None, Some(file_id.clone())),
        MediaSource::Url { url } if picture::data_of(url).is_none() => {
            unseen(Some(url.clone()), None)
        }
        MediaSource::Url { url } => {
            let bytes = picture::decode_url(url).ok_or(picture::Error::Undecodable);
            let fitted = bytes.and_then(|bytes| picture::fit(&bytes, sight.limits()));
            shown(fitted, detail, sight)
        }
    }
}

/// A picture that has been fitted, or a note in its place.
fn shown(
    fitted: Result<String, picture::Error>,
    detail: Option<ImageDetail>,
    sight: Sight,
) -> Part {
    match (fitted, sight.detail_fitted(detail)) {
        (Err(error), _) => text(format!("[an image was left out: {error}]")),
        (Ok(_), None) => text(
            "[an image was left out: detail \"low\" is not supported, only auto, high and original]",
        ),
        (Ok(url), Some(detail)) => Part::InputImage { image_url: Some(url), file_id: None, detail },
    }
}

fn local_image(path: &Path, detail: Option<ImageDetail>, sight: Sight, number: usize) -> Vec<Part> {
    let place = path.display();
    let part = match sight {
        Sight::Blind => text(NO_IMAGES),
        Sight::Reduced | Sight::Full => match picture::of_file(path, sight.limits()) {
            Err(picture::Error::Unreadable(error)) => {
                return vec![text(format!("[the image {place} cannot be read: {error}]"))];
            }
            fitted => shown(fitted, detail, sight),
        },
    };
    let opening = format!("<image name=[Image #{number}] path=\"{place}\">");
    vec![text(opening), part, text("</image>")]
}

fn audio(source: &MediaSource, hearing: Hearing) -> Part {
    match (hearing, source) {
        (Hearing::Deaf, _) => text(NO_AUDIO),
        (Hearing::Audio, MediaSource::Url { url }) => {
            Part::InputAudio { audio_url: Some(url.clone()), file_id: None }
        }
        (Hearing::Audio, MediaSource::File { file_id }) => {
            Part::InputAudio { audio_url: None, file_id: Some(file_id.clone()) }
        }
    }
}

fn local_audio(path: &Path, hearing: Hearing, number: usize) -> Vec<Part> {
    let place = path.display();
    let part = match hearing {
        Hearing::Deaf => text(NO_AUDIO),
        Hearing::Audio => match picture::read(path) {
            Err(error) => {
                return vec![text(format!("[the audio file {place} cannot be read: {error}]"))];
            }
            Ok(bytes) => {
                let url = picture::data_url(audio_kind(path, &bytes), &bytes);
                Part::InputAudio { audio_url: Some(url), file_id: None }
            }
        },
    };
    let opening = format!("<audio name=[Audio #{number}] path=\"{place}\">");
    vec![text(opening), part, text("</audio>")]
}

/// The type of a sound by its first bytes, or by what its file is called.
fn audio_kind(path: &Path, bytes: &[u8]) -> &'static str {
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "audio/wav",
        [b'I', b'D', b'3', ..] | [0xff, 0xe0..=0xff, ..] => "audio/mpeg",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "audio/mp4",
        _ => match path.extension().and_then(|extension| extension.to_str()) {
            Some("mp3") => "audio/mpeg",
            Some("aac") => "audio/aac",
            Some("webm") => "audio/webm",
            _ => "audio/wav",
        },
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

fn text(text: impl Into<String>) -> Part {
    Part::InputText { text: text.into() }
}
