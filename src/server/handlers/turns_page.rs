//! Pages of a thread's turns.

use serde::{Deserialize, Serialize};

use super::page::{first, page_size};
use super::place::{Place, Scope, Window};
use crate::protocol::{
    SortDirection, ThreadHistoryMode, ThreadId, ThreadItem, TimedItem, Turn, TurnId, TurnItemsView,
    TurnsPage,
};
use crate::store;
use crate::store::outline::{Kind, Outline, Span};
use crate::thread::fold::Fold;
use crate::util::json;

/// What a page is asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted<'a> {
    pub(super) cursor: Option<&'a str>,
    pub(super) limit: Option<u32>,
    pub(super) direction: Option<SortDirection>,
    pub(super) view: Option<TurnItemsView>,
}

/// A place between turns of a legacy history, as clients carry it: opaque to them, valid for as long as its turn is there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cursor {
    turn_id: TurnId,
    /// Whether the turn itself belongs to the page.
    include_anchor: bool,
}

/// Cuts a page out of a whole legacy history, which is in the order of time.
pub(super) fn page(mut turns: Vec<Turn>, wanted: &Wanted<'_>) -> Result<TurnsPage, store::Error> {
    if wanted.direction.unwrap_or(SortDirection::Desc) == SortDirection::Desc {
        turns.reverse();
    }
    let start = match wanted.cursor {
        Some(cursor) => position(&turns, cursor)?,
        None => 0,
    };
    let from_start = turns.split_off(start);
    let (mut data, next_cursor) =
        first(from_start, page_size(wanted.limit), |turn| cursor(turn, false));
    let backwards_cursor = data.first().map(|turn| cursor(turn, true));
    let view = wanted.view.unwrap_or(TurnItemsView::Summary);
    for turn in &mut data {
        show(turn, view);
    }
    Ok(TurnsPage { data, next_cursor, backwards_cursor })
}

/// Reads a page of a paginated history. `running` is the turn that is not over yet.
pub(super) fn read(
    outline: &Outline,
    thread: &ThreadId,
    wanted: &Wanted<'_>,
    running: Option<&TurnId>,
) -> Result<TurnsPage, store::Error> {
    let from = wanted.cursor.map(|text| Place::parse(text, thread, Scope::Turns)).transpose()?;
    let window = Window {
        from,
        direction: wanted.direction.unwrap_or(SortDirection::Desc),
        size: page_size(wanted.limit),
    };
    let all: Vec<&Span> = outline.turns().iter().collect();
    let (mut turns, more) = window.cut(&all, |turn| turn.ordinal);
    let cursor = |place: Place| place.cursor(thread, Scope::Turns);
    let next_cursor = turns.last().filter(|_| more).map(|turn| cursor(Place::beyond(turn.ordinal)));
    let backwards_cursor = turns.first().map(|turn| cursor(Place::at(turn.ordinal)));
    if window.direction == SortDirection::Desc {
        turns.reverse();
    }
    let view = wanted.view.unwrap_or(TurnItemsView::Summary);
    let entries = turns.iter().flat_map(|turn| outline.entries_of(turn));
    let records = outline.records(entries.filter(|entry| is_shown(entry.kind, view)))?;
    let mut fold = Fold::new(ThreadHistoryMode::Paginated);
    records.iter().for_each(|(_, record)| fold.push(record));
    let mut data = fold.turns(running);
    data.iter_mut().for_each(|turn| show(turn, view));
    if window.direction == SortDirection::Desc {
        data.reverse();
    }
    Ok(TurnsPage { data, next_cursor, backwards_cursor })
}

/// The cursors whose pages start with the newest turn and the newest item, in either direction.
#[derive(Debug)]
pub(super) struct Newest {
    pub(super) turns: Option<String>,
    pub(super) items: Option<String>,
}

impl Newest {
    pub(super) fn of(outline: &Outline, thread: &ThreadId) -> Self {
        let turn = outline.turns().last();
        let item = outline.newest_item();
        Self {
            turns: turn.map(|turn| Place::at(turn.ordinal).cursor(thread, Scope::Turns)),
            items: item.map(|item| Place::at(item.ordinal).cursor(thread, Scope::Items)),
        }
    }

    /// Of a legacy history, which has no pages of items.
    pub(super) fn of_legacy(turns: &[Turn]) -> Self {
        Self { turns: turns.last().map(|turn| cursor(turn, true)), items: None }
    }
}

/// Whether a view may need what stands there.
fn is_shown(kind: Kind, view: TurnItemsView) -> bool {
    match (kind, view) {
        (_, TurnItemsView::Full) | (Kind::Start | Kind::End, _) => true,
        (Kind::UserMessage | Kind::AgentMessage, view) => view == TurnItemsView::Summary,
        (Kind::Item, TurnItemsView::Summary | TurnItemsView::NotLoaded) => false,
    }
}

fn cursor(turn: &Turn, include_anchor: bool) -> String {
    json::text(&Cursor { turn_id: turn.id.clone(), include_anchor })
}

fn position(turns: &[Turn], text: &str) -> Result<usize, store::Error> {
    let invalid = || store::Error::Cursor(text.to_owned());
    let cursor: Cursor = serde_json::from_str(text).map_err(|_| invalid())?;
    let anchor = turns.iter().position(|turn| turn.id == cursor.turn_id).ok_or_else(invalid)?;
    Ok(if cursor.include_anchor { anchor } else { anchor + 1 })
}

/// Reduces a turn to what the view shows of it.
fn show(turn: &mut Turn, view: TurnItemsView) {
    turn.items_view = view;
    match view {
        TurnItemsView::Full => {}
        TurnItemsView::NotLoaded => turn.items.clear(),
        TurnItemsView::Summary => {
            let question = turn.items.iter().position(is_user_message);
            let answer = turn.items.iter().rposition(is_agent_message);
            let mut index = 0;
            turn.items.retain(|_| {
                let kept = Some(index) == question || Some(index) == answer;
                index += 1;
                kept
            });
        }
    }
}

fn is_user_message(item: &TimedItem) -> bool {
    matches!(item.item, ThreadItem::UserMessage { .. })
}

fn is_agent_message(item: &TimedItem) -> bool {
    matches!(item.item, ThreadItem::AgentMessage { .. })
}
