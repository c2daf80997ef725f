//! A repository's branch, commit and origin, read from its files: no child process, a few small reads.

use std::path::{Path, PathBuf};

use crate::protocol::GitInfo;
use crate::util::file::read_text;

/// How large a file may be that holds one name, and one that holds many, in bytes.
const SMALL: u64 = 64 << 10;
const LARGE: u64 = 64 << 20;

/// What the repository around `cwd` says of itself; `None` outside of one.
pub(crate) fn info(cwd: &Path) -> Option<GitInfo> {
    let repository = cwd.ancestors().find_map(|folder| repository(&folder.join(".git")))?;
    let head = read_text(&repository.join("HEAD"), SMALL).ok()?;
    let head = head.trim();
    let common = common(&repository);
    let (branch, sha) = match head.strip_prefix("ref: ") {
        Some(name) => (
            name.strip_prefix("refs/heads/").map(str::to_owned),
            resolve(&repository, &common, name),
        ),
        None => (None, Some(head.to_owned())),
    };
    let info = GitInfo { sha, branch, origin_url: origin(&common) };
    let known = info.sha.is_some() || info.branch.is_some() || info.origin_url.is_some();
    known.then_some(info)
}

/// The folder that `.git` is, or names.
fn repository(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git.to_owned());
    }
    let pointer = read_text(git, SMALL).ok()?;
    let target = pointer.trim().strip_prefix("gitdir:")?.trim();
    Some(git.parent()?.join(target))
}

/// Where refs and configuration are: a linked work tree shares those of its main repository.
fn common(repository: &Path) -> PathBuf {
    match read_text(&repository.join("commondir"), SMALL) {
        Ok(target) => repository.join(target.trim()),
        Err(_) => repository.to_owned(),
    }
}

/// The commit that a ref stands for, loose or packed.
fn resolve(repository: &Path, common: &Path, name: &str) -> Option<String> {
    let loose =
        [repository, common].iter().find_map(|folder| read_text(&folder.join(name), SMALL).ok());
    if let Some(sha) = loose {
        return Some(sha.trim().to_owned());
    }
    let packed = read_text(&common.join("packed-refs"), LARGE).ok()?;
    let sha = packed.lines().find_map(|line| line.strip_suffix(name)?.strip_suffix(' '))?;
    Some(sha.to_owned())
}

/// The URL of the remote `origin`, without credentials.
fn origin(common: &Path) -> Option<String> {
    let config = read_text(&common.join("config"), LARGE).ok()?;
    let mut section = "";
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if section == r#"[remote "origin"]"#
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == "url"
        {
            return Some(without_credentials(value.trim()));
        }
    }
    None
}

fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write(root: &Path, name: &str, text: &str) {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn reads_loose_and_packed_refs_and_hides_credentials() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(info(root), None);
        write(root, ".git/HEAD", "ref: refs/heads/main\n");
        write(root, ".git/refs/heads/main", "aaaa\n");
        write(
            root,
            ".git/config",
            "[core]\n[remote \"origin\"]\n\turl = https://me:secret@example.com/r.git\n",
        );
        let found = info(&root.join("deep/er")).unwrap();
        assert_eq!(found.branch.as_deref(), Some("main"));
        assert_eq!(found.sha.as_deref(), Some("aaaa"));
        assert_eq!(found.origin_url.as_deref(), Some("https://example.com/r.git"));
        fs::remove_file(root.join(".git/refs/heads/main")).unwrap();
        write(root, ".git/packed-refs", "# pack-refs\nbbbb refs/heads/main\n");
        assert_eq!(info(root).unwrap().sha.as_deref(), Some("bbbb"));
    }

    #[test]
    fn reads_a_linked_work_tree() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root, "main/.git/refs/heads/topic", "cccc\n");
        write(root, "main/.git/worktrees/w/HEAD", "ref: refs/heads/topic\n");
        write(root, "main/.git/worktrees/w/commondir", "../..\n");
        write(root, "w/.git", "gitdir: ../main/.git/worktrees/w\n");
        let found = info(&root.join("w")).unwrap();
        assert_eq!((found.branch.as_deref(), found.sha.as_deref()), (Some("topic"), Some("cccc")));
    }
}
