//! Attachments: values that clients hang on threads, one for each kind and key.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde_json::Value;
use uuid::Uuid;

use super::State;
use crate::protocol::{ThreadAttachment, ThreadId};
use crate::store::error::Error;
use crate::util::json;
use crate::util::time::now_secs;

const MOST: i64 = 100;
const KEY: usize = 256;
const PAYLOAD: usize = 65_536;

const COLUMNS: &str = "id, type, key, payload, created_at";

impl State {
    /// Hangs a value on a thread unless it is there; `true` when it is new.
    pub(crate) fn attach(
        &mut self,
        thread: &ThreadId,
        kind: &str,
        key: &str,
        payload: &Value,
    ) -> Result<(ThreadAttachment, bool), Error> {
        check(kind, key)?;
        let text = json::text(payload);
        if text.len() > PAYLOAD {
            let refusal = format!("attachment payload must not exceed {PAYLOAD} bytes");
            return Err(Error::invalid_params(refusal));
        }
        self.write(|transaction| {
            if let Some(existing) = find(transaction, thread, kind, key)? {
                return Ok((existing, false));
            }
            let count = "SELECT count(*) FROM attachment WHERE thread_id = ?";
            let count: i64 = transaction.query_row(count, [thread.as_str()], |row| row.get(0))?;
            if count >= MOST {
                let refusal = format!("thread attachment identity count exceeds {MOST}");
                return Err(Error::invalid_params(refusal));
            }
            let made = ThreadAttachment {
                id: Uuid::now_v7().to_string(),
                attachment_type: kind.to_owned(),
                identity_key: key.to_owned(),
                payload: payload.clone(),
                created_at: now_secs(),
            };
            insert(transaction, thread, &made)?;
            Ok((made, true))
        })
    }

    /// Takes a value off a thread; its id, if it was there.
    pub(crate) fn detach(
        &mut self,
        thread: &ThreadId,
        kind: &str,
        key: &str,
    ) -> Result<Option<String>, Error> {
        check(kind, key)?;
        self.write(|transaction| {
            let remove =
                "DELETE FROM attachment WHERE thread_id = ? AND type = ? AND key = ? RETURNING id";
            let removed =
                transaction
                    .query_row(remove, params![thread.as_str(), kind, key], |row| row.get(0));
            Ok(removed.optional()?)
        })
    }

    /// What hangs on a thread, in the order of its making.
    pub(crate) fn attachments(
        &mut self,
        thread: &ThreadId,
    ) -> Result<Vec<ThreadAttachment>, Error> {
        self.read(|connection| {
            let text =
                format!("SELECT {COLUMNS} FROM attachment WHERE thread_id = ? ORDER BY number");
            let mut statement = connection.prepare_cached(&text)?;
            let rows = statement.query_map([thread.as_str()], attachment)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// The threads that a value hangs on.
    pub(crate) fn attachment_owners(
        &mut self,
        kind: &str,
        key: &str,
    ) -> Result<Vec<ThreadId>, Error> {
        check(kind, key)?;
        self.read(|connection| {
            let text =
                "SELECT thread_id FROM attachment WHERE type = ? AND key = ? ORDER BY thread_id";
            let mut statement = connection.prepare_cached(text)?;
            let rows = statement.query_map([kind, key], |row| row.get::<_, String>(0))?;
            Ok(rows.map(|id| id.map(ThreadId::from)).collect::<rusqlite::Result<_>>()?)
        })
    }
}

/// Hangs the same value on another thread.
pub(super) fn copy(
    connection: &Connection,
    to: &ThreadId,
    attachment: &ThreadAttachment,
) -> rusqlite::Result<()> {
    insert(
        connection,
        to,
        &ThreadAttachment { id: Uuid::now_v7().to_string(), ..attachment.clone() },
    )
}

fn insert(
    connection: &Connection,
    thread: &ThreadId,
    made: &ThreadAttachment,
) -> rusqlite::Result<()> {
    let text = "INSERT INTO attachment (id, thread_id, type, key, payload, created_at) \
         VALUES (?, ?, ?, ?, ?, ?)";
    let ThreadAttachment { id, attachment_type, identity_key, payload, created_at } = made;
    let values = params![
        id,
        thread.as_str(),
        attachment_type,
        identity_key,
        json::text(payload),
        created_at
    ];
    connection.execute(text, values).map(drop)
}

fn check(kind: &str, key: &str) -> Result<(), Error> {
    if kind.is_empty() {
        return Err(Error::invalid_params("attachmentType must not be empty"));
    }
    if key.is_empty() {
        return Err(Error::invalid_params("identityKey must not be empty"));
    }
    if key.len() > KEY {
        return Err(Error::invalid_params(format!("identityKey must not exceed {KEY} bytes")));
    }
    Ok(())
}

fn find(
    connection: &Connection,
    thread: &ThreadId,
    kind: &str,
    key: &str,
) -> rusqlite::Result<Option<ThreadAttachment>> {
    let text =
        format!("SELECT {COLUMNS} FROM attachment WHERE thread_id = ? AND type = ? AND key = ?");
    connection.query_row(&text, params![thread.as_str(), kind, key], attachment).optional()
}

fn attachment(row: &Row<'_>) -> rusqlite::Result<ThreadAttachment> {
    let payload: String = row.get(3)?;
    Ok(ThreadAttachment {
        id: row.get(0)?,
        attachment_type: row.get(1)?,
        identity_key: row.get(2)?,
        payload: serde_json::from_str(&payload).unwrap_or_default(),
        created_at: row.get(4)?,
    })
}
