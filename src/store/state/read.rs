//! What of the threads the user has not read.

use std::collections::HashMap;

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::State;
use crate::protocol::{
    ThreadId, ThreadReadState, ThreadReadStateOperation, ThreadUnreadPosition, TurnId,
};
use crate::store::error::Error;
use crate::util::json;

impl State {
    /// The states of these threads.
    pub(crate) fn read_states(
        &mut self,
        ids: &[ThreadId],
    ) -> Result<HashMap<ThreadId, ThreadReadState>, Error> {
        let mut noted = self.read(|connection| noted(connection, ids))?;
        let mut state = |id: &ThreadId| noted.remove(id).unwrap_or_else(|| initial(id));
        Ok(ids.iter().map(|id| (id.clone(), state(id))).collect())
    }

    /// Changes the state of a thread as a user who has seen `expected` wants it; otherwise returns what it is.
    pub(crate) fn update_read_state(
        &mut self,
        id: &ThreadId,
        expected: &str,
        operation: ThreadReadStateOperation,
    ) -> Result<Result<ThreadReadState, ThreadReadState>, Error> {
        self.write(|transaction| {
            let mut noted = noted(transaction, std::slice::from_ref(id))?;
            let current = noted.remove(id).unwrap_or_else(|| initial(id));
            if current.revision != expected {
                return Ok(Err(current));
            }
            let first_unread = match operation {
                ThreadReadStateOperation::Read => None,
                ThreadReadStateOperation::Unread => Some(ThreadUnreadPosition::ThreadStart),
            };
            Ok(Ok(set(transaction, id, first_unread)?))
        })
    }

    /// Takes the thread as read if the first turn that is unread is not there any more; returns the state, and whether
    /// it is a new one.
    pub(crate) fn drop_unread(
        &mut self,
        id: &ThreadId,
        is_gone: impl FnOnce(&TurnId) -> bool,
    ) -> Result<(ThreadReadState, bool), Error> {
        self.write(|transaction| {
            let mut noted = noted(transaction, std::slice::from_ref(id))?;
            let current = noted.remove(id).unwrap_or_else(|| initial(id));
            match &current.first_unread {
                Some(ThreadUnreadPosition::Turn { turn_id }) if is_gone(turn_id) => {
                    Ok((set(transaction, id, None)?, true))
                }
                Some(_) | None => Ok((current, false)),
            }
        })
    }

    /// Notes that there is more to read; what has been unread before stays the first of it.
    pub(in crate::store) fn note_unread(
        &mut self,
        id: &ThreadId,
        position: &ThreadUnreadPosition,
        revision: &str,
    ) -> Result<(), Error> {
        self.write(|transaction| {
            let set = "INSERT INTO thread (id, first_unread, revision) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (id) DO UPDATE SET first_unread = coalesce(first_unread, ?2), revision = ?3";
            transaction.execute(set, params![id.as_str(), json::text(position), revision])?;
            Ok(())
        })
    }
}

/// The state of a thread of which nothing is noted.
fn initial(id: &ThreadId) -> ThreadReadState {
    ThreadReadState { first_unread: None, revision: format!("initial:{id}") }
}

fn set(
    connection: &Connection,
    id: &ThreadId,
    first_unread: Option<ThreadUnreadPosition>,
) -> rusqlite::Result<ThreadReadState> {
    let state = ThreadReadState { first_unread, revision: Uuid::now_v7().to_string() };
    let text = "INSERT INTO thread (id, first_unread, revision) VALUES (?1, ?2, ?3) \
         ON CONFLICT (id) DO UPDATE SET first_unread = ?2, revision = ?3";
    let position = state.first_unread.as_ref().map(json::text);
    connection.execute(text, params![id.as_str(), position, state.revision])?;
    Ok(state)
}

fn noted(
    connection: &Connection,
    ids: &[ThreadId],
) -> Result<HashMap<ThreadId, ThreadReadState>, Error> {
    let text = "SELECT id, first_unread, revision FROM thread \
         WHERE revision IS NOT NULL AND id IN (SELECT value FROM json_each(?))";
    let mut statement = connection.prepare_cached(text)?;
    let rows = statement.query_map([json::text(&ids)], |row| {
        let position: Option<String> = row.get(1)?;
        let first_unread = position.and_then(|text| serde_json::from_str(&text).ok());
        let state = ThreadReadState { first_unread, revision: row.get(2)? };
        Ok((ThreadId::from(row.get::<_, String>(0)?), state))
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
