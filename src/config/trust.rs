//! Projects: where one begins, whether the user trusts it, and how that is written down.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml_edit::{Item, Table};

use super::edit;
use crate::util::file::read_text;

/// How large a file may be that only names a place, in bytes.
const MAX_POINTER: u64 = 64 << 10;

/// What the user said about a project.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    #[default]
    Undecided,
    Trusted,
    Untrusted,
}

/// The project of a working directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) trust: Trust,
    /// The folder that trust is written for; none for a plain folder, which is not a project.
    pub(super) root: Option<PathBuf>,
    /// The folders from the project's root down to the working directory.
    pub(super) folders: Vec<PathBuf>,
}

impl Project {
    /// The project of `cwd`, judged by settings that come from no project.
    pub(super) fn of(cwd: &Path, settings: &Map<String, Value>, markers: &[String]) -> Self {
        let real = fs::canonicalize(cwd).unwrap_or_else(|_| cwd.to_owned());
        let marked = marked_root(cwd, markers);
        let repository = repository_root(&real);
        let start = marked.as_deref().unwrap_or(cwd);
        let mut folders: Vec<PathBuf> =
            cwd.ancestors().take_while(|dir| dir.starts_with(start)).map(Path::to_owned).collect();
        folders.reverse();
        let keys = [Some(cwd), Some(real.as_path()), marked.as_deref(), repository.as_deref()];
        let trust =
            keys.into_iter().flatten().find_map(|key| level(settings, key)).unwrap_or_default();
        let configured = folders.iter().any(|folder| folder.join(".codex").is_dir());
        let root = repository.or_else(|| (marked.is_some() || configured).then_some(real));
        Self { trust, root, folders }
    }

    /// The folder that trust in the project is about.
    pub(super) fn place(&self) -> &Path {
        self.root.as_ref().or(self.folders.first()).map_or(Path::new(""), PathBuf::as_path)
    }

    /// Why the project's settings do not count, if they do not; `user` is the file where that can be changed.
    pub(super) fn disabled_reason(&self, user: &Path) -> Option<String> {
        let (place, user) = (self.place().display(), user.display());
        match self.trust {
            Trust::Trusted => None,
            Trust::Undecided => Some(format!(
                "The project is not trusted. Its settings, hooks and exec policies are used once {user} says that \
                 {place} is a trusted project."
            )),
            Trust::Untrusted => Some(format!(
                "{user} marks {place} as untrusted, so that its settings, hooks and exec policies are not used."
            )),
        }
    }
}

/// The nearest folder at or above `cwd` that holds one of `markers`.
pub(crate) fn marked_root(cwd: &Path, markers: &[String]) -> Option<PathBuf> {
    let holds =
        |dir: &&Path| markers.iter().any(|marker| !marker.is_empty() && dir.join(marker).exists());
    cwd.ancestors().find(holds).map(Path::to_owned)
}

/// Appends `root` as a trusted project to the user's configuration, unless something is said about it already.
pub(crate) fn write_trust(home: &Path, root: &Path) -> Result<(), edit::EditError> {
    let key = root.to_string_lossy();
    edit::user_file(home, |document| {
        let projects = document.entry("projects").or_insert_with(edit::implicit_table);
        if let Item::Value(toml_edit::Value::InlineTable(inline)) = projects {
            *projects = Item::Table(std::mem::take(inline).into_table());
        }
        let Some(projects) = projects.as_table_mut() else { return Ok(()) };
        if !projects.contains_key(&key) {
            projects.insert(&key, Item::Table(Table::new()));
        }
        if let Some(project) = projects.get_mut(&key).and_then(Item::as_table_like_mut)
            && !project.contains_key("trust_level")
        {
            project.insert("trust_level", toml_edit::value("trusted"));
        }
        Ok(())
    })
}

fn level(settings: &Map<String, Value>, key: &Path) -> Option<Trust> {
    let project = settings.get("projects")?.get(key.to_str()?)?;
    match project.get("trust_level")?.as_str()? {
        "trusted" => Some(Trust::Trusted),
        "untrusted" => Some(Trust::Untrusted),
        _ => None,
    }
}

/// The folder of the git repository around `dir`; for a linked worktree that of the main repository.
fn repository_root(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().find_map(|root| {
        let git = root.join(".git");
        if git.join("HEAD").exists() {
            return Some(root.to_owned());
        }
        let pointer = read_text(&git, MAX_POINTER).ok()?;
        let target = root.join(pointer.strip_prefix("gitdir:")?.trim());
        Some(main_repository(&target).unwrap_or_else(|| root.to_owned()))
    })
}

/// The repository that a worktree's administrative folder, `<repository>/.git/worktrees/<name>`, belongs to.
fn main_repository(target: &Path) -> Option<PathBuf> {
    let common = read_text(&target.join("commondir"), MAX_POINTER).ok()?;
    let common = fs::canonicalize(target.join(common.trim())).ok()?;
    (common.file_name()? == ".git").then(|| common.parent().map(Path::to_owned))?
}

#[cfg(test)]
mod tests;
