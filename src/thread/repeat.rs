//! Inputs that come again because their answer got lost on the way: they are answered with the turn that they are
//! in, and do not run twice.
//!
//! A repeat has the client's own id for the message (`clientUserMessageId`) and the same content. What was in a turn
//! that has failed or was interrupted may be sent again on purpose, so it is run.

use std::collections::VecDeque;

use super::said::UserSaid;
use crate::protocol::{Turn, TurnItemsView, TurnStatus};
use crate::util::json;

/// How many inputs are remembered. A client that repeats one does so soon.
const KEPT: usize = 32;

/// The last inputs that have an id.
#[derive(Debug, Default)]
pub(super) struct Accepted(VecDeque<Entry>);

#[derive(Debug)]
struct Entry {
    input: Input,
    turn: Turn,
}

/// What makes an input the same as another.
#[derive(Debug, PartialEq, Eq)]
struct Input {
    id: String,
    /// Stands for the content, which may be large.
    content: String,
}

impl Input {
    /// `None` for an input without an id, which is never a repeat.
    fn of(said: &UserSaid) -> Option<Self> {
        let id = said.client_id.clone()?;
        Some(Self { id, content: json::sha256(&said.content) })
    }
}

impl Accepted {
    /// The turn, as it is now, that this input is in already.
    pub(super) fn turn_of(&self, said: &UserSaid) -> Option<&Turn> {
        let input = Input::of(said)?;
        self.0.iter().find(|entry| entry.input == input).map(|entry| &entry.turn)
    }

    /// An input has become a part of a turn.
    pub(super) fn add(&mut self, said: &UserSaid, turn: Turn) {
        let Some(input) = Input::of(said) else { return };
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Entry { input, turn });
    }

    /// A turn is over.
    pub(super) fn ended(&mut self, turn: &Turn) {
        if turn.status != TurnStatus::Completed {
            return self.0.retain(|entry| entry.turn.id != turn.id);
        }
        for entry in self.0.iter_mut().filter(|entry| entry.turn.id == turn.id) {
            entry.turn =
                Turn { items: Vec::new(), items_view: TurnItemsView::NotLoaded, ..turn.clone() };
        }
    }
}
