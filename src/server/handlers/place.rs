//! Places in paginated histories, as clients carry them in cursors, and the pages that begin there.

use serde::{Deserialize, Serialize};

use crate::protocol::{SortDirection, ThreadId};
use crate::store;
use crate::util::json;

/// A place as its text: opaque to clients, valid for as long as the history only grows.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cursor {
    requested_thread_id: ThreadId,
    rollout_ordinal: u64,
    include_anchor: bool,
    scope: Scope,
}

/// What a page consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum Scope {
    Turns,
    #[serde(rename = "itemsByCreatedAtOrdinal")]
    Items,
    Timeline,
}

/// A place in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ordinal: u64,
    /// Whether what stands at the place itself belongs to the page.
    pub(super) included: bool,
}

impl Place {
    pub(super) fn at(ordinal: u64) -> Self {
        Self { ordinal, included: true }
    }

    pub(super) fn beyond(ordinal: u64) -> Self {
        Self { ordinal, included: false }
    }

    /// The cursor of this place.
    pub(super) fn cursor(self, thread: &ThreadId, scope: Scope) -> String {
        json::text(&Cursor {
            requested_thread_id: thread.clone(),
            rollout_ordinal: self.ordinal,
            include_anchor: self.included,
            scope,
        })
    }

    /// The place of a cursor that was made for this thread and scope.
    pub(super) fn parse(text: &str, thread: &ThreadId, scope: Scope) -> Result<Self, store::Error> {
        let cursor: Option<Cursor> = serde_json::from_str(text).ok();
        let cursor =
            cursor.filter(|cursor| cursor.requested_thread_id == *thread && cursor.scope == scope);
        let cursor = cursor.ok_or_else(|| store::Error::Cursor(text.to_owned()))?;
        Ok(Self { ordinal: cursor.rollout_ordinal, included: cursor.include_anchor })
    }
}

/// The part of a history that is asked for.
pub(super) struct Window {
    pub(super) from: Option<Place>,
    pub(super) direction: SortDirection,
    pub(super) size: usize,
}

impl Window {
    /// The rows that the window shows, in its direction, and whether there are more behind them. `rows` is in the
    /// order of the history; `ordinal` tells the place of a row.
    pub(super) fn cut<T: Copy>(&self, rows: &[T], ordinal: impl Fn(T) -> u64) -> (Vec<T>, bool) {
        let forwards = self.direction == SortDirection::Asc;
        let rows = match self.from {
            None => rows,
            Some(Place { ordinal: from, included }) => {
                // Going forwards the place itself is the first that may belong to the page, backwards the last.
                let before = rows.partition_point(|&row| match ordinal(row) {
                    here if here == from => forwards != included,
                    here => here < from,
                });
                if forwards { &rows[before..] } else { &rows[..before] }
            }
        };
        let more = rows.len() > self.size;
        let shown = self.size.min(rows.len());
        let page = if forwards {
            rows[..shown].to_vec()
        } else {
            rows[rows.len() - shown..].iter().rev().copied().collect()
        };
        (page, more)
    }
}
