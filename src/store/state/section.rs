//! Sections, and the threads in them. Places are far apart, so that moving a thread rarely touches another one.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use uuid::Uuid;

use super::State;
use crate::protocol::{ThreadId, ThreadSection, ThreadSectionAppearance};
use crate::store::error::Error;
use crate::store::list::Members;
use crate::util::json;
use crate::util::time::now_ms;

/// The section that is always there.
const PINNED: &str = "01984de2-8f74-7c91-a3b2-5c5e937cf318";
const STEP: i64 = 1_000_000;

impl State {
    /// All sections, the built-in one first.
    pub(crate) fn sections(&mut self) -> Result<Vec<ThreadSection>, Error> {
        let mut sections = vec![pinned()];
        sections.append(&mut self.read(|connection| {
            let text = "SELECT id, name, appearance FROM section ORDER BY number";
            let mut statement = connection.prepare_cached(text)?;
            let rows = statement.query_map([], section)?;
            Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
        })?);
        Ok(sections)
    }

    pub(crate) fn create_section(
        &mut self,
        name: &str,
        appearance: Option<ThreadSectionAppearance>,
    ) -> Result<ThreadSection, Error> {
        let name = named(name)?;
        let section = ThreadSection { id: Uuid::now_v7().to_string(), name, appearance };
        self.write(|transaction| {
            let insert = "INSERT INTO section (id, name, appearance) VALUES (?, ?, ?)";
            let appearance = section.appearance.as_ref().map(json::text);
            transaction.execute(insert, params![section.id, section.name, appearance])?;
            Ok(())
        })?;
        Ok(section)
    }

    /// `appearance` is `None` to leave it as it is.
    pub(crate) fn update_section(
        &mut self,
        id: &str,
        name: &str,
        appearance: Option<Option<ThreadSectionAppearance>>,
    ) -> Result<ThreadSection, Error> {
        if id == PINNED {
            return Err(Error::invalid_params("the built-in pinned section cannot be renamed"));
        }
        let name = named(name)?;
        self.write(|transaction| {
            let mut section = find(transaction, id)?.ok_or_else(|| not_found(id))?;
            section.name = name;
            section.appearance = appearance.unwrap_or(section.appearance);
            let update = "UPDATE section SET name = ?, appearance = ? WHERE id = ?";
            let stored = section.appearance.as_ref().map(json::text);
            transaction.execute(update, params![section.name, stored, id])?;
            Ok(section)
        })
    }

    pub(crate) fn delete_section(&mut self, id: &str) -> Result<(), Error> {
        if id == PINNED {
            return Err(Error::invalid_params("the built-in pinned section cannot be deleted"));
        }
        self.write(|transaction| {
            if transaction.execute("DELETE FROM section WHERE id = ?", [id])? == 0 {
                return Err(not_found(id));
            }
            let leave = "UPDATE thread SET section_id = NULL, section_position = NULL, \
                 section_entered_at = NULL WHERE section_id = ?";
            transaction.execute(leave, [id])?;
            Ok(())
        })
    }

    /// Puts a thread into a section, before another one or at the end; without a section, out of any.
    pub(crate) fn move_thread(
        &mut self,
        id: &ThreadId,
        section: Option<&str>,
        before: Option<&ThreadId>,
    ) -> Result<(), Error> {
        if section == Some("") {
            return Err(Error::refused("sectionId must not be empty"));
        }
        if section.is_none() && before.is_some() {
            return Err(Error::refused("beforeThreadId requires a non-null sectionId"));
        }
        if before == Some(id) {
            return Err(Error::refused(format!("thread {id} cannot be moved before itself")));
        }
        self.write(|transaction| {
            let Some(section) = section else {
                let leave = "UPDATE thread SET section_id = NULL, section_position = NULL, \
                     section_entered_at = NULL WHERE id = ?";
                transaction.execute(leave, [id.as_str()])?;
                return Ok(());
            };
            if section != PINNED && find(transaction, section)?.is_none() {
                return Err(Error::refused(format!("section {section} does not exist")));
            }
            let position = place(transaction, id, section, before)?;
            let enter = "INSERT INTO thread (id, section_id, section_position, section_entered_at) \
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO UPDATE SET section_entered_at = \
                 iif(section_id = ?2, section_entered_at, ?4), section_id = ?2, section_position = ?3";
            transaction.execute(enter, params![id.as_str(), section, position, now_ms() / 1000])?;
            Ok(())
        })
    }

