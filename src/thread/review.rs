//! Reviews: a turn in which a reviewer with a fresh context looks at a change, and the thread is told what it found.
//!
//! The reviewer is another agent to its model (instructions, identity and history of its own), but its work is shown
//! as items of the thread's turn. What it has seen and said ends with the review; what stays is the result.

mod report;
mod target;

#[cfg(test)]
mod tests;

pub(crate) use target::Task;

use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::actor::Actor;
use super::context::{Surroundings, Told, base_message, item_id, message};
use super::history::History;
use super::said::UserSaid;
use super::turn::{Kind, Turn, TurnOptions};
use super::{Reply, item, prompt};
use crate::protocol::{
    ItemId, ReviewStartResponse, ThreadId, ThreadItem, TimedItem, Turn as WireTurn, TurnId,
};
use crate::util::json::raw;
use crate::util::time::now_ms;

/// What the client and the thread's model are told of a review without a result.
const BROKEN_OFF: &str =
    "The review was broken off before it had a result. Start it again to have one.";

/// A review that runs.
#[derive(Debug)]
pub(super) struct Review {
    /// The reviewer, as its model's provider knows it.
    pub(super) reviewer: ThreadId,
    /// What the reviewer's model knows.
    pub(super) history: History,
    /// A message of the reviewer that is its report, unless it goes on working.
    last: Option<TimedItem>,
}

impl Actor {
    /// Reviews in a turn of its own. A running turn is ended for it.
    pub(super) fn review(&mut self, task: Task, reply: Reply<ReviewStartResponse>) {
        if let Err(refusal) = self.check_direct_input() {
            return reply.give(Err(refusal));
        }
        self.make_way();
        self.renew_servers();
        self.renew_hooks();
        let turn = self.new_turn(Kind::Review, None, TurnOptions::default());
        let (id, response) = (turn.id.clone(), self.review_response(&turn, &task));
        if let Err(error) = self.open_bare_turn(turn) {
            return reply.give(Err(error));
        }
        reply.give(Ok(response));
        self.show_mark(&id, |id| ThreadItem::EnteredReviewMode { id, review: task.label });
        self.announce_turn();
        self.brief(&task.request);
        self.ask_model();
    }

    fn review_response(&self, turn: &Turn, task: &Task) -> ReviewStartResponse {
        let said = UserSaid::text(&task.label);
        let label = TimedItem {
            item: item::user_message(&said),
            started_at_ms: None,
            completed_at_ms: None,
        };
        let turn = WireTurn { items: vec![label], root_turn_id: None, ..turn.accepted() };
        ReviewStartResponse { review_thread_id: self.thread.id.clone(), turn }
    }

    /// Tells the reviewer who it is, where it works and what to do.
    fn brief(&mut self, request: &str) {
        let reviewer = ThreadId::from(Uuid::now_v7().to_string());
        let mut history = History::default();
        history.push(&base_message(reviewer.as_str(), prompt::REVIEW));
        let Some(turn) = &self.turn else { return };
        let said = UserSaid::text(request);
        // What a thread's model searches for is not what its reviewer has.
        let surroundings = Surroundings { deferred: None, ..self.surroundings(&turn.step) };
        for told in Told::default().update(&surroundings) {
            history.push(&told);
        }
        history.push(&said.message);
        if let Some(turn) = &mut self.turn {
            turn.options.parent = Some(turn.id.clone());
            turn.review = Some(Review { reviewer, history, last: None });
        }
        self.show_user_said(&said);
    }

    /// Holds back a message of the reviewer: whether it is the report shows in what follows.
    pub(super) fn hold_report(&mut self, item: TimedItem) {
        self.show_held_report();
        if let Some(review) = self.turn.as_mut().and_then(|turn| turn.review.as_mut()) {
            review.last = Some(item);
        }
    }

    /// The reviewer goes on: what it has said was no report.
    pub(super) fn show_held_report(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let Some(item) = turn.review.as_mut().and_then(|review| review.last.take()) else { return };
        let id = turn.id.clone();
        self.show_item(&id, item);
    }

    /// The reviewer is done: its report becomes part of the thread.
    pub(super) fn reviewed(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let Some(review) = turn.review.take() else { return };
        let id = turn.id.clone();
        let answer = review.last.as_ref().and_then(|item| item::text_of(&item.item));
        let report = report::render(answer.unwrap_or_default());
        let shown = self.leave_review(&id, &report);
        if let Some(turn) = &mut self.turn {
            turn.last_answer = Some(shown);
        }
    }

    /// The review has come to nothing.
    pub(super) fn review_broken_off(&mut self, turn: &TurnId) {
        drop(self.leave_review(turn, BROKEN_OFF));
    }

    /// Shows the result, and tells it to the thread's own model.
    fn leave_review(&mut self, turn: &TurnId, report: &str) -> TimedItem {
        let review = report.to_owned();
        self.show_mark(turn, |id| ThreadItem::ExitedReviewMode { id, review });
        let id = item_id("msg");
        let told = [message("user", &[prompt::reviewed(report)]), assistant_message(&id, report)];
        for item in told {
            self.remember_past_review(item);
        }
        let message = item::agent_message(id.into(), report.to_owned(), None);
        let item = item::started(message, now_ms());
        self.show_item(turn, item.clone());
        item::ended(item, now_ms())
    }

    /// Shows the beginning or the end of a review.
    fn show_mark(&mut self, turn: &TurnId, make: impl FnOnce(ItemId) -> ThreadItem) {
        let mark = make(Uuid::now_v7().to_string().into());
        self.show_item(turn, item::started(mark, now_ms()));
    }

    /// Whether the running turn is a reviewer's.
    pub(super) fn is_reviewing(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.review.is_some())
    }
}

fn assistant_message(id: &str, text: &str) -> Box<RawValue> {
    raw(&json!({
        "type": "message",
        "id": id,
        "role": "assistant",
        "content": [{ "type": "output_text", "text": text }],
    }))
}

impl Turn {
    /// Whose work the turn shows, when it is a reviewer's.
    pub(super) fn reviewer(&self) -> Option<&ThreadId> {
        self.review.as_ref().map(|review| &review.reviewer)
    }
}
