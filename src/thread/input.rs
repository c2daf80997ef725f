//! What a user says: checking it, and turning it into the message that the model reads.

use std::io;
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

const NO_IMAGES: &str = "an image was left out: this model takes no images";
const NO_AUDIO: &str = "a sound was left out: this model takes no audio";
const NO_LOW_DETAIL: &str =
    "an image was left out: detail \"low\" is not supported, only auto, high and original";

/// An input as a model is sent it.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(super) message: Box<RawValue>,
    /// Why the model is not shown some of it. It is told the same in the place of what is missing.
    pub(super) left_out: Vec<String>,
}

/// Refuses what cannot be sent to a model.
pub(crate) fn check(input: &[UserInput]) -> Result<()> {
    let mut chars = 0;
    for part in input {
        match part {
            UserInput::Text { text, .. } => chars += text.chars().count(),
            UserInput::Image { source: MediaSource::Url { url }, .. } => check_image_url(url)?,
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

/// Providers have URLs of their own for what they keep, so those of other schemes pass.
fn check_image_url(url: &str) -> Result<()> {
    let refusal = match url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()) {
        Some(scheme) if scheme == "http" || scheme == "https" => {
            "remote image URLs are not supported; use an inline data URL instead"
        }
        Some(scheme) if scheme == "file" => {
            "an image's `url` cannot be a file; use an input of type `localImage` with its path"
        }
        Some(scheme) if !scheme.is_empty() => return Ok(()),
        _ => "an image's `url` must be a URL, such as `data:image/png;base64,…`",
    };
    Err(Error::Refused(refusal.to_owned()))
}

/// The user message for a model with these senses. Reads the files that the input names, and makes pictures fit:
/// somewhere else, since that may take seconds.
pub(super) async fn message(input: Vec<UserInput>, senses: Senses) -> Rendered {
    let without = render(&input, Senses::NONE);
    picture::apart(move || render(&input, senses)).await.unwrap_or(without)
}

/// The user message of an input without media.
pub(super) fn text_message(input: &[UserInput]) -> Rendered {
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

fn render(input: &[UserInput], senses: Senses) -> Rendered {
    let mut rendering = Rendering::default();
    input.iter().for_each(|part| rendering.take(part, senses));
    let Rendering { content, left_out, .. } = rendering;
    let message = raw(&Message { kind: "message", id: item_id("msg"), role: "user", content });
    Rendered { message, left_out }
}

/// A picture or a sound, or why there is none.
type Medium = std::result::Result<Part, String>;

/// A message that is being put together.
#[derive(Default)]
struct Rendering {
    content: Vec<Part>,
    left_out: Vec<String>,
    images: usize,
    audios: usize,
}

impl Rendering {
    fn take(&mut self, part: &UserInput, senses: Senses) {
        match part {
            UserInput::Text { text, .. } => self.say(text.clone()),
            UserInput::Image { source, detail } => {
                self.images += 1;
                self.show(image(source, *detail, senses.sight));
            }
            UserInput::LocalImage { path, detail } => {
                self.images += 1;
                match local_image(path, *detail, senses.sight) {
                    Ok(image) => self.show_file("image", "Image", self.images, path, image),
                    Err(error) => self.miss("image", path, &error),
                }
            }
            UserInput::Audio { source } => {
                self.audios += 1;
                self.show(audio(source, senses.hearing));
            }
            UserInput::LocalAudio { path } => {
                self.audios += 1;
                match local_audio(path, senses.hearing) {
                    Ok(audio) => self.show_file("audio", "Audio", self.audios, path, audio),
                    Err(error) => self.miss("audio file", path, &error),
                }
            }
            // Neither is text of its own: a skill brings its file along, a mention is for the client.
            UserInput::Skill { .. } | UserInput::Mention { .. } => {}
        }
    }

    fn say(&mut self, text: String) {
        self.content.push(Part::InputText { text });
    }

    fn show(&mut self, medium: Medium) {
        match medium {
            Ok(part) => self.content.push(part),
            Err(why) => {
                self.say(format!("[{why}]"));
                self.left_out.push(why);
            }
        }
    }

    fn show_file(&mut self, tag: &str, name: &str, number: usize, path: &Path, medium: Medium) {
        self.say(format!("<{tag} name=[{name} #{number}] path=\"{}\">", path.display()));
        self.show(medium);
        self.say(format!("</{tag}>"));
    }

    fn miss(&mut self, what: &str, path: &Path, error: &io::Error) {
        self.show(Err(format!("the {what} {} cannot be read: {error}", path.display())));
    }
}

fn image(source: &MediaSource, detail: Option<ImageDetail>, sight: Sight) -> Medium {
    if sight == Sight::Blind {
        return Err(NO_IMAGES.to_owned());
    }
    let unseen = |image_url, file_id| {
        let detail = sight.detail(detail);
        Ok(Part::InputImage { image_url, file_id, detail })
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

/// A picture that has been fitted.
fn shown(
    fitted: std::result::Result<String, picture::Error>,
    detail: Option<ImageDetail>,
    sight: Sight,
) -> Medium {
    match (fitted, sight.detail_fitted(detail)) {
        (Err(error), _) => Err(format!("an image was left out: {error}")),
        (Ok(_), None) => Err(NO_LOW_DETAIL.to_owned()),
        (Ok(url), Some(detail)) => {
            Ok(Part::InputImage { image_url: Some(url), file_id: None, detail })
        }
    }
}

fn local_image(path: &Path, detail: Option<ImageDetail>, sight: Sight) -> io::Result<Medium> {
    if sight == Sight::Blind {
        return Ok(Err(NO_IMAGES.to_owned()));
    }
    match picture::of_file(path, sight.limits()) {
        Err(picture::Error::Unreadable(error)) => Err(error),
        fitted => Ok(shown(fitted, detail, sight)),
    }
}

fn audio(source: &MediaSource, hearing: Hearing) -> Medium {
    match (hearing, source) {
        (Hearing::Deaf, _) => Err(NO_AUDIO.to_owned()),
        (Hearing::Audio, MediaSource::Url { url }) => {
            Ok(Part::InputAudio { audio_url: Some(url.clone()), file_id: None })
        }
        (Hearing::Audio, MediaSource::File { file_id }) => {
            Ok(Part::InputAudio { audio_url: None, file_id: Some(file_id.clone()) })
        }
    }
}

fn local_audio(path: &Path, hearing: Hearing) -> io::Result<Medium> {
    if hearing == Hearing::Deaf {
        return Ok(Err(NO_AUDIO.to_owned()));
    }
    let bytes = picture::read(path)?;
    let url = picture::data_url(audio_kind(path, &bytes), &bytes);
    Ok(Ok(Part::InputAudio { audio_url: Some(url), file_id: None }))
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
