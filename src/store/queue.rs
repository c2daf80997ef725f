//! The queues of threads: one small file each, `queues/<thread id>.json`, while something waits.
//!
//! Any server of the home may change the queue of any thread, also one that another server has loaded. So a queue is
//! read, changed and written under a lock, and nobody keeps a copy.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::file;
use crate::protocol::{QueuedSubmission, ThreadId};

/// A thread's queue, which nobody else changes while this lives.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) submissions: Vec<QueuedSubmission>,
    path: PathBuf,
    _lock: File,
}

impl Queue {
    pub(super) fn open(home: &Path, id: &ThreadId) -> Result<Self, Error> {
        let folder = home.join("queues");
        let lock = || {
            fs::create_dir_all(&folder)?;
            let path = folder.join(".lock");
            let file =
                File::options().read(true).write(true).create(true).truncate(false).open(path)?;
            file.lock()?;
            Ok(file)
        };
        let lock = lock().map_err(Error::io(&folder))?;
        let path = path(home, id);
        Ok(Self { submissions: read(&path)?, path, _lock: lock })
    }

    /// Keeps the changes; a reader sees the old queue or the new one.
    pub(crate) fn save(&self) -> Result<(), Error> {
        self.write().map_err(Error::io(&self.path))
    }

    fn write(&self) -> io::Result<()> {
        if self.submissions.is_empty() {
            return file::remove(&self.path).map(drop);
        }
        file::replace(&self.path, &serde_json::to_vec(&self.submissions)?)
    }
}

/// What waits, in its order.
pub(super) fn list(home: &Path, id: &ThreadId) -> Result<Vec<QueuedSubmission>, Error> {
    read(&path(home, id))
}

/// Whether anything waits; says so without reading it.
pub(super) fn is_empty(home: &Path, id: &ThreadId) -> bool {
    !path(home, id).exists()
}

fn path(home: &Path, id: &ThreadId) -> PathBuf {
    home.join("queues").join(format!("{id}.json"))
}

fn read(path: &Path) -> Result<Vec<QueuedSubmission>, Error> {
    match fs::read(path) {
        // What is no queue must not be overwritten by one: somebody's words are in it.
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| Error::invalid(path, format!("this is no queue: {error}"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io(path)(error)),
    }
}
