//! How database files are opened: shared with other processes, which may be writing them.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// How long somebody else may keep a database locked before that counts as an error.
const PATIENCE: Duration = Duration::from_secs(3);

/// Opens a database file, or makes it, with these tables. The version says which tables a file has; one of another
/// version counts as damaged.
pub(super) fn open(path: &Path, version: i64, tables: &str) -> rusqlite::Result<Connection> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match try_open(path, version, tables) {
            // While processes make a file at the same time, SQLite refuses rather than waits.
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                thread::sleep(Duration::from_millis(10));
            }
            opened => return opened,
        }
    }
}

fn try_open(path: &Path, version: i64, tables: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    // Readers do not wait for writers. A commit that a power cut takes back takes back nothing of the rollouts.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    with_tables(connection, version, tables)
}

/// A database that ends with the process.
pub(super) fn in_memory(version: i64, tables: &str) -> rusqlite::Result<Connection> {
    with_tables(Connection::open_in_memory()?, version, tables)
}

fn with_tables(
    mut connection: Connection,
    version: i64,
    tables: &str,
) -> rusqlite::Result<Connection> {
    if found(&connection)? == 0 {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Somebody else may have made the tables in the meantime.
        if found(&transaction)? == 0 {
            transaction.execute_batch(tables)?;
            transaction.pragma_update(None, "user_version", version)?;
        }
        transaction.commit()?;
    }
    if found(&connection)? == version {
        return Ok(connection);
    }
    let other = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB);
    Err(rusqlite::Error::SqliteFailure(other, Some("it has tables of another version".to_owned())))
}

fn found(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whether the file is at fault, so that asking again does not help.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::TypeMismatch
            | ErrorCode::ConstraintViolation,
        ) => true,
        // What is wrong with a statement of ours is wrong with the tables.
        Some(ErrorCode::Unknown) | None => true,
        Some(_) => false,
    }
}
