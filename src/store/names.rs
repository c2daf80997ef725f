//! The names of threads: `session_index.jsonl`, appended to; the last line of an id counts.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::error::Error;
use crate::protocol::ThreadId;
use crate::util;

/// The names file of one home, with what has been read of it.
#[derive(Debug)]
pub(crate) struct Names {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// The file is append-only, so what was read up to here stays true. A file that is shorter or
    /// another one is read anew.
    offset: u64,
    inode: u64,
    names: HashMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct Row {
    id: String,
    thread_name: String,
    #[serde(default)]
    updated_at: String,
}

impl Names {
    pub(crate) fn new(home: &Path) -> Self {
        Self { path: home.join("session_index.jsonl"), known: Mutex::default() }
    }

    /// The name of a thread.
    pub(crate) fn get(&self, id: &ThreadId) -> Option<String> {
        self.read(|names| names.get(id.as_str()).cloned())
    }

    /// What `look` makes of the names by thread id.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&HashMap<String, String>) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Names that cannot be read are no reason to refuse a list.
        drop(known.refresh(&self.path));
        look(&known.names)
    }

    /// Names a thread.
    pub(crate) fn set(&self, id: &ThreadId, name: &str) -> Result<(), Error> {
        let updated_at = util::time::rfc3339_millis(util::time::now_ms());
        let row = Row { id: id.as_str().to_owned(), thread_name: name.to_owned(), updated_at };
        let mut line = serde_json::to_vec(&row).unwrap_or_default();
        line.push(b'\n');
        self.append(&line).map_err(Error::io(&self.path))
    }

    fn append(&self, line: &[u8]) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        // Other servers rewrite the file when they delete a thread.
        let guard = File::options()
            .create(true)
            .append(true)
            .open(self.path.with_extension("jsonl.lock"))?;
        guard.lock()?;
        let mut file = File::options().create(true).append(true).open(&self.path)?;
        file.write_all(line)
    }
}

impl Known {
    fn refresh(&mut self, path: &Path) -> std::io::Result<()> {
        let (len, inode) = fs::metadata(path).map_or((0, 0), |meta| (meta.len(), meta.ino()));
        if len < self.offset || inode != self.inode {
            *self = Self { inode, ..Self::default() };
        }
        if len == self.offset {
            return Ok(());
        }
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let complete = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
        for line in bytes[..complete].split(|&byte| byte == b'\n') {
            if let Ok(row) = serde_json::from_slice::<Row>(line) {
                self.names.insert(row.id, row.thread_name);
            }
        }
        self.offset += complete as u64;
        Ok(())
    }
}
