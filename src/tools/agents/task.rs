//! What an agent is told: words, or parts. It is checked before anything is done with it.

use serde::Deserialize;

use crate::protocol::{MediaSource, UserInput};
use crate::thread::check_input;
use crate::tools::Outcome;

#[derive(Debug, Deserialize)]
pub(super) struct Task {
    message: Option<String>,
    items: Option<Vec<Part>>,
}

/// A part of a task.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text { text: String },
    Image { image_url: String },
    LocalImage { path: String },
    Audio { audio_url: String },
    LocalAudio { path: String },
    Skill { name: String, path: String },
    Mention { name: String, path: String },
}

impl Task {
    /// The task as input, and as clients show it.
    pub(super) fn input(self) -> Result<(Vec<UserInput>, String), Outcome> {
        let (input, shown) = self.parts()?;
        check_input(&input).map_err(|refusal| Outcome::text(refusal.to_string()))?;
        Ok((input, shown))
    }

    fn parts(self) -> Result<(Vec<UserInput>, String), Outcome> {
        match (self.message, self.items) {
            (Some(message), None) if message.trim().is_empty() => {
                Err(Outcome::text("an agent cannot be given an empty message"))
            }
            (Some(message), None) => Ok((vec![UserInput::text(&message)], message)),
            (None, Some(items)) if items.is_empty() => {
                Err(Outcome::text("an agent cannot be given an empty list of items"))
            }
            (None, Some(items)) => {
                let shown: Vec<&str> = items.iter().filter_map(Part::text).collect();
                let shown = shown.join("\n");
                Ok((items.into_iter().map(UserInput::from).collect(), shown))
            }
            (None, None) | (Some(_), Some(_)) => {
                Err(Outcome::text("give either message or items, and not both"))
            }
        }
    }
}

impl Part {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::Image { .. }
            | Self::LocalImage { .. }
            | Self::Audio { .. }
            | Self::LocalAudio { .. }
            | Self::Skill { .. }
            | Self::Mention { .. } => None,
        }
    }
}

impl From<Part> for UserInput {
    fn from(part: Part) -> Self {
        match part {
            Part::Text { text } => Self::text(&text),
            Part::Image { image_url: url } => {
                Self::Image { source: MediaSource::Url { url }, detail: None }
            }
            Part::LocalImage { path } => Self::LocalImage { path: path.into(), detail: None },
            Part::Audio { audio_url: url } => Self::Audio { source: MediaSource::Url { url } },
            Part::LocalAudio { path } => Self::LocalAudio { path: path.into() },
            Part::Skill { name, path } => Self::Skill { name, path: path.into() },
            Part::Mention { name, path } => Self::Mention { name, path: path.into() },
        }
    }
}
