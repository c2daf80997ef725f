//! Records into turns and their items: what a client is shown of a history. The same function serves a thread that
//! runs and one that is read from disk. Pure: no clock, no files.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use crate::protocol::{
    ItemId, ThreadHistoryMode, ThreadItem, TimedItem, Turn, TurnError, TurnId, TurnItemsView,
    TurnStatus,
};
use crate::store::{
    ItemCompleted, Record,
    item::item_id,
    legacy::LegacyEvent,
    record::{TurnAborted, TurnCompleted, TurnStarted},
};

/// The turns of a history, as far as its records have been pushed.
#[derive(Debug, Clone)]
pub(crate) struct Fold {
    mode: ThreadHistoryMode,
    turns: Vec<Folded>,
    places: HashMap<TurnId, usize>,
    /// The turn that lines without a turn's id belong to (legacy).
    open: Option<usize>,
    /// How many records there were.
    records: usize,
    /// How many lines there were, from which turns without an id get theirs (legacy).
    lines: usize,
    /// How many items have a made-up id (legacy).
    made_up: usize,
}

#[derive(Debug, Clone)]
struct Folded {
    turn: Turn,
    items: HashMap<ItemId, usize>,
    /// How the turn ended; `None` as long as it has not.
    end: Option<TurnStatus>,
    /// The turn is there because its lines are, nothing marks its start and end.
    implied: bool,
    has_user: bool,
    made_up: usize,
    /// How many records there were before its first one.
    before: usize,
    /// How many there were with the one that ended it.
    through: Option<usize>,
}

