//! Finding a text in one thread: in what the user has said and in the final answers.

use serde::{Deserialize, Serialize};

use super::history::outlined;
use super::place::{Place, Scope};
use crate::protocol::method;
use crate::protocol::{
    ItemId, ThreadId, ThreadSearchOccurrence, ThreadSearchOccurrencesParams,
    ThreadSearchOccurrencesResponse, ThreadSearchTextRange,
};
use crate::server::context::Cx;
use crate::server::error::{Error, Result};
use crate::store::item::{item_id, said};
use crate::store::outline::{Entry, Kind, Outline};
use crate::store::{self, Record};
use crate::util::find::{Needle, Snippet};
use crate::util::json;

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 250;

/// How many messages are in memory at once.
const BATCH: usize = 16;

/// Where a search goes on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cursor {
    thread_id: ThreadId,
    search_term: String,
    next_rollout_ordinal: u64,
    /// How many places of that message have been told.
    next_occurrence_index: usize,
}

pub(crate) async fn search(
    cx: Cx,
    params: ThreadSearchOccurrencesParams,
) -> Result<ThreadSearchOccurrencesResponse> {
    let refusal = "thread/searchOccurrences requires a non-empty searchTerm";
    let needle = Needle::new(params.search_term.trim());
    let needle = needle.ok_or_else(|| Error::invalid_request(refusal))?;
    let id = params.thread_id.clone();
    let work = move |outline: &Outline| page(outline, &params, &needle);
    outlined::<method::ThreadSearchOccurrences, _>(&cx, &id, work).await
}

fn page(
    outline: &Outline,
    params: &ThreadSearchOccurrencesParams,
    needle: &Needle,
) -> Result<ThreadSearchOccurrencesResponse, store::Error> {
    let size = params.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize;
    let mut cursor = begin(params)?;
    let mut data = Vec::new();
    let messages = messages(outline, cursor.next_rollout_ordinal);
    for batch in messages.chunks(BATCH) {
        for (entry, record) in outline.records(batch.iter().copied())? {
            let Record::Item(item) = record else { continue };
            let text = said(&item.item).unwrap_or_default();
            let told = match entry.ordinal == cursor.next_rollout_ordinal {
                true => cursor.next_occurrence_index,
                false => 0,
            };
            for (index, place) in needle.places(&text).enumerate().skip(told) {
                if data.len() == size {
                    (cursor.next_rollout_ordinal, cursor.next_occurrence_index) =
                        (entry.ordinal, index);
                    let next_cursor = Some(json::text(&cursor));
                    return Ok(ThreadSearchOccurrencesResponse { data, next_cursor });
                }
                let snippet = Snippet::around(&text, place);
                data.push(occurrence(outline, params, entry, item_id(&item.item), snippet));
            }
        }
    }
    Ok(ThreadSearchOccurrencesResponse { data, next_cursor: None })
}

fn begin(params: &ThreadSearchOccurrencesParams) -> Result<Cursor, store::Error> {
    let Some(text) = &params.cursor else {
        return Ok(Cursor {
            thread_id: params.thread_id.clone(),
            search_term: params.search_term.clone(),
            next_rollout_ordinal: 0,
            next_occurrence_index: 0,
        });
    };
    let cursor: Option<Cursor> = serde_json::from_str(text).ok();
    let same = |cursor: &Cursor| {
        cursor.thread_id == params.thread_id && cursor.search_term == params.search_term
    };
    cursor.filter(same).ok_or_else(|| store::Error::Cursor(text.clone()))
}

/// The messages in which texts are found: those of the user, and the last one of the agent in each turn.
fn messages(outline: &Outline, from: u64) -> Vec<&Entry> {
    let mut messages: Vec<&Entry> = Vec::new();
    for turn in outline.turns() {
        let is_kind = |kind: Kind| move |entry: &&Entry| entry.kind == kind;
        messages.extend(outline.entries_of(turn).filter(is_kind(Kind::UserMessage)));
        messages.extend(outline.entries_of(turn).filter(is_kind(Kind::AgentMessage)).last());
    }
    messages.retain(|entry| entry.ordinal >= from);
    messages.sort_by_key(|entry| entry.ordinal);
    messages
}

fn occurrence(
    outline: &Outline,
    params: &ThreadSearchOccurrencesParams,
    entry: &Entry,
    item: &ItemId,
    snippet: Snippet,
) -> ThreadSearchOccurrence {
    let turn = outline.turn_of(entry);
    let unit = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    ThreadSearchOccurrence {
        turn_id: turn.id.clone(),
        item_id: item.clone(),
        snippet: snippet.text,
        snippet_match_range: ThreadSearchTextRange {
            start: unit(snippet.place.start),
            end: unit(snippet.place.end),
        },
        turn_cursor: Place::at(turn.ordinal).cursor(&params.thread_id, Scope::Turns),
    }
}
