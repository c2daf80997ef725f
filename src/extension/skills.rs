//! Skills: folders with a `SKILL.md` that tells a model how something is done. Where they are found, what is known of
//! them, and which ones an input names.
//!
//! Folders are searched when somebody asks, which is when a turn starts or a client lists. What was found is kept
//! with the times of all that was looked at, so that asking again costs a `stat` for each folder and file.

mod front_matter;
mod listing;
mod manifest;
mod roots;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use listing::{Listing, listing};

use self::scan::Stamp;
use crate::config::{Effective, marked_root};
use crate::protocol::{SkillErrorInfo, SkillMetadata, UserInput};

/// How many working directories are remembered.
const REMEMBERED: usize = 64;

/// A skill, as it was found. `enabled` in its metadata says nothing: that depends on who asks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Skill {
    pub(crate) metadata: SkillMetadata,
    /// The folder whose search has found it.
    root: PathBuf,
    offer: Offer,
}

/// Who may choose a skill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    /// The model, because it knows of it.
    ToModel,
    /// Only the user, by naming it.
    ByName,
}

impl Skill {
    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    pub(crate) fn path(&self) -> &Path {
        self.metadata.path.as_path()
    }
}

/// What was found for one working directory, sorted by scope and name.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) skills: Vec<Skill>,
    pub(crate) problems: Vec<SkillErrorInfo>,
    /// All that was looked at, and how it was.
    seen: Vec<(PathBuf, Stamp)>,
}

impl Found {
    fn is_fresh(&self) -> bool {
        self.seen.iter().all(|(path, stamp)| Stamp::of(path) == *stamp)
    }

    /// The enabled skills that an input names, in the order of the list: by `$name` in a text, by a link to their
    /// file, or as input of their own. A name that several skills have names none.
    pub(crate) fn named(&self, input: &[UserInput], config: &Effective) -> Vec<&Skill> {
        let mut named = Vec::new();
        for part in input {
            match part {
                UserInput::Text { text, .. } => named.extend(mentions(text)),
                UserInput::Skill { path, .. } => named.push(Mention::Path(path)),
                UserInput::Image { .. }
                | UserInput::LocalImage { .. }
                | UserInput::Audio { .. }
                | UserInput::LocalAudio { .. }
                | UserInput::Mention { .. } => {}
            }
        }
        let enabled: Vec<&Skill> = self
            .skills
            .iter()
            .filter(|skill| config.skills.enabled(skill.name(), skill.path()))
            .collect();
        let means = |mention: &Mention<'_>, skill: &Skill| match mention {
            Mention::Path(path) => *path == skill.path(),
            Mention::Name(name) => {
                *name == skill.name()
                    && enabled.iter().filter(|other| other.name() == *name).count() == 1
            }
        };
        let is_named = |skill: &&Skill| named.iter().any(|mention| means(mention, skill));
        enabled.iter().copied().filter(is_named).collect()
    }
}

enum Mention<'a> {
    Name(&'a str),
    Path(&'a Path),
}

/// `$name` and `[$name](path)` in a text.
fn mentions(text: &str) -> impl Iterator<Item = Mention<'_>> {
    text.match_indices('$').map(|(at, _)| {
        let rest = &text[at + 1..];
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let link = behind.strip_prefix("](").and_then(|link| link.split_once(')'));
        match link {
            Some((path, _)) => Mention::Path(Path::new(path)),
            None => Mention::Name(name.trim_end_matches(':')),
        }
    })
}

/// The skills of a process: what was found, and roots that a client has added.
#[derive(Debug)]
pub(crate) struct Skills {
    home: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    extra: Vec<PathBuf>,
    found: HashMap<(PathBuf, PathBuf), Arc<Found>>,
}

impl Skills {
    pub(crate) fn new(home: PathBuf) -> Self {
        Self { home, state: Mutex::default() }
    }

    /// The skills for a working directory. Blocks on the file system.
    pub(crate) fn at(&self, cwd: &Path, config: &Effective) -> Arc<Found> {
        let root = marked_root(cwd, &config.project_root_markers).unwrap_or_else(|| cwd.to_owned());
        let key = (cwd.to_owned(), root);
        let known = self.lock().found.get(&key).cloned();
        match known.filter(|found| found.is_fresh()) {
            Some(found) => found,
            None => self.search(key),
        }
    }

    /// As [`Self::at`], whatever is known.
    pub(crate) fn search_again(&self, cwd: &Path, config: &Effective) -> Arc<Found> {
        self.lock().found.clear();
        self.at(cwd, config)
    }

    /// Replaces the folders that are searched besides the usual ones.
    pub(crate) fn set_extra_roots(&self, roots: Vec<PathBuf>) {
        *self.lock() = State { extra: roots, found: HashMap::new() };
    }

    fn search(&self, key: (PathBuf, PathBuf)) -> Arc<Found> {
        let extra = self.lock().extra.clone();
        let found = Arc::new(scan::scan(&roots::roots(&self.home, &key.0, &key.1, &extra)));
        let mut state = self.lock();
        if state.found.len() >= REMEMBERED {
            state.found.clear();
        }
        // Roots that have changed meanwhile make the result one for this call only.
        if state.extra == extra {
            state.found.insert(key, Arc::clone(&found));
        }
        found
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
