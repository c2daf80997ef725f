//! Which files an edit may touch under a workspace-write policy: symlinks are followed, protected folders excepted.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use crate::util::file::read_text;
use crate::util::path::{absolute, normalize};

/// Folders at the top of a writable root that stay as they are: they decide what runs later.
pub(crate) const PROTECTED: [&str; 4] = [".git", ".agents", ".codex", ".aws"];
/// How many symlinks a path may lead through.
const MAX_LINKS: usize = 40;
/// How large a file may be that only names a place, in bytes.
const MAX_POINTER: u64 = 64 << 10;

/// Whether a path lies in one of the roots and in no protected folder of any.
pub(crate) fn is_writable(path: &Path, roots: &[PathBuf]) -> bool {
    let Some(resolved) = resolve(path) else { return false };
    let inside =
        roots.iter().filter_map(|root| resolve(root)).any(|root| resolved.starts_with(root));
    inside && !is_protected(path, roots)
}

/// Whether a path leads into a protected folder of a root, by its name or by where it ends up.
pub(crate) fn is_protected(path: &Path, roots: &[PathBuf]) -> bool {
    let named = normalize(path);
    let Some(resolved) = resolve(path) else { return true };
    roots.iter().any(|root| {
        let resolved_root = resolve(root).unwrap_or_else(|| root.clone());
        PROTECTED.iter().any(|name| {
            let at_root = [root.join(name), resolved_root.join(name)];
            at_root
                .iter()
                .any(|protected| named.starts_with(protected) || resolved.starts_with(protected))
                || resolve(&at_root[0]).is_some_and(|target| resolved.starts_with(target))
        }) || git_folder(root).is_some_and(|folder| resolved.starts_with(folder))
    })
}

/// The folder that a `.git` file at the top of a root points to.
pub(crate) fn git_folder(root: &Path) -> Option<PathBuf> {
    let text = read_text(&root.join(".git"), MAX_POINTER).ok()?;
    let target = text.lines().find_map(|line| line.strip_prefix("gitdir:"))?.trim();
    resolve(&absolute(root, Path::new(target)))
}

/// The path with all symlinks followed, as far as it exists; `None` when they go in circles.
fn resolve(path: &Path) -> Option<PathBuf> {
    let mut resolved = PathBuf::new();
    let mut pending: VecDeque<OsString> = components(path);
    let mut links = 0;
    while let Some(part) = pending.pop_front() {
        match Path::new(&part).components().next() {
            Some(Component::RootDir) => resolved = PathBuf::from("/"),
            Some(Component::ParentDir) => {
                resolved.pop();
            }
            Some(Component::CurDir) | None => {}
            Some(Component::Prefix(_) | Component::Normal(_)) => {
                resolved.push(&part);
                let Ok(target) = std::fs::read_link(&resolved) else { continue };
                links += 1;
                if links > MAX_LINKS {
                    return None;
                }
                resolved.pop();
                for part in components(&target).into_iter().rev() {
                    pending.push_front(part);
                }
            }
        }
    }
    Some(resolved)
}

fn components(path: &Path) -> VecDeque<OsString> {
    path.components().map(|component| component.as_os_str().to_owned()).collect()
}

#[cfg(test)]
mod tests;
