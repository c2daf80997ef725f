//! Editing the user's `config.toml` in place: what an edit does not touch keeps its bytes, and readers see the old
//! file or the new one, never a part.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use toml_edit::{DocumentMut, Item, Table};

use crate::util::private;

/// Why the user's configuration was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error("failed to read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("failed to parse {}", path.display())]
    Parse { path: PathBuf, source: toml_edit::TomlError },
    #[error("failed to write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Edits `config.toml` below `home`. A missing file is made, readable by the user only; a symlink is followed and
/// stays; an edit that changes nothing, or is refused, writes nothing.
pub(super) fn user_file<T, E: From<EditError>>(
    home: &Path,
    edit: impl FnOnce(&mut DocumentMut) -> Result<T, E>,
) -> Result<T, E> {
    // Two edits of one process must not start from the same text.
    static EDITING: Mutex<()> = Mutex::new(());
    let _editing = EDITING.lock().unwrap_or_else(PoisonError::into_inner);
    let path = target(&home.join("config.toml"));
    let before = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(EditError::Read { path, source }.into()),
    };
    let mut document: DocumentMut = match before.parse() {
        Ok(document) => document,
        Err(source) => return Err(EditError::Parse { path, source }.into()),
    };
    let edited = edit(&mut document)?;
    let after = document.to_string();
    if after != before {
        replace(&path, &after).map_err(|source| EditError::Write { path, source })?;
    }
    Ok(edited)
}

/// A table that is there for what is put into it, and has no header of its own.
pub(super) fn implicit_table() -> Item {
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

/// The file that a path leads to, also when a symlink points to a file that is not there yet.
fn target(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // As many links as the system itself would follow.
    for _ in 0..40 {
        match (fs::read_link(&path), path.parent()) {
            (Ok(link), Some(parent)) => path = parent.join(link),
            _ => break,
        }
    }
    path
}

/// Replaces a file, which keeps its mode; a new one is the user's alone.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mode = fs::metadata(path)
        .map_or(private::PRIVATE, |metadata| metadata.permissions().mode() & 0o7777);
    private::replace(path, text.as_bytes(), mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set(document: &mut DocumentMut) -> Result<(), EditError> {
        document["model"] = toml_edit::value("x");
        Ok(())
    }

    #[test]
    fn a_new_file_is_private_and_an_old_one_keeps_its_mode() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config.toml");
        user_file(home.path(), set).unwrap();
        assert_eq!(
            (fs::read_to_string(&file).unwrap().as_str(), mode(&file)),
            ("model = \"x\"\n", 0o600)
        );
        fs::write(&file, "# a\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        user_file(home.path(), set).unwrap();
        assert_eq!(
            (fs::read_to_string(&file).unwrap().as_str(), mode(&file)),
            ("model = \"x\"\n# a\n", 0o644)
        );
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_symlink_is_followed_and_kept() {
        let home = tempfile::tempdir().unwrap();
        let (file, real) = (home.path().join("config.toml"), home.path().join("real.toml"));
        std::os::unix::fs::symlink("real.toml", &file).unwrap();
        user_file(home.path(), set).unwrap();
        assert!(file.is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "model = \"x\"\n");
    }

    #[test]
    fn a_broken_file_stays() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config.toml");
        fs::write(&file, "model = = 1\n").unwrap();
        assert!(matches!(user_file(home.path(), set), Err(EditError::Parse { .. })));
        assert_eq!(fs::read_to_string(&file).unwrap(), "model = = 1\n");
    }
}
