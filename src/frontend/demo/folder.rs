//! The folder that the demonstration plays in: a home, a working folder, and nothing of the user's.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// The folder; it is removed, with all that is in it, when this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn create() -> io::Result<Self> {
        let name = format!("app-server-demo-{}", Uuid::new_v4());
        let root = fs::canonicalize(std::env::temp_dir())?.join(name);
        DirBuilder::new().mode(0o700).create(&root)?;
        let folder = Self { root };
        fs::create_dir(folder.home())?;
        fs::create_dir(folder.work())?;
        Ok(folder)
    }

    /// Stands for the user's own home folder, so that their shell's start-up files are left alone.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The server's home.
    pub(super) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// Where commands run.
    pub(super) fn work(&self) -> PathBuf {
        self.root.join("work")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays in the temporary one is a nuisance, but no reason to fail.
        drop(fs::remove_dir_all(&self.root));
    }
}
