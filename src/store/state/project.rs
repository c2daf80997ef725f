//! Projects, in the order that the user gives them.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use uuid::Uuid;

use super::State;
use crate::protocol::{Project, ProjectRoot, ThreadId};
use crate::store::error::Error;
use crate::store::list::Members;
use crate::util::json;
use crate::util::time::now_secs;

/// What a project is given; what is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProjectChange {
    pub(crate) name: Option<String>,
    pub(crate) roots: Option<Vec<ProjectRoot>>,
    pub(crate) metadata: Option<BTreeMap<String, String>>,
}

const COLUMNS: &str = "id, name, roots, metadata, position, created_at, updated_at";

impl State {
    /// All projects in their order. When they were last worked on is for the index to say.
    pub(crate) fn projects(&mut self) -> Result<Vec<Project>, Error> {
        self.read(|connection| Ok(all(connection)?))
    }

    pub(crate) fn project(&mut self, id: &str) -> Result<Project, Error> {
        self.read(|connection| Ok(find(connection, id)?))?.ok_or_else(|| not_found(id))
    }

    /// Makes a project, with these threads; `false` when one was made with this key before.
    pub(crate) fn create_project(
        &mut self,
        key: &str,
        given: ProjectChange,
        threads: &[ThreadId],
    ) -> Result<(Project, bool), Error> {
        if key.is_empty() {
            return Err(Error::invalid_params("idempotencyKey must not be empty"));
        }
        let given = checked(given)?;
        self.write(|transaction| {
            let made = format!("SELECT {COLUMNS} FROM project WHERE key = ?");
            if let Some(made) = transaction.query_row(&made, [key], project).optional()? {
                return Ok((made, false));
            }
            let now = now_secs();
            let made = Project {
                id: Uuid::now_v7().to_string(),
                name: given.name.unwrap_or_default(),
                roots: given.roots.unwrap_or_default(),
                metadata: given.metadata.unwrap_or_default(),
                position: all(transaction)?.last().map_or(0, |last| last.position + 1),
                created_at: now,
                updated_at: now,
                recency_at: None,
            };
            let insert = "INSERT INTO project (id, key, name, roots, metadata, position, created_at, updated_at) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
            transaction.execute(
                insert,
                params![
                    made.id,
                    key,
                    made.name,
                    json::text(&made.roots),
                    json::text(&made.metadata),
                    made.position,
                    made.created_at,
                    made.updated_at,
                ],
            )?;
            for thread in threads {
                assign(transaction, thread, Some(&made.id))?;
            }
            Ok((made, true))
        })
    }

    pub(crate) fn update_project(
        &mut self,
        id: &str,
        given: ProjectChange,
    ) -> Result<Project, Error> {
        let given = checked(given)?;
        self.write(|transaction| {
            let mut project = find(transaction, id)?.ok_or_else(|| not_found(id))?;
            project.name = given.name.unwrap_or(project.name);
            project.roots = given.roots.unwrap_or(project.roots);
            project.metadata = given.metadata.unwrap_or(project.metadata);
            project.updated_at = now_secs();
            let update =
                "UPDATE project SET name = ?, roots = ?, metadata = ?, updated_at = ? WHERE id = ?";
            let (roots, metadata) = (json::text(&project.roots), json::text(&project.metadata));
            transaction
                .execute(update, params![project.name, roots, metadata, project.updated_at, id])?;
            Ok(project)
        })
    }

    /// Puts a project before another one, or at the end.
    pub(crate) fn move_project(&mut self, id: &str, before: Option<&str>) -> Result<(), Error> {
        if before == Some(id) {
            return Err(Error::invalid_params(format!(
                "project {id} cannot be moved before itself"
            )));
        }
        self.write(|transaction| {
            let mut order: Vec<String> =
                all(transaction)?.into_iter().map(|other| other.id).collect();
            let from = order.iter().position(|other| other == id).ok_or_else(|| not_found(id))?;
            let moved = order.remove(from);
            let to = match before {
                Some(before) => order
                    .iter()
                    .position(|other| other == before)
                    .ok_or_else(|| not_found(before))?,
                None => order.len(),
            };
            order.insert(to, moved);
            for (position, id) in order.iter().enumerate() {
                let position = i64::try_from(position).unwrap_or(i64::MAX);
                transaction.execute(
                    "UPDATE project SET position = ? WHERE id = ?",
                    params![position, id],
                )?;
            }
            Ok(())
        })
    }

    pub(crate) fn delete_project(&mut self, id: &str) -> Result<(), Error> {
        self.write(|transaction| {
            if transaction.execute("DELETE FROM project WHERE id = ?", [id])? == 0 {
                return Err(not_found(id));
            }
            transaction
                .execute("UPDATE thread SET project_id = NULL WHERE project_id = ?", [id])?;
            Ok(())
        })
    }

    /// The threads of a project; without one, all that are in none.
    pub(crate) fn project_members(&mut self, project: Option<&str>) -> Result<Members, Error> {
        if let Some(project) = project {
            self.project(project)?;
        }
        let ids = self.read(|connection| {
            let text = "SELECT id FROM thread WHERE project_id IS NOT NULL AND (?1 IS NULL OR project_id = ?1)";
            let mut statement = connection.prepare_cached(text)?;
            let rows = statement.query_map([project], |row| row.get::<_, String>(0))?;
            Ok(rows.map(|id| id.map(ThreadId::from)).collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(match project {
            Some(_) => Members::Only(ids.into_iter().map(|id| (0, id)).collect()),
            None => Members::Except(ids),
        })
    }
}

/// Puts a thread into a project, or out of any.
pub(super) fn assign(
    transaction: &Transaction<'_>,
    thread: &ThreadId,
    project: Option<&str>,
) -> rusqlite::Result<()> {
    let assign = "INSERT INTO thread (id, project_id) VALUES (?1, ?2) \
         ON CONFLICT (id) DO UPDATE SET project_id = ?2";
    transaction.execute(assign, params![thread.as_str(), project])?;
    Ok(())
}

pub(super) fn find(connection: &Connection, id: &str) -> rusqlite::Result<Option<Project>> {
    let text = format!("SELECT {COLUMNS} FROM project WHERE id = ?");
    connection.query_row(&text, [id], project).optional()
}

pub(super) fn not_found(id: &str) -> Error {
    Error::invalid_params(format!("project not found: {id}"))
}

fn all(connection: &Connection) -> rusqlite::Result<Vec<Project>> {
    let text = format!("SELECT {COLUMNS} FROM project ORDER BY position, id");
    let mut statement = connection.prepare_cached(&text)?;
    statement.query_map([], project)?.collect()
}

fn project(row: &Row<'_>) -> rusqlite::Result<Project> {
    let (roots, metadata): (String, String) = (row.get(2)?, row.get(3)?);
    Ok(Project {
        id: row.get(0)?,
        name: row.get(1)?,
        roots: serde_json::from_str(&roots).unwrap_or_default(),
        metadata: serde_json::from_str(&metadata).unwrap_or_default(),
        position: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
        recency_at: None,
    })
}

fn checked(mut given: ProjectChange) -> Result<ProjectChange, Error> {
    given.name = given.name.map(|name| name.trim().to_owned());
    if given.name.as_ref().is_some_and(String::is_empty) {
        return Err(Error::invalid_params("project name must not be empty"));
    }
    let mut seen = HashSet::new();
    for root in given.roots.iter().flatten() {
        if !seen.insert(root.path.as_ref()) {
            let refusal = format!("duplicate project root: {}", root.path.as_ref().display());
            return Err(Error::invalid_params(refusal));
        }
    }
    Ok(given)
}
