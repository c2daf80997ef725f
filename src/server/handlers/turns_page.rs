//! Pages of a thread's turns.

use serde::{Deserialize, Serialize};

use super::page::{first, page_size};
use crate::protocol::{
    SortDirection, ThreadItem, TimedItem, Turn, TurnId, TurnItemsView, TurnsPage,
};
use crate::server::error::{Error, Result};

/// What a page is asked for.
pub(super) struct Wanted<'a> {
    pub(super) cursor: Option<&'a str>,
    pub(super) limit: Option<u32>,
    pub(super) direction: Option<SortDirection>,
    pub(super) view: Option<TurnItemsView>,
}

/// A place between turns, as clients carry it: opaque to them, valid for as long as its turn is there.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cursor {
    turn_id: TurnId,
    /// Whether the turn itself belongs to the page.
    include_anchor: bool,
}

/// Cuts a page out of a whole history, which is in the order of time.
pub(super) fn page(mut turns: Vec<Turn>, wanted: &Wanted<'_>) -> Result<TurnsPage> {
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

/// The cursor whose page starts with the newest turn, in either direction.
pub(super) fn newest(turns: &[Turn]) -> Option<String> {
    turns.last().map(|turn| cursor(turn, true))
}

fn cursor(turn: &Turn, include_anchor: bool) -> String {
    let cursor = Cursor { turn_id: turn.id.clone(), include_anchor };
    // A struct of a string and a flag always has a JSON text.
    serde_json::to_string(&cursor).unwrap_or_default()
}

fn position(turns: &[Turn], text: &str) -> Result<usize> {
    let invalid = || Error::invalid_request(format!("invalid cursor: {text}"));
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
