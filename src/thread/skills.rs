//! Skills in a thread: which the model is told of, and which come with an input.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::task::block_in_place;

use super::actor::Actor;
use super::context::message;
use crate::extension::skills::{Found, listing};
use crate::protocol::UserInput;
use crate::util::file::read_text;

/// How much of the model's window the list of skills may take, in hundredths.
const SHARE: i64 = 2;
/// What it may take in any case, in bytes.
const LEAST: usize = 8_000;

/// What the model is given of one skill, in bytes.
const MOST: u64 = 1 << 20;

/// What a thread knows of its skills.
#[derive(Debug, Default)]
pub(super) struct Known {
    found: Arc<Found>,
    /// What the model is told of them.
    pub(super) listing: Option<String>,
}

impl Actor {
    /// Looks for skills where the thread works now. Costs little when nothing has changed.
    pub(super) fn look_for_skills(&mut self) {
        // What has not been looked at yet may take a while: other threads go on meanwhile.
        let found = block_in_place(|| self.shared.skills.at(&self.settings.cwd, &self.config));
        if Arc::ptr_eq(&found, &self.skills.found) {
            return;
        }
        let tokens = self.window().unwrap_or_default() * SHARE / 100;
        let budget = usize::try_from(tokens * 4).unwrap_or_default().max(LEAST);
        let listing = listing(&found, &self.config, budget);
        if let Some(warning) = listing.as_ref().and_then(|listing| listing.warning.clone()) {
            self.warn(warning);
        }
        self.skills = Known { found, listing: listing.map(|listing| listing.text) };
    }

    /// The skills that an input names and that the turn has not been given, as messages.
    pub(super) fn skill_items(&mut self, input: &[UserInput]) -> Vec<Box<RawValue>> {
        let found = Arc::clone(&self.skills.found);
        let named = found.named(input, &self.config);
        let mut items = Vec::new();
        for skill in named {
            if !self.is_first_time(skill.path().to_owned()) {
                continue;
            }
            match block_in_place(|| read_text(skill.path(), MOST)) {
                Ok(text) => items.push(message(
                    "user",
                    &[format!(
                        "<skill>\n<name>{}</name>\n<path>{}</path>\n{text}\n</skill>",
                        skill.name(),
                        skill.path().display()
                    )],
                )),
                Err(error) => {
                    self.warn(format!("The skill `{}` cannot be read: {error}.", skill.name()));
                }
            }
        }
        items
    }

    fn is_first_time(&mut self, skill: PathBuf) -> bool {
        self.turn.as_mut().is_some_and(|turn| turn.skills.insert(skill))
    }
}
