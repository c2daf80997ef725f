//! Plan mode: a message of the model may hold a plan, which is an item of its own.
//!
//! The plan stands between two tags on lines of their own, and comes in deltas that break anywhere. What is said
//! around it stays a message; one that says nothing besides its plan is none. The model sees its text again as it
//! wrote it.

#[cfg(test)]
mod tests;

use serde_json::value::RawValue;

use super::actor::Actor;
use super::item;
use super::stream::meant;
use crate::model::history_item;
use crate::protocol::{
    AgentMessageDeltaNotification, ItemId, MessagePhase, ModeKind, PlanDeltaNotification,
    ThreadItem, TurnId, method,
};
use crate::util::time::now_ms;

const OPENING: &str = "<proposed_plan>";
const CLOSING: &str = "</proposed_plan>";

/// What the model writes, told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// The opening tag.
    Opened,
    Planned(String),
    Said(String),
}

/// Tells the plan from what is said around it, however the text is cut into deltas.
#[derive(Debug, Default)]
struct Splitter {
    /// The beginning of a line that may turn out to be a tag.
    line: String,
    /// The line that is being written is no tag.
    passing: bool,
    inside: bool,
}

impl Splitter {
    fn push(&mut self, delta: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for part in delta.split_inclusive('\n') {
            self.line.push_str(part);
            let is_whole = part.ends_with('\n');
            if self.passing || !self.may_become_tag() {
                self.pass(&mut pieces);
                self.passing = !is_whole;
            } else if is_whole {
                self.end_line(&mut pieces);
            }
        }
        pieces
    }

    /// What is left when the text is over.
    fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.end_line(&mut pieces);
        pieces
    }

    fn tag(&self) -> &'static str {
        if self.inside { CLOSING } else { OPENING }
    }

    fn may_become_tag(&self) -> bool {
        let (line, tag) = (self.line.trim_start(), self.tag());
        match line.strip_prefix(tag) {
            Some(rest) => rest.trim().is_empty(),
            None => tag.starts_with(line) || line.trim().is_empty(),
        }
    }

    fn end_line(&mut self, pieces: &mut Vec<Piece>) {
        self.passing = false;
        if self.line.trim() != self.tag() {
            return self.pass(pieces);
        }
        self.line.clear();
        self.inside = !self.inside;
        if self.inside {
            pieces.push(Piece::Opened);
        }
    }

    /// Hands on what has been held back.
    fn pass(&mut self, pieces: &mut Vec<Piece>) {
        let text = std::mem::take(&mut self.line);
        match (self.inside, pieces.last_mut()) {
            _ if text.is_empty() => {}
            (true, Some(Piece::Planned(last))) | (false, Some(Piece::Said(last))) => {
                last.push_str(&text);
            }
            (true, _) => pieces.push(Piece::Planned(text)),
            (false, _) => pieces.push(Piece::Said(text)),
        }
    }
}

/// A whole message, told apart.
#[derive(Debug, Default, PartialEq, Eq)]
struct Split {
    said: String,
    /// The last plan, if there is one.
    plan: Option<String>,
}

fn split(text: &str) -> Split {
    let mut splitter = Splitter::default();
    let mut split = Split::default();
    for piece in splitter.push(text).into_iter().chain(splitter.finish()) {
        match piece {
            Piece::Opened => split.plan = Some(String::new()),
            Piece::Planned(text) => split.plan.get_or_insert_default().push_str(&text),
            Piece::Said(text) => split.said.push_str(&text),
        }
    }
    split
}

/// A message that is being written in plan mode.
#[derive(Debug)]
pub(super) struct Planning {
    message: ItemId,
    phase: Option<MessagePhase>,
    splitter: Splitter,
    /// White space that may be all that is said.
    held: String,
    /// When the items were shown, as far as they have been.
    message_started: Option<i64>,
    plan_started: Option<i64>,
    /// What has been shown of either.
    said: String,
    planned: String,
}

impl Planning {
    fn new(message: ItemId, phase: Option<MessagePhase>) -> Self {
        Self {
            message,
            phase,
            splitter: Splitter::default(),
            held: String::new(),
            message_started: None,
            plan_started: None,
            said: String::new(),
            planned: String::new(),
        }
    }
}

