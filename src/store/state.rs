//! What users and clients note of threads and what no rollout has a place for: sections, projects, attachments, edited
//! metadata, what has been read. Unlike the index this is nobody's cache, so a damaged file is set aside, not removed.
//! The file is made with the first note; until then everything reads as empty.

mod attachment;
mod project;
mod read;
mod section;
mod thread;

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{error::Error, sql};
use crate::util::time::now_ms;

pub(crate) use self::{project::ProjectChange, thread::Metadata};

const VERSION: i64 = 1;
const FILE: &str = "app_server_state_1.sqlite";

const TABLES: &str = "
    CREATE TABLE section (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, appearance TEXT
    );
    CREATE TABLE project (
        id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, name TEXT NOT NULL, roots TEXT NOT NULL,
        metadata TEXT NOT NULL, position INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE thread (
        id TEXT PRIMARY KEY, section_id TEXT, section_position INTEGER, section_entered_at INTEGER,
        project_id TEXT, git TEXT, daybreak INTEGER, memory_mode TEXT, first_unread TEXT, revision TEXT
    ) WITHOUT ROWID;
    CREATE INDEX thread_section ON thread (section_id, section_position) WHERE section_id IS NOT NULL;
    CREATE INDEX thread_project ON thread (project_id) WHERE project_id IS NOT NULL;
    CREATE TABLE attachment (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL, thread_id TEXT NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL,
        payload TEXT NOT NULL, created_at INTEGER NOT NULL, UNIQUE (thread_id, type, key)
    );
    CREATE INDEX attachment_key ON attachment (type, key);
";

/// The notes of one home.
#[derive(Debug)]
pub(crate) struct State {
    home: PathBuf,
    connection: Option<Connection>,
}

impl State {
    /// Does no I/O.
    pub(super) fn new(home: PathBuf) -> Self {
        Self { home, connection: None }
    }

    /// Looks something up.
    fn read<T: Default>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.connection.is_none() && !self.home.join(FILE).exists() {
            return Ok(T::default());
        }
        let found = work(self.open()?);
        self.checked(found)
    }

    /// Changes something, or nothing when that is refused.
    fn write<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let connection = self.open()?;
        let write = || {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        let done = write();
        self.checked(done)
    }

    fn open(&mut self) -> Result<&mut Connection, Error> {
        let path = self.home.join(FILE);
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => match sql::open(&path, VERSION, TABLES) {
                Err(error) if sql::is_damage(&error) => {
                    set_aside(&self.home, &path).map_err(Error::io(&path))?;
                    sql::open(&path, VERSION, TABLES)?
                }
                opened => opened?,
            },
        };
        Ok(self.connection.insert(connection))
    }

    fn checked<T>(&mut self, done: Result<T, Error>) -> Result<T, Error> {
        if matches!(done, Err(Error::Database(_))) {
            // Opening it again tells whether the file is at fault.
            self.connection = None;
        }
        done
    }
}

/// Keeps a damaged file for whoever can mend it.
fn set_aside(home: &Path, path: &Path) -> std::io::Result<()> {
    let folder = home.join("db-backups");
    fs::create_dir_all(&folder)?;
    let kept = folder.join(format!("{FILE}.{}", now_ms()));
    tracing::error!(path = %kept.display(), "the notes on threads are damaged; they are kept here");
    for suffix in ["-wal", "-shm", ""] {
        let from = PathBuf::from(format!("{}{suffix}", path.display()));
        if from.exists() {
            fs::rename(&from, format!("{}{suffix}", kept.display()))?;
        }
    }
    Ok(())
}
