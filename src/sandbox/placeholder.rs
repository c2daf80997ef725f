//! Places that do not exist and must not be made by a command: empty read-only folders stand there while it runs, for
//! only what exists can be mounted over.
//!
//! Several commands, of several servers too, may need the same one at the same time. Whoever uses it holds a shared
//! lock on it; who gets the lock alone at his end removes it. One that was left behind by a sudden end is known by its
//! mode and taken over by the next command.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::{Access, Confinement};

/// The mode by which a placeholder is known.
const MODE: u32 = 0o555;
/// How often somebody else may remove a placeholder while we are about to take it.
const ATTEMPTS: usize = 16;

/// The placeholders of one command; those that nobody else uses go with this value.
#[derive(Debug, Default)]
pub(super) struct Placeholders(Vec<(PathBuf, File)>);

impl Placeholders {
    /// Makes what is guarded and missing. Where that is not possible, the command cannot do it either.
    pub(super) fn make(confinement: &Confinement) -> Self {
        let guarded = confinement.rules.iter().filter(|rule| rule.access == Access::Guard);
        Self(guarded.filter_map(|rule| Some((rule.path.clone(), take(&rule.path)?))).collect())
    }
}

impl Drop for Placeholders {
    fn drop(&mut self) {
        for (path, lock) in &self.0 {
            if lock.try_lock().is_ok() {
                // Not empty any more: somebody outside wants it.
                let _kept = fs::remove_dir(path);
            }
        }
    }
}

/// Takes the placeholder at a path, or makes it; `None` where something else is.
fn take(path: &Path) -> Option<File> {
    for _ in 0..ATTEMPTS {
        match DirBuilder::new().mode(MODE).create(path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) => return None,
        }
        if !is_placeholder(path) {
            return None;
        }
        let Ok(folder) = File::open(path) else { continue };
        if folder.lock_shared().is_err() {
            return None;
        }
        if is_at(&folder, path) {
            return Some(folder);
        }
    }
    None
}

fn is_placeholder(path: &Path) -> bool {
    let is_ours = fs::symlink_metadata(path)
        .is_ok_and(|found| found.is_dir() && found.mode() & 0o777 == MODE);
    is_ours && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// Whether an open folder is still the one at a path.
fn is_at(folder: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (folder.metadata(), fs::symlink_metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (there.dev(), there.ino())
}
