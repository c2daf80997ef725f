//! Pages of stored threads: which are shown, in what order, and where a page goes on.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use super::{
    error::Error,
    locate::{self, Found},
    names::Names,
    summary::{Cache, Summary},
};
use crate::protocol::{
    SessionSource, SortDirection, SubAgentSource, ThreadId, ThreadSortKey, ThreadSourceKind,
};
use crate::util;

/// What to list. The default is what people talked to, of all providers, newest first.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Only the archived ones, or only the others.
    pub(crate) archived: bool,
    /// `SectionPosition` is not for the store and counts as `CreatedAt`.
    pub(crate) sort_key: ThreadSortKey,
    pub(crate) direction: SortDirection,
    pub(crate) limit: usize,
    pub(crate) cursor: Option<String>,
    /// Empty for all.
    pub(crate) providers: Vec<String>,
    /// Empty for the interactive ones.
    pub(crate) sources: Vec<ThreadSourceKind>,
    /// Absolute and normalized. `None` for all, empty for nothing.
    pub(crate) cwds: Option<Vec<PathBuf>>,
    /// In the name or the preview.
    pub(crate) search: Option<String>,
    pub(crate) excluded: Vec<ThreadId>,
    /// Sub-agents of this thread, whatever their source.
    pub(crate) parent: Option<ThreadId>,
    /// Sub-agents of this thread at any depth.
    pub(crate) ancestor: Option<ThreadId>,
    /// Attached forks of this thread.
    pub(crate) attached_to: Option<ThreadId>,
    /// Attached forks, too.
    pub(crate) with_attached: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            archived: false,
            sort_key: ThreadSortKey::CreatedAt,
            direction: SortDirection::Desc,
            limit: 25,
            cursor: None,
            providers: Vec::new(),
            sources: Vec::new(),
            cwds: None,
            search: None,
            excluded: Vec::new(),
            parent: None,
            ancestor: None,
            attached_to: None,
            with_attached: false,
        }
    }
}

/// Some rows, and how to get those after and before them.
#[derive(Debug, Clone)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    pub(crate) next_cursor: Option<String>,
    pub(crate) backwards_cursor: Option<String>,
}

pub(super) fn list(
    home: &Path,
    cache: &Cache,
    names: &Names,
    query: &Query,
) -> Result<Page<Summary>, Error> {
    let after = query.cursor.as_deref().map(Anchor::parse).transpose()?;
    let mut rows = summaries(home, cache, query.archived);
    names.read(|names| {
        for row in &mut rows {
            row.name = names.get(row.id.as_str()).cloned();
        }
    });
    let family = query.ancestor.as_ref().map(|ancestor| descendants(&rows, ancestor));
    rows.retain(|row| shows(query, family.as_ref(), row));
    rows.sort_by(|a, b| position(query, a).cmp(&position(query, b)));
    if query.direction == SortDirection::Desc {
        rows.reverse();
    }
    if let Some(after) = &after {
        rows.retain(|row| after.is_before(query.direction, position(query, row)));
    }
    let more = rows.len() > query.limit.max(1);
    rows.truncate(query.limit.max(1));
    let next = rows.last().filter(|_| more).map(|row| position(query, row));
    let back = rows.first().map(|row| position(query, row).0);
    // One millisecond back, so that the row itself is found again from the other direction.
    let back = back.map(|ms| match query.direction {
        SortDirection::Desc => ms - 1,
        SortDirection::Asc => ms + 1,
    });
    Ok(Page {
        next_cursor: next.map(|(ms, id)| format!("{}|{id}", util::time::rfc3339_millis(ms))),
        backwards_cursor: back.map(util::time::rfc3339_millis),
        data: rows,
    })
}

/// Every listed thread once, by its newest file. Files that are not rollouts do not count.
pub(super) fn summaries(home: &Path, cache: &Cache, archived: bool) -> Vec<Summary> {
    let found = if archived { locate::archive(home) } else { locate::sessions(home) };
    let mut newest: HashMap<String, Found> = HashMap::new();
    for file in found.into_iter().filter(|file| file.listed && !file.compressed) {
        match newest.get(&file.name.id) {
            Some(known) if known.name >= file.name => {}
            Some(_) | None => drop(newest.insert(file.name.id.clone(), file)),
        }
    }
    let mut ids = HashSet::new();
    let read = newest.into_values().filter_map(|file| cache.summary(home, &file.path).ok());
    read.filter(|row| ids.insert(row.id.clone())).collect()
}

