//! What is noted of single threads.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{State, attachment, project, section};
use crate::protocol::{GitInfo, Thread, ThreadId, ThreadMemoryMode, ThreadSection};
use crate::store::error::Error;
use crate::util::json;

/// The notes on one thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes {
    section: Option<ThreadSection>,
    section_entered_at: Option<i64>,
    project_id: Option<String>,
    /// What a client says of the repository, in the place of what the rollout says.
    git: Option<GitInfo>,
    daybreak: Option<bool>,
}

impl Notes {
    /// Completes what a rollout tells of a thread.
    pub(crate) fn adorn(self, thread: &mut Thread) {
        thread.section = self.section;
        thread.section_entered_at = self.section_entered_at;
        thread.project_id = self.project_id;
        if let Some(git) = self.git {
            thread.git_info = Some(git).filter(|git| *git != GitInfo::default());
        }
        thread.daybreak_enabled = self.daybreak;
    }
}

/// A change of a thread's notes; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metadata {
    pub(crate) git: Option<GitInfo>,
    pub(crate) project_id: Option<Option<String>>,
    pub(crate) daybreak: Option<bool>,
}

impl State {
    /// The notes on these threads, where there are any.
    pub(crate) fn notes(&mut self, ids: &[ThreadId]) -> Result<HashMap<ThreadId, Notes>, Error> {
        self.read(|connection| {
            let text = "SELECT id, section_id, section_entered_at, project_id, git, daybreak FROM thread \
                 WHERE id IN (SELECT value FROM json_each(?))";
            let mut statement = connection.prepare_cached(text)?;
            let rows = statement.query_map([json::text(&ids)], |row| notes(connection, row))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    pub(crate) fn set_metadata(&mut self, id: &ThreadId, change: &Metadata) -> Result<(), Error> {
        self.write(|transaction| {
            if let Some(Some(project)) = &change.project_id
                && project::find(transaction, project)?.is_none()
            {
                return Err(Error::refused(format!("project not found: {project}")));
            }
            let set = "INSERT INTO thread (id, git, daybreak) VALUES (?1, ?2, ?3) ON CONFLICT (id) \
                 DO UPDATE SET git = coalesce(?2, git), daybreak = coalesce(?3, daybreak)";
            let git = change.git.as_ref().map(json::text);
            transaction.execute(set, params![id.as_str(), git, change.daybreak])?;
            if let Some(project) = &change.project_id {
                project::assign(transaction, id, project.as_deref())?;
            }
            Ok(())
        })
    }

    pub(crate) fn set_memory_mode(
        &mut self,
        id: &ThreadId,
        mode: ThreadMemoryMode,
    ) -> Result<(), Error> {
        self.write(|transaction| {
            let set = "INSERT INTO thread (id, memory_mode) VALUES (?1, ?2) \
                 ON CONFLICT (id) DO UPDATE SET memory_mode = ?2";
            transaction.execute(set, params![id.as_str(), json::text(&mode)])?;
            Ok(())
        })
    }

    /// Notes of a thread what is noted of the one that it comes from, as far as that goes along: its project, its
    /// attachments, and what its client says of it.
    pub(crate) fn inherit(&mut self, from: &ThreadId, to: &ThreadId) -> Result<(), Error> {
        if !self.read(|connection| Ok(is_noted(connection, from)?))? {
            return Ok(());
        }
        let attachments = self.attachments(from)?;
        self.write(|transaction| {
            let copy = "INSERT INTO thread (id, project_id, daybreak) \
                 SELECT ?2, project_id, daybreak FROM thread WHERE id = ?1";
            transaction.execute(copy, [from.as_str(), to.as_str()])?;
            for attachment in &attachments {
                attachment::copy(transaction, to, attachment)?;
            }
            Ok(())
        })
    }

    /// Forgets all that is noted of a thread.
    pub(crate) fn forget(&mut self, id: &ThreadId) -> Result<(), Error> {
        if self.read(|connection| Ok(is_noted(connection, id)?))? {
            self.write(|transaction| {
                transaction.execute("DELETE FROM thread WHERE id = ?", [id.as_str()])?;
                transaction.execute("DELETE FROM attachment WHERE thread_id = ?", [id.as_str()])?;
                Ok(())
            })?;
        }
        Ok(())
    }
}

fn is_noted(connection: &Connection, id: &ThreadId) -> rusqlite::Result<bool> {
    let text = "SELECT EXISTS (SELECT 1 FROM thread WHERE id = ?1) \
         OR EXISTS (SELECT 1 FROM attachment WHERE thread_id = ?1)";
    connection
        .query_row(text, [id.as_str()], |row| row.get(0))
        .optional()
        .map(Option::unwrap_or_default)
}

fn notes(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<(ThreadId, Notes)> {
    let section: Option<String> = row.get(1)?;
    let section = section.map(|id| section::find(connection, &id)).transpose()?.flatten();
    let git: Option<String> = row.get(4)?;
    let notes = Notes {
        section,
        section_entered_at: row.get(2)?,
        project_id: row.get(3)?,
        git: git.and_then(|text| serde_json::from_str(&text).ok()),
        daybreak: row.get(5)?,
    };
    Ok((ThreadId::from(row.get::<_, String>(0)?), notes))
}