    /// The threads of a section in their order; without a section, all that are in none.
    pub(crate) fn section_members(&mut self, section: Option<&str>) -> Result<Members, Error> {
        match section {
            Some(section) => {
                self.read(|connection| members(connection, section)).map(Members::Only)
            }
            None => self
                .read(|connection| {
                    let text = "SELECT id FROM thread WHERE section_id IS NOT NULL";
                    let mut statement = connection.prepare_cached(text)?;
                    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
                    Ok(rows.map(|id| id.map(ThreadId::from)).collect::<rusqlite::Result<_>>()?)
                })
                .map(Members::Except),
        }
    }
}

/// The section of this id.
pub(super) fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<ThreadSection>> {
    if id == PINNED {
        return Ok(Some(pinned()));
    }
    let text = "SELECT id, name, appearance FROM section WHERE id = ?";
    connection.prepare_cached(text)?.query_row([id], section).optional()
}

fn pinned() -> ThreadSection {
    ThreadSection { id: PINNED.to_owned(), name: "Pinned".to_owned(), appearance: None }
}

fn section(row: &Row<'_>) -> rusqlite::Result<ThreadSection> {
    let appearance: Option<String> = row.get(2)?;
    let appearance = appearance.and_then(|text| serde_json::from_str(&text).ok());
    Ok(ThreadSection { id: row.get(0)?, name: row.get(1)?, appearance })
}

fn named(name: &str) -> Result<String, Error> {
    match name.trim() {
        "" => Err(Error::invalid_params("section name must not be empty")),
        name => Ok(name.to_owned()),
    }
}

fn not_found(id: &str) -> Error {
    Error::invalid_params(format!("thread section not found: {id}"))
}

fn members(connection: &Connection, section: &str) -> Result<Vec<(i64, ThreadId)>, Error> {
    let text = "SELECT section_position, id FROM thread WHERE section_id = ? ORDER BY section_position, id";
    let mut statement = connection.prepare_cached(text)?;
    let rows = statement
        .query_map([section], |row| Ok((row.get(0)?, ThreadId::from(row.get::<_, String>(1)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Finds the place for a thread that comes before another one, or at the end.
fn place(
    transaction: &Transaction<'_>,
    id: &ThreadId,
    section: &str,
    before: Option<&ThreadId>,
) -> Result<i64, Error> {
    let mut others = members(transaction, section)?;
    others.retain(|(_, other)| other != id);
    let Some(before) = before else {
        return Ok(others.last().map_or(STEP, |(last, _)| last + STEP));
    };
    let next = others.iter().position(|(_, other)| other == before).ok_or_else(|| {
        Error::refused(format!("before thread {before} is not in section {section}"))
    })?;
    let high = others[next].0;
    let low = next.checked_sub(1).map_or(high - 2 * STEP, |previous| others[previous].0);
    if high - low > 1 {
        return Ok(low + (high - low) / 2);
    }
    // There is no room left: everybody gets a new place, with one free before `next`.
    for (index, (_, other)) in others.iter().enumerate() {
        let place =
            i64::try_from(index + 1 + usize::from(index >= next)).unwrap_or(i64::MAX / STEP);
        let update = "UPDATE thread SET section_position = ? WHERE id = ?";
        transaction.execute(update, params![place * STEP, other.as_str()])?;
    }
    Ok(i64::try_from(next + 1).unwrap_or(i64::MAX / STEP) * STEP)
}