impl Actor {
    /// Whether messages of the running turn may hold plans.
    pub(super) fn is_planning(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.step.scene.mode == ModeKind::Plan)
    }

    /// The model begins a message. It is shown when it is known whether anything is said.
    pub(super) fn planning_begun(&mut self, id: ItemId, phase: Option<MessagePhase>) {
        if let Some(turn) = &mut self.turn {
            turn.streamed.planning.push(Planning::new(id, phase));
        }
    }

    pub(super) fn planning_delta(&mut self, id: Option<&str>, delta: &str) {
        let Some((turn, mut planning)) = self.take_planning(id) else { return };
        let pieces = planning.splitter.push(delta);
        self.show_pieces(&turn, &mut planning, pieces);
        if let Some(turn) = &mut self.turn {
            turn.streamed.planning.push(planning);
        }
    }

    /// The message as it was meant, whatever came before. Its plan ends first.
    pub(super) fn planning_done(
        &mut self,
        id: Option<String>,
        phase: Option<MessagePhase>,
        text: &str,
        raw: &RawValue,
    ) {
        let Some(turn) = self.turn.as_ref().map(|turn| turn.id.clone()) else { return };
        let begun = self.take_planning(id.as_deref()).map(|(_, planning)| planning);
        let mut planning = begun.unwrap_or_else(|| Planning::new(item::model_id(id), phase));
        let rest = planning.splitter.finish();
        self.show_pieces(&turn, &mut planning, rest);
        let Split { said, plan } = split(text);
        if plan.is_some() || planning.plan_started.is_some() {
            let started = self.start_plan(&turn, &mut planning);
            let plan = ThreadItem::Plan { id: plan_id(&turn), text: plan.unwrap_or_default() };
            self.end_item(&turn, item::started(plan, started));
        }
        if said.trim().is_empty() && planning.message_started.is_none() {
            return self.remember(history_item(raw));
        }
        let started = self.start_message(&turn, &mut planning);
        let message = item::agent_message(planning.message, said, phase);
        self.message_written(item::started(message, started), raw);
    }

    /// The turn has ended before the message: what has been shown of it stays as it is.
    pub(super) fn planning_cut(&mut self, turn: &TurnId, mut planning: Planning) {
        let rest = planning.splitter.finish();
        self.show_pieces(turn, &mut planning, rest);
        let Planning { message, phase, message_started, plan_started, said, planned, .. } =
            planning;
        if let Some(started) = plan_started {
            let plan = ThreadItem::Plan { id: plan_id(turn), text: planned };
            self.end_item(turn, item::started(plan, started));
        }
        if let Some(started) = message_started {
            self.end_item(turn, item::started(item::agent_message(message, said, phase), started));
        }
    }

    fn take_planning(&mut self, id: Option<&str>) -> Option<(TurnId, Planning)> {
        let turn = self.turn.as_mut()?;
        let open = &mut turn.streamed.planning;
        let at = meant(open.iter().enumerate().map(|(at, one)| (at, &one.message)), id)?;
        Some((turn.id.clone(), open.remove(at)))
    }

    fn show_pieces(&mut self, turn: &TurnId, planning: &mut Planning, pieces: Vec<Piece>) {
        for piece in pieces {
            match piece {
                Piece::Opened => {
                    // What little was said before it, if it is white space alone, is not said.
                    planning.held.clear();
                    planning.planned.clear();
                    self.start_plan(turn, planning);
                }
                Piece::Planned(delta) => {
                    planning.planned.push_str(&delta);
                    let params = PlanDeltaNotification {
                        thread_id: self.publisher.thread.clone(),
                        turn_id: turn.clone(),
                        item_id: plan_id(turn),
                        delta,
                    };
                    self.publisher.tell::<method::PlanDelta>(&params);
                }
                Piece::Said(delta) => self.show_said(turn, planning, &delta),
            }
        }
    }

    fn show_said(&mut self, turn: &TurnId, planning: &mut Planning, delta: &str) {
        planning.held.push_str(delta);
        if planning.message_started.is_none() && planning.held.trim().is_empty() {
            return;
        }
        self.start_message(turn, planning);
        let delta = std::mem::take(&mut planning.held);
        planning.said.push_str(&delta);
        let params = AgentMessageDeltaNotification {
            thread_id: self.publisher.thread.clone(),
            turn_id: turn.clone(),
            item_id: planning.message.clone(),
            delta,
        };
        self.publisher.tell::<method::AgentMessageDelta>(&params);
    }

    /// Shows the plan's beginning, once; when that was.
    fn start_plan(&self, turn: &TurnId, planning: &mut Planning) -> i64 {
        *planning.plan_started.get_or_insert_with(|| {
            let plan = ThreadItem::Plan { id: plan_id(turn), text: String::new() };
            let plan = item::started(plan, now_ms());
            let started = plan.started_at_ms.unwrap_or_default();
            self.start_item(turn, plan);
            started
        })
    }

    /// The same for the message.
    fn start_message(&self, turn: &TurnId, planning: &mut Planning) -> i64 {
        let (id, phase) = (&planning.message, planning.phase);
        *planning.message_started.get_or_insert_with(|| {
            let message = item::agent_message(id.clone(), String::new(), phase);
            let message = item::started(message, now_ms());
            let started = message.started_at_ms.unwrap_or_default();
            self.start_item(turn, message);
            started
        })
    }
}

/// A turn has one plan; a later one takes the place of an earlier one.
fn plan_id(turn: &TurnId) -> ItemId {
    format!("{turn}-plan").into()
}
