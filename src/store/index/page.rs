//! Questions to the index, in SQL.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, ToSql};

use super::row;
use crate::protocol::{SortDirection, ThreadId, ThreadSortKey};
use crate::store::list::{Anchor, Members, Page, Query};
use crate::store::summary::Summary;
use crate::util::json;

/// The rows that a query shows, from the cursor on.
pub(super) fn select(
    connection: &Connection,
    query: &Query,
    cursor: Option<&Anchor>,
) -> rusqlite::Result<Page<Summary>> {
    let limit = query.limit.max(1);
    let (condition, values) = Condition::of(query, cursor);
    let direction = match query.direction {
        SortDirection::Asc => "ASC",
        SortDirection::Desc => "DESC",
    };
    let (source, order) = match key(query) {
        Some(column) => ("", format!("file.{column} {direction}, file.thread_id {direction}")),
        None => (
            " JOIN json_each(?1) AS place ON place.value = file.thread_id",
            format!("place.key {direction}"),
        ),
    };
    let text = format!(
        "SELECT {} FROM file{source} LEFT JOIN name ON name.thread_id = file.thread_id \
         WHERE {condition} ORDER BY {order} LIMIT {}",
        row::COLUMNS,
        limit + 1,
    );
    let mut statement = connection.prepare_cached(&text)?;
    let values: Vec<&dyn ToSql> = values.iter().map(|value| &**value).collect();
    let rows = statement.query_map(&*values, row::summary)?;
    let mut data = rows.filter_map(Result::transpose).collect::<rusqlite::Result<Vec<_>>>()?;
    let more = data.len() > limit;
    data.truncate(limit);
    Ok(Page {
        next_cursor: data.last().filter(|_| more).map(|row| query.after(row)),
        backwards_cursor: data.first().map(|row| query.before(row)),
        data,
    })
}

/// The sub-agents of a thread at any depth, parents first.
pub(super) fn descendants(
    connection: &Connection,
    id: &ThreadId,
) -> rusqlite::Result<Vec<ThreadId>> {
    let text = format!("{FAMILY} SELECT id FROM family GROUP BY id ORDER BY min(depth), id");
    let mut statement = connection.prepare_cached(&text)?;
    let rows = statement.query_map([id.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|row| Ok(ThreadId::from(row?))).collect()
}

/// Which of these threads are archived; those that are not stored are left out.
pub(super) fn archived(
    connection: &Connection,
    ids: &[ThreadId],
) -> rusqlite::Result<HashMap<ThreadId, bool>> {
    let text = "SELECT thread_id, min(archived) FROM file WHERE current = 1 \
         AND thread_id IN (SELECT value FROM json_each(?)) GROUP BY thread_id";
    let mut statement = connection.prepare_cached(text)?;
    let rows = statement.query_map([json::text(ids)], |row| {
        Ok((ThreadId::from(row.get::<_, String>(0)?), row.get(1)?))
    })?;
    rows.collect()
}

/// When the newest turn of any of these threads started.
pub(super) fn recency_ms(
    connection: &Connection,
    ids: &[ThreadId],
) -> rusqlite::Result<Option<i64>> {
    let text = "SELECT max(recency_ms) FROM file WHERE current = 1 \
         AND thread_id IN (SELECT value FROM json_each(?))";
    connection.query_row(text, [json::text(ids)], |row| row.get(0))
}

/// A thread outside of `ids` whose history continues one of these files.
pub(super) fn continuation(
    connection: &Connection,
    files: &[&str],
    ids: &[ThreadId],
) -> rusqlite::Result<Option<ThreadId>> {
    let text = "SELECT thread_id FROM file WHERE base IN (SELECT value FROM json_each(?)) \
         AND thread_id NOT IN (SELECT value FROM json_each(?)) LIMIT 1";
    let found = connection
        .query_row(text, [json::text(files), json::text(ids)], |row| row.get::<_, String>(0));
    Ok(found.optional()?.map(ThreadId::from))
}

/// A side conversation of a thread.
pub(super) fn attached(
    connection: &Connection,
    id: &ThreadId,
) -> rusqlite::Result<Option<ThreadId>> {
    let text = "SELECT thread_id FROM file WHERE attached_to = ? AND current = 1 LIMIT 1";
    let found = connection.query_row(text, [id.as_str()], |row| row.get::<_, String>(0));
    Ok(found.optional()?.map(ThreadId::from))
}

/// `family` holds everything below thread `?1`. The bound on the depth is for files that contradict each other.
const FAMILY: &str = "WITH RECURSIVE family (id, depth) AS (\
     SELECT thread_id, 1 FROM file WHERE current = 1 AND parent = ?1 UNION \
     SELECT file.thread_id, depth + 1 FROM file JOIN family ON file.parent = family.id \
     WHERE file.current = 1 AND depth < 64)";

/// The column that a list is sorted by; `None` for the manual order.
fn key(query: &Query) -> Option<&'static str> {
    match query.sort_key {
        ThreadSortKey::CreatedAt => Some("created_ms"),
        ThreadSortKey::UpdatedAt => Some("updated_ms"),
        ThreadSortKey::RecencyAt => Some("recency_ms"),
        ThreadSortKey::SectionPosition => None,
    }
}

