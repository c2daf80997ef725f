//! Pages of stored threads: what can be asked for, and where a page goes on. The index answers.

use std::path::PathBuf;

use super::{error::Error, summary::Summary};
use crate::protocol::{SortDirection, ThreadId, ThreadSortKey, ThreadSourceKind};
use crate::util;

/// What to list. The default is what people talked to, of all providers, newest first.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Only the archived ones, or only the others.
    pub(crate) archived: bool,
    /// `SectionPosition` is the order of `section`, which has to be `Members::Only`.
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
    /// By the section that the user has put them in.
    pub(crate) section: Members,
    /// By the project that they belong to.
    pub(crate) project: Members,
    /// Answer without looking for what has changed on disk.
    pub(crate) stale: bool,
}

/// Which threads belong to a group.
#[derive(Debug, Clone, Default)]
pub(crate) enum Members {
    /// It does not matter.
    #[default]
    Any,
    /// These, in the order of the group, each with its place there.
    Only(Vec<(i64, ThreadId)>),
    /// All but these.
    Except(Vec<ThreadId>),
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
            section: Members::Any,
            project: Members::Any,
            stale: false,
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

/// A place between rows: `<RFC 3339 time>|<id>`, or the time alone; in the manual order `<place>|<id>`.
#[derive(Debug)]
pub(super) struct Anchor {
    /// Milliseconds, or the place in the section.
    pub(super) place: i64,
    pub(super) id: Option<String>,
}

impl Query {
    /// Where the page begins.
    pub(super) fn anchor(&self) -> Result<Option<Anchor>, Error> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let (place, id) = match cursor.split_once('|') {
            Some((place, id)) => (place, Some(id.to_owned())),
            None => (cursor.as_str(), None),
        };
        let place = match self.sort_key {
            ThreadSortKey::SectionPosition => place.parse().ok(),
            ThreadSortKey::CreatedAt | ThreadSortKey::UpdatedAt | ThreadSortKey::RecencyAt => {
                util::time::parse_rfc3339_millis(place)
            }
        };
        let place = place.ok_or_else(|| Error::Cursor(cursor.clone()))?;
        Ok(Some(Anchor { place, id }))
    }

    /// The cursor for what follows a row.
    pub(super) fn after(&self, row: &Summary) -> String {
        format!("{}|{}", self.written(self.place(row)), row.id)
    }

    /// The cursor for what stands before a row, in the other direction.
    pub(super) fn before(&self, row: &Summary) -> String {
        // One step back, so that the row itself is found again from the other direction.
        let step = match self.direction {
            SortDirection::Desc => -1,
            SortDirection::Asc => 1,
        };
        self.written(self.place(row) + step)
    }

    fn place(&self, row: &Summary) -> i64 {
        match (self.sort_key, &self.section) {
            (ThreadSortKey::CreatedAt, _) => row.created_at_ms,
            (ThreadSortKey::UpdatedAt, _) => row.updated_at_ms,
            (ThreadSortKey::RecencyAt, _) => row.recency_at_ms,
            (ThreadSortKey::SectionPosition, Members::Only(members)) => members
                .iter()
                .find(|(_, id)| *id == row.id)
                .map_or(row.created_at_ms, |(place, _)| *place),
            (ThreadSortKey::SectionPosition, Members::Any | Members::Except(_)) => {
                row.created_at_ms
            }
        }
    }

    fn written(&self, place: i64) -> String {
        match self.sort_key {
            ThreadSortKey::SectionPosition => place.to_string(),
            ThreadSortKey::CreatedAt | ThreadSortKey::UpdatedAt | ThreadSortKey::RecencyAt => {
                util::time::rfc3339_millis(place)
            }
        }
    }
}
