//! One writer per thread, over all server processes of a home: an advisory lock on a file named after the thread. The
//! system frees it when its holder dies, however that comes about. The file says who holds it.

use std::{
    fs::{self, File, TryLockError},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process,
};

use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::protocol::ThreadId;
use crate::util::json;
use crate::util::time::now_secs;

/// More than what a holder says of itself.
const LONGEST: u64 = 1024;

/// The process that has a thread's lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) pid: u32,
    /// When it took the lock (in Unix seconds).
    pub(crate) since: i64,
}

/// The right to write a thread's files, for as long as this lives. The lock file goes with it.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    file: Option<File>,
}

impl Lock {
    /// Takes the thread's lock, or says that somebody has it.
    pub(crate) fn take(home: &Path, id: &ThreadId) -> Result<Self, Error> {
        let folder = folder(home);
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let _turn = coordinate(&folder).map_err(Error::io(&folder))?;
        let path = folder.join(format!("{id}.lock"));
        let file = open(&path).map_err(Error::io(&path))?;
        match file.try_lock() {
            Ok(()) => {
                if let Err(error) = sign(&file) {
                    tracing::warn!(path = %path.display(), %error, "a lock does not say who holds it");
                }
                Ok(Self { path, file: Some(file) })
            }
            Err(TryLockError::WouldBlock) => {
                Err(Error::Locked { id: id.clone(), holder: holder(&file) })
            }
            Err(TryLockError::Error(source)) => Err(Error::Io { path, source }),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Without the coordination lock somebody could lock the file that is about to lose its name.
        let turn = self.path.parent().and_then(|folder| coordinate(folder).ok());
        if turn.is_some() {
            // A file that stays is harmless.
            drop(fs::remove_file(&self.path));
        }
        drop(self.file.take());
    }
}

/// Where the locks of a home are.
pub(super) fn folder(home: &Path) -> PathBuf {
    home.join("thread-writer-locks")
}

/// The threads that somebody may be writing now.
pub(super) fn held(home: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder(home)) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| name.strip_suffix(".lock").map(str::to_owned)).collect()
}

/// Serializes making and removing lock files between processes.
fn coordinate(folder: &Path) -> std::io::Result<File> {
    let file = open(&folder.join(".coordination.lock"))?;
    file.lock()?;
    Ok(file)
}

/// Writes into a lock who has it. What an earlier holder left goes first.
fn sign(mut file: &File) -> std::io::Result<()> {
    file.set_len(0)?;
    let holder = Holder { pid: process::id(), since: now_secs() };
    file.write_all(json::text(&holder).as_bytes())
}

/// Who has a lock, if it says so: other servers leave the file empty.
fn holder(file: &File) -> Option<Holder> {
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn open(path: &Path) -> std::io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}