fn position<'a>(query: &Query, row: &'a Summary) -> (i64, &'a str) {
    let time = match query.sort_key {
        ThreadSortKey::CreatedAt | ThreadSortKey::SectionPosition => row.created_at_ms,
        ThreadSortKey::UpdatedAt => row.updated_at_ms,
        ThreadSortKey::RecencyAt => row.recency_at_ms,
    };
    (time, row.id.as_str())
}

/// A place between rows: `<RFC 3339 time>|<id>`, or the time alone.
struct Anchor {
    ms: i64,
    id: Option<String>,
}

impl Anchor {
    fn parse(cursor: &str) -> Result<Self, Error> {
        let (time, id) = match cursor.split_once('|') {
            Some((time, id)) => (time, Some(id.to_owned())),
            None => (cursor, None),
        };
        let ms = util::time::parse_rfc3339_millis(time)
            .ok_or_else(|| Error::Cursor(cursor.to_owned()))?;
        Ok(Self { ms, id })
    }

    fn is_before(&self, direction: SortDirection, (ms, id): (i64, &str)) -> bool {
        let order = match &self.id {
            Some(anchor) => (ms, id).cmp(&(self.ms, anchor)),
            None => ms.cmp(&self.ms),
        };
        match direction {
            SortDirection::Asc => order.is_gt(),
            SortDirection::Desc => order.is_lt(),
        }
    }
}

fn shows(query: &Query, family: Option<&HashSet<ThreadId>>, row: &Summary) -> bool {
    let related = query.parent.is_some() || family.is_some();
    let attached = match &query.attached_to {
        Some(source) => row.attached_to_thread_id.as_ref() == Some(source),
        None => query.with_attached || row.attached_to_thread_id.is_none(),
    };
    let provider = row.model_provider.as_deref().unwrap_or_default();
    let cwd = |cwds: &Vec<PathBuf>| cwds.contains(&util::path::normalize(&row.cwd));
    !row.preview.is_empty()
        && attached
        && (related && query.sources.is_empty() || is_source(&query.sources, &row.source))
        && (query.providers.is_empty()
            || row.model_provider.is_none()
            || query.providers.iter().any(|name| name == provider))
        && query.cwds.as_ref().is_none_or(cwd)
        && query.search.as_deref().is_none_or(|term| has(row, term))
        && !query.excluded.contains(&row.id)
        && query.parent.as_ref().is_none_or(|parent| row.parent_thread_id.as_ref() == Some(parent))
        && family.is_none_or(|family| family.contains(&row.id))
}

fn has(row: &Summary, term: &str) -> bool {
    row.preview.contains(term) || row.name.as_ref().is_some_and(|name| name.contains(term))
}

fn is_source(kinds: &[ThreadSourceKind], source: &SessionSource) -> bool {
    use ThreadSourceKind as Kind;
    let accepts = |kind: Kind| match kinds {
        [] => matches!(kind, Kind::Cli | Kind::Vscode),
        kinds => kinds.contains(&kind),
    };
    match source {
        SessionSource::Cli => accepts(Kind::Cli),
        SessionSource::Vscode => accepts(Kind::Vscode),
        SessionSource::Exec => accepts(Kind::Exec),
        SessionSource::AppServer => accepts(Kind::AppServer),
        SessionSource::Unknown | SessionSource::Custom(_) => accepts(Kind::Unknown),
        SessionSource::SubAgent(agent) => {
            accepts(Kind::SubAgent)
                || match agent {
                    SubAgentSource::Review => accepts(Kind::SubAgentReview),
                    SubAgentSource::Compact => accepts(Kind::SubAgentCompact),
                    SubAgentSource::ThreadSpawn { .. } => accepts(Kind::SubAgentThreadSpawn),
                    SubAgentSource::MemoryConsolidation | SubAgentSource::Other(_) => {
                        accepts(Kind::SubAgentOther)
                    }
                }
        }
    }
}

fn descendants(rows: &[Summary], ancestor: &ThreadId) -> HashSet<ThreadId> {
    let mut children: HashMap<&ThreadId, Vec<&ThreadId>> = HashMap::new();
    for row in rows {
        if let Some(parent) = &row.parent_thread_id {
            children.entry(parent).or_default().push(&row.id);
        }
    }
    let mut family = HashSet::new();
    let mut next = vec![ancestor];
    while let Some(id) = next.pop() {
        for &child in children.get(id).into_iter().flatten() {
            if family.insert(child.clone()) {
                next.push(child);
            }
        }
    }
    family
}
