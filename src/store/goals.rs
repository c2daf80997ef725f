//! The goals of threads: one small file each, `goals/<thread id>.json`.
//!
//! A goal changes with every model response, is asked for without loading its thread, and is nobody's history, so it
//! does not stand in the rollout; there, a line tells only that it was set, for the thread's preview. Other servers of
//! the home write that line, too, but keep what became of the goal elsewhere: it must not be read as a goal.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::file;
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
        let write = || {
            fs::create_dir_all(&self.folder)?;
            file::replace(&path, &serde_json::to_vec(goal)?)
        };
        write().map_err(Error::io(&path))
    }

    /// Forgets a goal; `false` if there was none.
    pub(super) fn clear(&self, id: &ThreadId) -> Result<bool, Error> {
        let path = self.path(id);
        file::remove(&path).map_err(Error::io(&path))
    }

    fn path(&self, id: &ThreadId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}
