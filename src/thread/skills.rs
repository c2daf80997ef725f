//! Skills in a thread: which the model is told of, and which come with an input.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::value::RawValue;

use super::actor::Actor;
use super::context::message;
use crate::extension::skills::{Found, listing};
use crate::protocol::UserInput;

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
        let found = self.shared.skills.at(&self.settings.cwd, &self.config);
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
            match read(skill.path()) {
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

/// The text of a skill. A file that is larger than any model could take in is refused, and never read whole.
fn read(path: &Path) -> io::Result<String> {
    // Opening a pipe could have us wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
    match text.len() as u64 > MOST {
        true => Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 MiB")),
        false => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{MOST, read};

    #[test]
    fn skills_are_read_within_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("SKILL.md");
        fs::write(&path, "x".repeat(MOST as usize)).unwrap();
        assert_eq!(read(&path).unwrap().len() as u64, MOST);
        fs::write(&path, "x".repeat(MOST as usize + 1)).unwrap();
        assert_eq!(read(&path).unwrap_err().to_string(), "it is larger than 1 MiB");
        assert_eq!(read(folder.path()).unwrap_err().to_string(), "it is not a regular file");
    }
}
