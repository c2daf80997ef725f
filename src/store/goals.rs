//! The goals of threads: one small file each, `goals/<thread id>.json`.
//!
//! A goal changes with every model response, is asked for without loading its thread, and is nobody's history, so it
//! does not stand in the rollout; there, a line tells only that it was set, for the thread's preview. Other servers of
//! the home write that line, too, but keep what became of the goal elsewhere: it must not be read as a goal.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::error::Error;
use crate::protocol::{ThreadGoal, ThreadId};

/// The goals of one home.
#[derive(Debug)]
pub(super) struct Goals {
    folder: PathBuf,
}

impl Goals {
    pub(super) fn new(home: &Path) -> Self {
        Self { folder: home.join("goals") }
    }

    /// The goal of a thread. A file that cannot be read holds none.
    pub(super) fn get(&self, id: &ThreadId) -> Option<ThreadGoal> {
        serde_json::from_slice(&fs::read(self.path(id)).ok()?).ok()
    }

    /// Keeps a goal; a reader sees the old one or the new one.
    pub(super) fn set(&self, goal: &ThreadGoal) -> Result<(), Error> {
        let path = self.path(&goal.thread_id);
        let temporary = path.with_extension("json.tmp");
        let write = || {
            fs::create_dir_all(&self.folder)?;
            let mut file = File::create(&temporary)?;
            file.write_all(&serde_json::to_vec(goal)?)?;
            fs::rename(&temporary, &path)
        };
        write().map_err(Error::io(&path))
    }

    /// Forgets a goal; `false` if there was none.
    pub(super) fn clear(&self, id: &ThreadId) -> Result<bool, Error> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io(&path)(error)),
        }
    }

    fn path(&self, id: &ThreadId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}