/// Where a history is left.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut<'a> {
    End,
    After(&'a TurnId),
    Before(&'a TurnId),
}

impl Fold {
    pub(crate) fn new(mode: ThreadHistoryMode) -> Self {
        Self {
            mode,
            turns: Vec::new(),
            places: HashMap::new(),
            open: None,
            records: 0,
            lines: 0,
            made_up: 0,
        }
    }

    /// The fold of a whole history.
    pub(crate) fn of(mode: ThreadHistoryMode, records: &[Record]) -> Self {
        let mut fold = Self::new(mode);
        for record in records {
            fold.push(record);
        }
        fold
    }

    /// Takes the next record in.
    pub(crate) fn push(&mut self, record: &Record) {
        match record {
            Record::TurnStarted(started) => self.start(started),
            Record::TurnCompleted(completed) => self.complete(completed),
            Record::TurnAborted(aborted) => self.abort(aborted),
            Record::Item(item) => self.item(item),
            Record::Legacy(event) if self.mode == ThreadHistoryMode::Legacy => self.legacy(event),
            Record::RolledBack { num_turns } => self.roll_back(*num_turns),
            Record::Meta(_)
            | Record::TurnContext(_)
            | Record::Settings(_)
            | Record::History(_)
            | Record::Usage(_)
            | Record::TokenUsageRecord(_)
            | Record::Compacted(_)
            | Record::WorldState(_)
            | Record::Goal(_)
            | Record::Legacy(_)
            | Record::Other => {}
        }
        self.records += 1;
        // Lines that mean nothing were no lines to those who made up the first ids.
        self.lines += usize::from(!matches!(record, Record::Other));
    }

    /// The turns with all their items, oldest first. One that has not ended is interrupted, unless it is `running`.
    pub(crate) fn turns(&self, running: Option<&TurnId>) -> Vec<Turn> {
        self.turns.iter().map(|folded| folded.turn(running)).collect()
    }

    /// How many records are before this place; `None` when its turn is not there.
    pub(crate) fn cut(&self, cut: Cut<'_>) -> Option<usize> {
        match cut {
            Cut::End => Some(self.records),
            Cut::Before(id) => Some(self.turns[*self.places.get(id)?].before),
            Cut::After(id) => {
                let at = *self.places.get(id)?;
                let next = self.turns.get(at + 1).map(|next| next.before);
                self.turns[at].through.or(next).or(Some(self.records))
            }
        }
    }

    /// Whether nothing but its own lines tells of this turn, so that its id is made up.
    pub(crate) fn is_implied(&self, id: &TurnId) -> bool {
        self.places.get(id).is_some_and(|&at| self.turns[at].implied)
    }

    /// The last turn, if it has not ended.
    pub(crate) fn unfinished(&self) -> Option<&TurnId> {
        let last = self.turns.last()?;
        (last.end.is_none() && !last.implied).then_some(&last.turn.id)
    }

    fn start(&mut self, started: &TurnStarted) {
        let at = self.place(&started.turn_id);
        self.open = Some(at);
        let turn = &mut self.turns[at].turn;
        turn.root_turn_id = started.root_turn_id.clone().or(turn.root_turn_id.take());
        turn.started_at = started.started_at.or(turn.started_at);
    }

    fn complete(&mut self, completed: &TurnCompleted) {
        let Some(at) = self.ending(completed.turn_id.as_ref()) else { return };
        let folded = &mut self.turns[at];
        let error = completed.error.as_ref().map(TurnError::from);
        folded.end = Some(if error.is_some() { TurnStatus::Failed } else { TurnStatus::Completed });
        folded.turn.error = error;
        let turn = &mut folded.turn;
        turn.root_turn_id = turn.root_turn_id.take().or_else(|| completed.root_turn_id.clone());
        turn.started_at = turn.started_at.or(completed.started_at);
        turn.completed_at = completed.completed_at;
        turn.duration_ms = completed.duration_ms;
    }

    fn abort(&mut self, aborted: &TurnAborted) {
        let Some(at) = self.ending(aborted.turn_id.as_ref()) else { return };
        let folded = &mut self.turns[at];
        folded.end = Some(TurnStatus::Interrupted);
        let turn = &mut folded.turn;
        turn.root_turn_id = turn.root_turn_id.take().or_else(|| aborted.root_turn_id.clone());
        turn.started_at = turn.started_at.or(aborted.started_at);
        turn.completed_at = aborted.completed_at;
        turn.duration_ms = aborted.duration_ms;
    }

    /// The turn that an end without an id, or with this one, is about; it is not open any more.
    fn ending(&mut self, id: Option<&TurnId>) -> Option<usize> {
        let at = match id {
            Some(id) => Some(self.place(id)),
            None => self.open.filter(|&at| !self.turns[at].implied),
        };
        if self.open == at {
            self.open = None;
        }
        if let Some(at) = at {
            self.turns[at].through = Some(self.records + 1);
        }
        at
    }

    fn item(&mut self, completed: &ItemCompleted) {
        let at = self.place(&completed.turn_id);
        let item = TimedItem {
            item: completed.item.clone(),
            started_at_ms: completed.started_at_ms,
            completed_at_ms: completed.completed_at_ms,
        };
        self.turns[at].add(item);
    }

    fn legacy(&mut self, event: &LegacyEvent) {
        let at = match (event, event.turn_id()) {
            (_, Some(id)) => {
                let known = self.places.get(id).copied();
                known.unwrap_or_else(|| {
                    let at = self.place(id);
                    self.open = Some(at);
                    at
                })
            }
            (LegacyEvent::UserMessage(_), None) => match self.open {
                Some(at) if !self.turns[at].implied => at,
                Some(_) | None => self.imply(),
            },
            (_, None) => self.open.unwrap_or_else(|| self.imply()),
        };
        let number = self.made_up + 1;
        let item = match (event, self.turns[at].turn.items.last_mut().map(|last| &mut last.item)) {
            // Successive thoughts are one item.
            (LegacyEvent::AgentReasoning { text }, Some(ThreadItem::Reasoning { summary, .. })) => {
                summary.push(text.clone());
                return;
            }
            (
                LegacyEvent::AgentReasoningRawContent { text },
                Some(ThreadItem::Reasoning { content, .. }),
            ) => {
                content.push(text.clone());
                return;
            }
            _ => {
                let mut used = false;
                let item = event.item(|| {
                    used = true;
                    ItemId::from(format!("item-{number}"))
                });
                self.made_up += usize::from(used);
                self.turns[at].made_up += usize::from(used);
                item
            }
        };
        self.turns[at].add(TimedItem { item, started_at_ms: None, completed_at_ms: None });
    }

    fn roll_back(&mut self, turns: u32) {
        let users = self
            .turns
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, folded)| folded.has_user)
            .map(|(at, _)| at);
        let Some(cut) = users.take(usize::try_from(turns).unwrap_or(usize::MAX)).last() else {
            return;
        };
        for gone in self.turns.drain(cut..) {
            self.places.remove(&gone.turn.id);
            self.made_up -= gone.made_up;
        }
        self.open = None;
    }

    /// Where the turn of this id is; at the end if it was not there.
    fn place(&mut self, id: &TurnId) -> usize {
        if let Some(&at) = self.places.get(id) {
            return at;
        }
        self.add(id.clone(), false)
    }

    /// A turn that no line announced.
    fn imply(&mut self) -> usize {
        let at = self.add(TurnId::from(format!("rollout-{}", self.lines)), true);
        self.open = Some(at);
        at
    }

    fn add(&mut self, id: TurnId, implied: bool) -> usize {
        let at = self.turns.len();
        self.places.insert(id.clone(), at);
        let turn = Turn {
            id,
            root_turn_id: None,
            items: Vec::new(),
            items_view: TurnItemsView::Full,
            status: TurnStatus::Interrupted,
            error: None,
            started_at: None,
            completed_at: None,
            duration_ms: None,
        };
        self.turns.push(Folded {
            turn,
            items: HashMap::new(),
            end: None,
            implied,
            has_user: false,
            made_up: 0,
            before: self.records,
            through: None,
        });
        at
    }
}

impl Folded {
    /// Adds an item, or replaces the one of its id.
    fn add(&mut self, item: TimedItem) {
        self.has_user |= matches!(item.item, ThreadItem::UserMessage { .. });
        let next = self.turn.items.len();
        let at = *self.items.entry(item_id(&item.item).clone()).or_insert(next);
        match self.turn.items.get_mut(at) {
            Some(known) => *known = item,
            None => self.turn.items.push(item),
        }
    }

    fn turn(&self, running: Option<&TurnId>) -> Turn {
        let open = match running {
            Some(id) if *id == self.turn.id => TurnStatus::InProgress,
            Some(_) | None if self.implied => TurnStatus::Completed,
            Some(_) | None => TurnStatus::Interrupted,
        };
        Turn { status: self.end.unwrap_or(open), ..self.turn.clone() }
    }
}
