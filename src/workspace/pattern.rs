//! Which paths match a pattern now.
//!
//! For what commands are kept from: so it is an error not to have seen everything.

use std::io;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use ignore::overrides::OverrideBuilder;

/// How many files and folders are looked at.
const MOST_SEEN: usize = 100_000;
/// How many may match.
const MOST_MATCHES: usize = 1_000;

/// The files and folders below `folder` that match, whole folders without what is in them. `*` stays within a name,
/// `**` does not. Blocks.
pub(crate) fn matches(folder: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut builder = OverrideBuilder::new(folder);
    // Anchored: a pattern without a slash would match in any depth.
    builder.add(&format!("/{pattern}")).map_err(io::Error::other)?;
    let wanted = builder.build().map_err(io::Error::other)?;
    let mut found: Vec<PathBuf> = Vec::new();
    let walk = WalkBuilder::new(folder).standard_filters(false).follow_links(false).build();
    for (seen, entry) in walk.enumerate() {
        if seen == MOST_SEEN || found.len() == MOST_MATCHES {
            let (pattern, folder) = (pattern, folder.display());
            let refusal = format!("the pattern `{pattern}` in {folder} means too many files");
            return Err(io::Error::other(refusal));
        }
        let entry = entry.map_err(io::Error::other)?;
        let path = entry.path();
        if entry.depth() == 0 || found.last().is_some_and(|folder| path.starts_with(folder)) {
            continue;
        }
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        if wanted.matched(path, is_folder).is_whitelist() {
            found.push(path.to_owned());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in
            ["a.env", ".env", "b.txt", "sub/c.env", "sub/deep/d.env", "keys/one", "keys/two"]
        {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        for (pattern, wanted) in [
            ("*.env", vec![".env", "a.env"]),
            ("**/*.env", vec![".env", "a.env", "sub/c.env", "sub/deep/d.env"]),
            ("sub/?.env", vec!["sub/c.env"]),
            ("k*", vec!["keys"]),
            ("[ab].*", vec!["a.env", "b.txt"]),
            ("*.none", vec![]),
        ] {
            let mut found = matches(root, pattern).unwrap();
            found.sort();
            let wanted: Vec<_> = wanted.into_iter().map(|name| root.join(name)).collect();
            assert_eq!(found, wanted, "{pattern}");
        }
        assert_eq!(matches(&root.join("nowhere"), "*").unwrap(), Vec::<PathBuf>::new());
        assert!(matches(root, "[").is_err());
    }
}
