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
use super::file;
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
    read: Extent,
    names: HashMap<String, String>,
}

/// How much of the file has been read. It is append-only, so what was read up to here stays true; a file that is
/// shorter or another one is read anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) inode: i64,
    pub(super) offset: i64,
}

/// What a file says beyond what has been read of it.
pub(super) struct News {
    pub(super) read: Extent,
    /// What was known before is gone.
    pub(super) anew: bool,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) thread_name: String,
    #[serde(default)]
    updated_at: String,
}

impl Names {
    pub(crate) fn new(home: &Path) -> Self {
        Self { path: path(home), known: Mutex::default() }
    }

    /// The name of a thread.
    pub(crate) fn get(&self, id: &ThreadId) -> Option<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Names that cannot be read are no reason to refuse a thread.
        drop(known.refresh(&self.path));
        known.names.get(id.as_str()).cloned()
    }

    /// Names a thread.
    pub(crate) fn set(&self, id: &ThreadId, name: &str) -> Result<(), Error> {
        let updated_at = util::time::rfc3339_millis(util::time::now_ms());
        let row = Row { id: id.as_str().to_owned(), thread_name: name.to_owned(), updated_at };
        let mut line = serde_json::to_vec(&row).unwrap_or_default();
        line.push(b'\n');
        self.append(&line).map_err(Error::io(&self.path))
    }

    /// Forgets the names of a thread.
    pub(crate) fn forget(&self, id: &ThreadId) -> Result<(), Error> {
        self.rewrite_without(id).map_err(Error::io(&self.path))
    }

    fn rewrite_without(&self, id: &ThreadId) -> std::io::Result<()> {
        // Most threads have no name, and then nothing is written.
        let Ok(bytes) = fs::read(&self.path) else { return Ok(()) };
        let is_of = |line: &&[u8]| {
            serde_json::from_slice::<Row>(line).is_ok_and(|row| row.id == id.as_str())
        };
        if !bytes.split(|&byte| byte == b'\n').any(|line| is_of(&line)) {
            return Ok(());
        }
        self.guarded(|| {
            let bytes = fs::read(&self.path)?;
            let lines = bytes.split_inclusive(|&byte| byte == b'\n');
            let kept = lines.filter(|line| !is_of(line)).flatten().copied().collect::<Vec<u8>>();
            file::replace(&self.path, &kept)
        })
    }

    fn append(&self, line: &[u8]) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        self.guarded(|| {
            let mut file = File::options().create(true).append(true).open(&self.path)?;
            file.write_all(line)
        })
    }

    /// Works on the file while no other server does: one that deletes a thread rewrites it.
    fn guarded<T>(&self, work: impl FnOnce() -> std::io::Result<T>) -> std::io::Result<T> {
        let guard = File::options()
            .create(true)
            .append(true)
            .open(self.path.with_extension("jsonl.lock"))?;
        guard.lock()?;
        work()
    }
}

impl Known {
    fn refresh(&mut self, path: &Path) -> std::io::Result<()> {
        let news = news(path, self.read)?;
        if news.anew {
            self.names.clear();
        }
        self.names.extend(news.rows.into_iter().map(|row| (row.id, row.thread_name)));
        self.read = news.read;
        Ok(())
    }
}

/// What has been added to the names file.
pub(super) fn news(path: &Path, known: Extent) -> std::io::Result<News> {
    let (len, inode) = fs::metadata(path).map_or((0, 0), |meta| (meta.len(), meta.ino()));
    let (len, inode) = (i64::try_from(len).unwrap_or(i64::MAX), inode.cast_signed());
    let anew = len < known.offset || inode != known.inode;
    let mut news = News {
        read: if anew { Extent { inode, offset: 0 } } else { known },
        anew,
        rows: Vec::new(),
    };
    if len == news.read.offset {
        return Ok(news);
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(news.read.offset.unsigned_abs()))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let complete = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    let lines = bytes[..complete].split(|&byte| byte == b'\n');
    news.rows = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    news.read.offset += i64::try_from(complete).unwrap_or(i64::MAX);
    Ok(news)
}

/// Where the names of a home are.
pub(super) fn path(home: &Path) -> PathBuf {
    home.join("session_index.jsonl")
}