/// A `WHERE` that grows with what is asked for.
struct Condition {
    text: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Condition {
    fn of(query: &Query, cursor: Option<&Anchor>) -> (String, Vec<Box<dyn ToSql>>) {
        let text = "file.current = 1 AND file.preview <> ''".to_owned();
        let mut all = Self { text, values: Vec::new() };
        match (key(query), &query.section) {
            // They are joined, in their order: the first parameter of the statement.
            (None, Members::Only(members)) => {
                all.values.push(Box::new(json::text(&beyond(query, cursor, members))));
            }
            (_, members) => all.members(members),
        }
        all.members(&query.project);
        all.and("file.archived = ?", query.archived);
        match &query.attached_to {
            Some(source) => all.and("file.attached_to = ?", source.to_string()),
            None if query.with_attached => {}
            None => all.text.push_str(" AND file.attached_to IS NULL"),
        }
        all.family(query);
        if !query.providers.is_empty() {
            let any = "(file.provider = '' OR file.provider IN (SELECT value FROM json_each(?)))";
            all.and(any, json::text(&query.providers));
        }
        if let Some(cwds) = &query.cwds {
            let cwds: Vec<_> = cwds.iter().map(|cwd| cwd.to_string_lossy()).collect();
            all.and("file.cwd IN (SELECT value FROM json_each(?))", json::text(&cwds));
        }
        if let Some(term) = &query.search {
            // One value for all places.
            let found = "EXISTS (SELECT 1 FROM (SELECT ? AS term) \
                 WHERE instr(file.preview, term) OR instr(file.opening, term) OR instr(name.name, term))";
            all.and(found, term.clone());
        }
        if !query.excluded.is_empty() {
            let none = "file.thread_id NOT IN (SELECT value FROM json_each(?))";
            all.and(none, json::text(&query.excluded));
        }
        all.beyond(query, cursor);
        (all.text, all.values)
    }

    fn and(&mut self, condition: &str, value: impl ToSql + 'static) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
        self.values.push(Box::new(value));
    }

    fn members(&mut self, members: &Members) {
        match members {
            Members::Any => {}
            Members::Only(members) => {
                let ids: Vec<_> = members.iter().map(|(_, id)| id).collect();
                self.and("file.thread_id IN (SELECT value FROM json_each(?))", json::text(&ids));
            }
            Members::Except(ids) => {
                self.and("file.thread_id NOT IN (SELECT value FROM json_each(?))", json::text(ids));
            }
        }
    }

    /// Sub-agents are shown to who asks for them, by their family or by their source.
    fn family(&mut self, query: &Query) {
        if let Some(parent) = &query.parent {
            self.and("file.parent = ?", parent.to_string());
        }
        if let Some(ancestor) = &query.ancestor {
            let family = FAMILY.replace("?1", "?");
            self.and(
                &format!("file.thread_id IN ({family} SELECT id FROM family)"),
                ancestor.to_string(),
            );
        }
        let related = query.parent.is_some() || query.ancestor.is_some();
        if !related || !query.sources.is_empty() {
            let kinds = json::text(&row::accepted(&query.sources));
            self.and("file.kind IN (SELECT value FROM json_each(?))", kinds);
        }
    }

    fn beyond(&mut self, query: &Query, cursor: Option<&Anchor>) {
        let (Some(cursor), Some(column)) = (cursor, key(query)) else { return };
        let beyond = match query.direction {
            SortDirection::Asc => ">",
            SortDirection::Desc => "<",
        };
        match &cursor.id {
            None => self.and(&format!("file.{column} {beyond} ?"), cursor.place),
            Some(id) => {
                self.and(&format!("(file.{column}, file.thread_id) {beyond} (?, "), cursor.place);
                self.text.push_str("?)");
                self.values.push(Box::new(id.clone()));
            }
        }
    }
}

/// The members of a section that stand beyond the cursor.
fn beyond<'a>(
    query: &Query,
    cursor: Option<&Anchor>,
    members: &'a [(i64, ThreadId)],
) -> Vec<&'a ThreadId> {
    let is_beyond = |(place, id): &&(i64, ThreadId)| {
        let Some(cursor) = cursor else { return true };
        let here = (*place, cursor.id.as_ref().map(|_| id.as_str()));
        let order = here.cmp(&(cursor.place, cursor.id.as_deref()));
        match query.direction {
            SortDirection::Asc => order.is_gt(),
            SortDirection::Desc => order.is_lt(),
        }
    };
    members.iter().filter(is_beyond).map(|(_, id)| id).collect()
}
