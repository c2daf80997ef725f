//! Searching folders for skills, within bounds: a root may be anything, also a link to `/`.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Found, Skill, manifest};
use crate::protocol::{SkillErrorInfo, SkillScope};

/// How deep below a root skills are looked for.
const MAX_DEPTH: usize = 6;
/// How many folders are looked into for one root.
const MAX_FOLDERS: usize = 2000;

const MANIFEST: &str = "SKILL.md";

/// How a file or folder was when it was looked at; `None` for what was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(Option<(SystemTime, u64)>);

impl Stamp {
    pub(super) fn of(path: &Path) -> Self {
        Self(fs::metadata(path).and_then(|found| Ok((found.modified()?, found.len()))).ok())
    }
}

/// Everything below the roots; what is there under several names is there once.
pub(super) fn scan(roots: &[(PathBuf, SkillScope)]) -> Found {
    let mut found = Found::default();
    let mut known = HashSet::new();
    for (root, scope) in roots {
        for folder in folders(root, &mut found) {
            let file = folder.join(MANIFEST);
            found.see(&file);
            // A link means what it leads to.
            let Ok(file) = fs::canonicalize(&file) else { continue };
            if !file.is_file() || !known.insert(file.clone()) {
                continue;
            }
            found.see(&manifest::metadata_file(&file));
            match manifest::read(&file, *scope) {
                Ok((metadata, offer)) => {
                    found.skills.push(Skill { metadata, root: root.clone(), offer });
                }
                Err(message) => {
                    let path = file.display().to_string();
                    found.problems.push(SkillErrorInfo { path, message });
                }
            }
        }
    }
    found.skills.sort_by(|a, b| key(a).cmp(&key(b)));
    found
}

fn key(skill: &Skill) -> (SkillScope, &str, &Path) {
    (skill.metadata.scope, skill.name(), skill.path())
}

impl Found {
    /// Remembers how `path` is now, before it is read.
    fn see(&mut self, path: &Path) {
        self.seen.push((path.to_owned(), Stamp::of(path)));
    }
}

/// The root and the folders below it, breadth first; hidden ones are left out.
fn folders(root: &Path, found: &mut Found) -> Vec<PathBuf> {
    found.see(root);
    let mut all = vec![root.to_owned()];
    let mut level = 0..1;
    for _ in 0..MAX_DEPTH {
        for at in level.clone() {
            let mut below = children(&all[at]);
            below.sort_unstable();
            below.truncate(MAX_FOLDERS.saturating_sub(all.len()));
            below.iter().for_each(|folder| found.see(folder));
            all.append(&mut below);
        }
        level = level.end..all.len();
    }
    all
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect()
}
