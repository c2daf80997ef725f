//! Histories in parts: items and the timeline, page by page. Only paginated histories can be read so.

use super::page::page_size;
use super::place::{Place, Scope, Window};
use crate::protocol::method::{self, Request};
use crate::protocol::{
    ItemId, SortDirection, ThreadHistoryMode, ThreadId, ThreadItem, ThreadItemEntry,
    ThreadItemOutputDeferral, ThreadItemsListAnchor, ThreadItemsListCursor, ThreadItemsListParams,
    ThreadItemsListResponse, ThreadItemsReadParams, ThreadItemsReadResponse, ThreadTimelineEntry,
    ThreadTimelineListParams, ThreadTimelineListResponse, TimedItem, TurnId,
};
use crate::server::context::{Cx, check_thread_id};
use crate::server::error::{Error, Result};
use crate::store::outline::{Entry, Outline};
use crate::store::{self, ItemCompleted, Record};
use crate::thread;
use crate::thread::fold::Fold;

/// Works on the outline of a paginated history. A thread that has no file yet has the default.
pub(super) async fn outlined<M: Request, T: Default + Send + 'static>(
    cx: &Cx,
    id: &ThreadId,
    work: impl FnOnce(&Outline) -> Result<T, store::Error> + Send + 'static,
) -> Result<T> {
    check_thread_id(id)?;
    let mut path = None;
    if let Some(handle) = cx.server.threads.get(id) {
        let found = handle.snapshot().await?;
        if found.thread.ephemeral || found.thread.history_mode != ThreadHistoryMode::Paginated {
            return Err(Error::unsupported(M::METHOD));
        }
        if !found.materialized {
            return Ok(T::default());
        }
        path = found.thread.path;
    }
    let work = move |outline: &Outline| match outline.is_paginated() {
        true => work(outline).map(Some),
        false => Ok(None),
    };
    match cx.server.threads.outline(id, path, work).await {
        Ok(Some(done)) => Ok(done),
        Ok(None) | Err(thread::Error::Store(store::Error::NotFound(_))) => {
            Err(Error::unsupported(M::METHOD))
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn items(
    cx: Cx,
    params: ThreadItemsListParams,
) -> Result<ThreadItemsListResponse> {
    let id = params.thread_id.clone();
    outlined::<method::ThreadItemsList, _>(&cx, &id, move |outline| page(outline, &params)).await
}

fn page(
    outline: &Outline,
    params: &ThreadItemsListParams,
) -> Result<ThreadItemsListResponse, store::Error> {
    let thread = &params.thread_id;
    let window = Window {
        from: begin(outline, params)?,
        direction: params.sort_direction.unwrap_or(SortDirection::Asc),
        size: page_size(params.limit),
    };
    let items: Vec<&Entry> = match &params.turn_id {
        None => outline.entries().iter().filter(|entry| entry.kind.is_item()).collect(),
        Some(turn) => {
            let turn = outline.turn(turn).into_iter();
            let entries = turn.flat_map(|turn| outline.entries_of(turn));
            entries.filter(|entry| entry.kind.is_item()).collect()
        }
    };
    let (rows, more) = window.cut(&items, |entry| entry.ordinal);
    let cursor = |place: Place| place.cursor(thread, Scope::Items);
    let next = rows.last().filter(|_| more).map(|last| cursor(Place::beyond(last.ordinal)));
    let backwards = rows.first().map(|first| cursor(Place::at(first.ordinal)));
    let mut data = read(outline, rows)?;
    if let Some(deferral) = params.defer_output {
        data.iter_mut().for_each(|entry| defer(entry, deferral));
    }
    Ok(ThreadItemsListResponse { data, next_cursor: next, backwards_cursor: backwards })
}

/// Where the page begins.
fn begin(outline: &Outline, params: &ThreadItemsListParams) -> Result<Option<Place>, store::Error> {
    match (&params.cursor, &params.turn_id) {
        (None, _) => Ok(None),
        (Some(ThreadItemsListCursor::Opaque(text)), _) => {
            Place::parse(text, &params.thread_id, Scope::Items).map(Some)
        }
        (Some(ThreadItemsListCursor::Anchor(_)), None) => {
            Err(store::Error::invalid_params("turnId is required when cursor is an item anchor"))
        }
        (
            Some(ThreadItemsListCursor::Anchor(ThreadItemsListAnchor::Item { item_id })),
            Some(turn),
        ) => match outline.item(turn, item_id) {
            Some(entry) => Ok(Some(Place::beyond(entry.ordinal))),
            None => Err(store::Error::invalid_params(
                "cursor.itemId does not identify an item in the requested history scope",
            )),
        },
    }
}

/// The items of these entries.
fn read(outline: &Outline, rows: Vec<&Entry>) -> Result<Vec<ThreadItemEntry>, store::Error> {
    let records = outline.records(rows)?.into_iter();
    Ok(records
        .filter_map(|(_, record)| {
            let Record::Item(item) = record else { return None };
            Some(entry(*item))
        })
        .collect())
}

fn entry(stored: ItemCompleted) -> ThreadItemEntry {
    let ItemCompleted { turn_id, item, started_at_ms, completed_at_ms, .. } = stored;
    let item = TimedItem { item, started_at_ms, completed_at_ms };
    ThreadItemEntry { turn_id, item, started_at_ms, completed_at_ms, output_deferred: false }
}

/// Takes an item's output away, if it is one of those that are not wanted now.
fn defer(entry: &mut ThreadItemEntry, deferral: ThreadItemOutputDeferral) {
    let item = &mut entry.item.item;
    entry.output_deferred = if let ThreadItem::CommandExecution { aggregated_output, .. } = item {
        deferral.command_execution
            && aggregated_output.take_if(|output| !output.is_empty()).is_some()
    } else if let ThreadItem::McpToolCall { result, .. } = item {
        deferral.mcp_tool_call && result.take().is_some()
    } else {
        false
    };
}

pub(crate) async fn read_items(
    cx: Cx,
    params: ThreadItemsReadParams,
) -> Result<ThreadItemsReadResponse> {
    let ThreadItemsReadParams { thread_id, turn_id, item_ids } = params;
    if !(1..=100).contains(&item_ids.len()) {
        return Err(Error::invalid_request("itemIds must contain 1 to 100 IDs"));
    }
    let work = move |outline: &Outline| pick(outline, &turn_id, &item_ids);
    outlined::<method::ThreadItemsRead, _>(&cx, &thread_id, work).await
}

fn pick(
    outline: &Outline,
    turn: &TurnId,
    ids: &[ItemId],
) -> Result<ThreadItemsReadResponse, store::Error> {
    let mut rows: Vec<&Entry> = ids.iter().filter_map(|id| outline.item(turn, id)).collect();
    rows.sort_by_key(|entry| entry.ordinal);
    rows.dedup_by_key(|entry| entry.ordinal);
    Ok(ThreadItemsReadResponse { data: read(outline, rows)? })
}

pub(crate) async fn timeline(
    cx: Cx,
    params: ThreadTimelineListParams,
) -> Result<ThreadTimelineListResponse> {
    let id = params.thread_id.clone();
    outlined::<method::ThreadTimelineList, _>(&cx, &id, move |outline| course(outline, &params))
        .await
}

fn course(
    outline: &Outline,
    params: &ThreadTimelineListParams,
) -> Result<ThreadTimelineListResponse, store::Error> {
    let thread = &params.thread_id;
    let from = match &params.cursor {
        None => None,
        Some(text) => match Place::parse(text, thread, Scope::Timeline) {
            Ok(place) => Some(place),
            Err(_) => return Err(store::Error::refused("invalid thread timeline cursor")),
        },
    };
    let window = Window { from, direction: SortDirection::Desc, size: page_size(params.limit) };
    let all: Vec<&Entry> = outline.entries().iter().collect();
    let (mut rows, more) = window.cut(&all, |entry| entry.ordinal);
    rows.reverse();
    let next_cursor = rows
        .first()
        .filter(|_| more)
        .map(|oldest| Place::beyond(oldest.ordinal).cursor(thread, Scope::Timeline));
    let records = outline.records(rows)?.into_iter();
    let data = records
        .filter_map(|(entry, record)| happened(entry.ordinal, &outline.turn_of(entry).id, record));
    Ok(ThreadTimelineListResponse {
        data: data.collect(),
        next_cursor,
        active_realtime_session_at_page_start: None,
    })
}

fn happened(position: u64, turn: &TurnId, record: Record) -> Option<ThreadTimelineEntry> {
    let turn_id = turn.clone();
    if let Record::TurnStarted(started) = record {
        return Some(ThreadTimelineEntry::TurnStarted {
            position,
            turn_id,
            started_at: started.started_at,
        });
    }
    if let Record::Item(item) = record {
        let item = Box::new(entry(*item).item);
        return Some(ThreadTimelineEntry::Item { position, turn_id, item });
    }
    // How a turn ended is told as in the turn itself.
    let mut fold = Fold::new(ThreadHistoryMode::Paginated);
    fold.push(&record);
    let turn = fold.turns(None).pop()?;
    Some(ThreadTimelineEntry::TurnCompleted {
        position,
        turn_id,
        status: turn.status,
        error: turn.error.map(Box::new),
        started_at: turn.started_at,
        completed_at: turn.completed_at,
        duration_ms: turn.duration_ms,
    })
}
