//! The index: what lists show of every rollout, in a database that is a cache and nothing else. It is opened by the
//! first list, follows what anybody changes below the home, and is made anew when it is lost or damaged. When its file
//! cannot be used, the same tables are kept in memory.

mod look;
mod page;
mod row;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{
    error::Error,
    list::{Page, Query},
    sql,
    summary::Summary,
};
use crate::protocol::ThreadId;

/// Goes up with every change of the tables or of what is read from a rollout.
const VERSION: i64 = 3;
const FILE: &str = "app_server_index_1.sqlite";

/// `file` has a row for each rollout, `thread_id` being null when nothing can be made of it. Of the files of one
/// thread the newest is `current`; the archived ones are counted on their own. `folder` holds the time of change of
/// each folder that has been read, or 0 to have it read again.
const TABLES: &str = "
    CREATE TABLE file (
        path TEXT PRIMARY KEY, folder TEXT NOT NULL, name TEXT NOT NULL, archived INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL, len INTEGER NOT NULL,
        current INTEGER NOT NULL DEFAULT 0, thread_id TEXT,
        created_ms INTEGER, updated_ms INTEGER, recency_ms INTEGER,
        kind TEXT, provider TEXT, cwd TEXT, parent TEXT, attached_to TEXT, base TEXT, preview TEXT, opening TEXT, summary TEXT
    ) WITHOUT ROWID;
    CREATE INDEX file_thread ON file (thread_id);
    CREATE INDEX file_folder ON file (folder);
    CREATE INDEX file_parent ON file (parent) WHERE parent IS NOT NULL;
    CREATE INDEX file_base ON file (base) WHERE base IS NOT NULL;
    CREATE INDEX file_attached ON file (attached_to) WHERE attached_to IS NOT NULL;
    CREATE INDEX file_created ON file (archived, created_ms, thread_id) WHERE current = 1;
    CREATE INDEX file_updated ON file (archived, updated_ms, thread_id) WHERE current = 1;
    CREATE INDEX file_recency ON file (archived, recency_ms, thread_id) WHERE current = 1;
    CREATE TABLE folder (path TEXT PRIMARY KEY, parent TEXT, modified_ns INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE name (thread_id TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE names_read (inode INTEGER NOT NULL, offset INTEGER NOT NULL);
";

/// The index of one home.
#[derive(Debug)]
pub(super) struct Index {
    home: PathBuf,
    place: Place,
    connection: Option<Connection>,
    /// Why it is only in memory, until somebody has been told.
    problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    File,
    Memory,
}

impl Index {
    /// Does no I/O.
    pub(super) fn new(home: PathBuf) -> Self {
        Self { home, place: Place::File, connection: None, problem: None }
    }

    /// A page of threads.
    pub(super) fn list(&mut self, query: &Query) -> Result<Page<Summary>, Error> {
        let cursor = query.anchor()?;
        self.with(|connection, home| {
            if !query.stale || look::is_new(connection)? {
                look::look(connection, home)?;
            }
            let page = page::select(connection, query, cursor.as_ref())?;
            // Somebody may write a thread without locking it: at least what is shown is right.
            if query.stale || !look::refresh(connection, home, &page.data)? {
                return Ok(page);
            }
            page::select(connection, query, cursor.as_ref())
        })
    }

    /// The sub-agents of a thread at any depth, parents first.
    pub(super) fn descendants(&mut self, id: &ThreadId) -> Result<Vec<ThreadId>, Error> {
        self.with(|connection, home| {
            look::look(connection, home)?;
            page::descendants(connection, id)
        })
    }

    /// Which of these threads are archived; those that are not stored are left out.
    pub(super) fn archived(&mut self, ids: &[ThreadId]) -> Result<HashMap<ThreadId, bool>, Error> {
        self.with(|connection, home| {
            look::look(connection, home)?;
            page::archived(connection, ids)
        })
    }

    /// For each of these groups, when the newest turn of its threads started.
    pub(super) fn recencies_ms(
        &mut self,
        groups: &[Vec<ThreadId>],
    ) -> Result<Vec<Option<i64>>, Error> {
        self.with(|connection, home| {
            look::look(connection, home)?;
            groups.iter().map(|ids| page::recency_ms(connection, ids)).collect()
        })
    }

    /// A thread outside of `ids` whose history continues one of these files.
    pub(super) fn continuation(
        &mut self,
        files: &[&str],
        ids: &[ThreadId],
    ) -> Result<Option<ThreadId>, Error> {
        self.with(|connection, home| {
            look::look(connection, home)?;
            page::continuation(connection, files, ids)
        })
    }

    /// A side conversation of a thread.
    pub(super) fn attached(&mut self, id: &ThreadId) -> Result<Option<ThreadId>, Error> {
        self.with(|connection, home| {
            look::look(connection, home)?;
            page::attached(connection, id)
        })
    }

    /// Why the index is only in memory; once.
    pub(super) fn take_problem(&mut self) -> Option<String> {
        self.problem.take()
    }

    /// Runs work that can be run again, on the tables wherever they are.
    fn with<T>(
        &mut self,
        work: impl Fn(&mut Connection, &Path) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let mut remade = false;
        loop {
            let error = match self.open().and_then(|(connection, home)| work(connection, home)) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            self.connection = None;
            match self.place {
                Place::Memory => return Err(Error::Database(error.to_string())),
                Place::File if sql::is_damage(&error) && !remade => {
                    tracing::warn!(%error, "the index of threads is damaged and made anew");
                    remade = true;
                    discard(&self.home.join(FILE));
                }
                Place::File => {
                    tracing::warn!(%error, "the index of threads cannot be used");
                    self.place = Place::Memory;
                    self.problem = Some(error.to_string());
                }
            }
        }
    }

    fn open(&mut self) -> rusqlite::Result<(&mut Connection, &Path)> {
        let connection = match (self.connection.take(), self.place) {
            (Some(connection), _) => connection,
            (None, Place::File) => sql::open(&self.home.join(FILE), VERSION, TABLES)?,
            (None, Place::Memory) => sql::in_memory(VERSION, TABLES)?,
        };
        Ok((self.connection.insert(connection), &self.home))
    }
}

/// Removes a database file with what belongs to it. Who has it open keeps what it has.
fn discard(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        if let Err(error) = fs::remove_file(PathBuf::from(name)) {
            tracing::debug!(%error, "nothing to remove of the index");
        }
    }
}
