//! The folders that are searched for skills, most specific first.

use std::path::{Path, PathBuf};

use crate::protocol::SkillScope;

/// Skills of the machine.
const ADMIN: &str = "/etc/codex/skills";

/// Where repositories keep skills.
const OF_REPOSITORY: [&str; 2] = [".agents/skills", ".codex/skills"];

/// The folders for `cwd`, whose repository begins at `root`.
pub(super) fn roots(
    home: &Path,
    cwd: &Path,
    root: &Path,
    extra: &[PathBuf],
) -> Vec<(PathBuf, SkillScope)> {
    let folders = cwd.ancestors().take_while(|folder| folder.starts_with(root));
    let repository = folders.flat_map(|folder| OF_REPOSITORY.map(|name| folder.join(name)));
    let own = std::env::var_os("HOME").map(|home| Path::new(&home).join(OF_REPOSITORY[0]));
    let user = [home.join("skills")].into_iter().chain(own).chain(extra.iter().cloned());
    repository
        .map(|folder| (folder, SkillScope::Repo))
        .chain(user.map(|folder| (folder, SkillScope::User)))
        .chain([
            (home.join("skills/.system"), SkillScope::System),
            (PathBuf::from(ADMIN), SkillScope::Admin),
        ])
        .collect()
}
