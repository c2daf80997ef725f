//! Compaction: a history that grows too large is replaced by what the user has said and a summary of the rest.
//!
//! It happens within a turn: one of its own when a client asks for it, else before the first request of a turn or
//! between two. The turn's stream, retries and end are those of any other turn; only the request and what is made
//! of the answer differ, and both stand here. A compaction that fails changes nothing.

mod retain;

#[cfg(test)]
mod tests;

use serde_json::value::RawValue;
use serde_json::{Value, json};
use uuid::Uuid;

use super::actor::Actor;
use super::context::{Told, message, passing_message};
use super::hooked::Gate;
use super::turn::{Ending, Kind, Next, Phase, TurnOptions};
use super::{Reply, item, prompt};
use crate::extension::hooks::{Occasion, SessionOrigin};
use crate::model::{self, OutputItem, Pieces, StreamEvent, Usage, history_item};
use crate::protocol::{HookEventName, ThreadCompactStartResponse, ThreadItem, TimedItem};
use crate::store::{Compacted, Record};
use crate::util::json::raw;
use crate::util::time::now_ms;

/// A compaction that runs.
#[derive(Debug)]
pub(super) struct Compaction {
    item: TimedItem,
    moment: Moment,
    means: Means,
    /// How many of the oldest items, after the first, the request leaves out, because it would be too large.
    left_out: usize,
    /// What the current response has brought so far.
    written: Option<Written>,
}

/// When a compaction happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// In a turn of its own, because a client asked for it.
    Standalone,
    BeforeTurn,
    WithinTurn,
}

/// Who writes the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Means {
    /// The model, asked for it in words.
    Words,
    /// The provider, which keeps it in a form of its own.
    Provider,
}

/// What takes the place of the history.
#[derive(Debug)]
pub(super) enum Written {
    Summary(String),
    Item(Box<RawValue>),
}

/// Whether compactions help.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// None was needed since the history was last below its limit.
    #[default]
    None,
    /// No response has shown yet what the last one achieved.
    Open,
    /// The last one did not bring the history below its limit, so a further one is of no use.
    InVain,
}

impl Actor {
    /// Compacts in a turn of its own. A running turn is ended for it.
    pub(super) fn compact(&mut self, reply: Reply<ThreadCompactStartResponse>) {
        if let Err(refusal) = self.check_direct_input() {
            return reply.give(Err(refusal));
        }
        self.make_way();
        self.look_for_skills();
        self.renew_servers();
        self.renew_hooks();
        let turn = self.new_turn(Kind::Compact, None, TurnOptions::default());
        if let Err(error) = self.open_bare_turn(turn) {
            return reply.give(Err(error));
        }
        reply.give(Ok(ThreadCompactStartResponse {}));
        self.announce_turn();
        self.begin_compaction(Moment::Standalone);
    }

    /// Whether the history has grown so large that the next request should not be made with it.
    pub(super) fn is_full(&self) -> bool {
        let limit = self.compaction_limit();
        // A reviewer has a history of its own, which ends with the review.
        !self.is_reviewing()
            && limit > 0
            && self.effort != Effort::InVain
            && self.totals.context() >= limit
    }

    /// In tokens.
    fn compaction_limit(&self) -> i64 {
        let model = self.model();
        let most = model.window(self.config.model_context_window) / 10 * 9;
        let own = self.config.model_auto_compact_token_limit.or(model.auto_compact_token_limit);
        own.map_or(most, |own| own.min(most))
    }

    /// Notes what a response says about the size of the history.
    pub(super) fn judge_compaction(&mut self) {
        let full = self.totals.context() >= self.compaction_limit();
        if !full {
            self.effort = Effort::None;
        } else if self.effort == Effort::Open {
            self.effort = Effort::InVain;
            self.warn(
                "Compacting this thread does not make it small enough. It goes on as it is; a new thread, or a \
                 higher model_auto_compact_token_limit, may help."
                    .to_owned(),
            );
        }
    }

    pub(super) fn begin_compaction(&mut self, moment: Moment) {
        if !self.hooked(HookEventName::PreCompact) {
            return self.start_compaction(moment);
        }
        self.wait_at(Gate::BeforeCompaction(moment), &Occasion::PreCompact(moment.trigger()));
    }

    pub(super) fn start_compaction(&mut self, moment: Moment) {
        let Some(turn) = &mut self.turn else { return };
        let id = Uuid::now_v7().to_string().into();
        let item = item::started(ThreadItem::ContextCompaction { id }, now_ms());
        let means = match self.provider.compacts() {
            true => Means::Provider,
            false => Means::Words,
        };
        turn.compaction =
            Some(Compaction { item: item.clone(), moment, means, left_out: 0, written: None });
        let id = turn.id.clone();
        self.start_item(&id, item);
        self.ask_model();
    }

    /// Takes an event of the model's while it compacts. What it streams is not for the client.
    pub(super) fn compaction_event(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Headers(headers) => self.response_headers(headers),
            StreamEvent::ItemDone { item, raw } => self.compaction_written(item, &raw),
            StreamEvent::Completed { usage, .. } => self.compaction_completed(usage),
            StreamEvent::Failed(error) if error.is_context_overflow() && self.leave_out_more() => {
                self.tell_usage();
                self.ask_model();
            }
            StreamEvent::Failed(error) => self.response_failed(&error),
            StreamEvent::Verification(verifications) => self.verification(verifications),
            StreamEvent::FellBack(cause) => self.fell_back(&cause),
            StreamEvent::Created
            | StreamEvent::ItemAdded(_)
            | StreamEvent::TextDelta { .. }
            | StreamEvent::SummaryPartAdded { .. }
            | StreamEvent::SummaryDelta { .. }
            | StreamEvent::ReasoningDelta { .. }
            | StreamEvent::InputDelta { .. } => {}
        }
    }

    /// The response is over. One that holds no summary has failed: nothing could take the history's place.
    fn compaction_completed(&mut self, usage: Option<Usage>) {
        // What the history took until now, then what the summary took.
        self.repeat_usage();
        let Some(turn) = &mut self.turn else { return };
        turn.response_began = false;
        turn.usage = usage;
        match turn.compaction.as_mut().and_then(|compaction| compaction.written.take()) {
            Some(written) => {
                turn.attempts = 0;
                turn.phase = Phase::Ended(Next::Compacted(written));
                self.advance();
            }
            None => self.response_failed(&model::Error::without_summary()),
        }
    }

    fn compaction_written(&mut self, output: OutputItem, raw: &RawValue) {
        let compaction = self.turn.as_mut().and_then(|turn| turn.compaction.as_mut());
        let Some(compaction) = compaction else { return };
        match (compaction.means, output) {
            (Means::Words, OutputItem::Message { text: Some(text), .. })
                if !text.trim().is_empty() =>
            {
                compaction.written = Some(Written::Summary(text));
            }
            (Means::Provider, OutputItem::Compaction) => {
                compaction.written = Some(Written::Item(history_item(raw)));
            }
            _ => {}
        }
    }

    /// Leaves more of the oldest items out of the request, twice as many each time; `false` when none is left.
    fn leave_out_more(&mut self) -> bool {
        let items = self.history.len();
        let Some(compaction) = self.turn.as_mut().and_then(|turn| turn.compaction.as_mut()) else {
            return false;
        };
        compaction.left_out = (compaction.left_out * 2).max(1);
        compaction.left_out + 1 < items
    }

    /// The `input` of a request that compacts, and what the request's metadata says of it.
    pub(super) fn compaction_input(&self, compaction: &Compaction) -> Pieces {
        let mut input = self.history.without(compaction.left_out).shared();
        input.push(",");
        let request = match compaction.means {
            Means::Words => {
                let own = self.config.compact_prompt.as_deref();
                passing_message("user", own.unwrap_or(prompt::COMPACT))
            }
            Means::Provider => raw(&json!({ "type": "compaction_trigger" })),
        };
        input.push(request.get().to_owned());
        input
    }

    /// The model has answered: the history is replaced, and the turn goes on where it was.
    pub(super) fn compacted(&mut self, written: Written) {
        let Some(turn) = &mut self.turn else { return };
        let Some(compaction) = turn.compaction.take() else { return };
        let turn = turn.id.clone();
        self.replace_history(written);
        self.totals.estimate(self.history.size());
        self.effort = Effort::Open;
        self.publish_usage();
        self.end_item(&turn, compaction.item);
        self.session_begins(SessionOrigin::Compact);
        match self.hooked(HookEventName::PostCompact) {
            true => {
                let occasion = Occasion::PostCompact(compaction.moment.trigger());
                self.wait_at(Gate::AfterCompaction, &occasion);
            }
            false => self.after_compaction(),
        }
    }

    pub(super) fn after_compaction(&mut self) {
        match self.turn.as_ref().map(|turn| turn.kind) {
            Some(Kind::Compact) => self.finish(Ending::Completed),
            Some(Kind::Regular | Kind::Review) => self.go_on(),
            Some(Kind::Shell) | None => {}
        }
    }

    /// What the user has said, the context as it is now, and the summary of everything else.
    fn replace_history(&mut self, written: Written) {
        let Some(turn) = &self.turn else { return };
        let mut told = Told::of_model(&self.told);
        let context = told.update(&self.surroundings(&turn.step));
        let (text, last) = match written {
            Written::Item(item) => (String::new(), item),
            Written::Summary(summary) => summarized(&summary),
        };
        let mut replacement = retain::requests(self.history.iter());
        let before_last = replacement.len().saturating_sub(1);
        replacement.splice(before_last..before_last, context);
        replacement.push(last);
        self.record(&[Record::Compacted(Compacted {
            message: text,
            replacement: Some(replacement.clone()),
        })]);
        self.history.replace(&replacement);
        self.told = told;
        self.goal.told = None;
        // Neither is in the new history, so the next input tells them again.
        self.additional_context.clear();
        if let Some(turn) = &mut self.turn {
            turn.skills.clear();
        }
        self.compactions += 1;
    }
}

fn summarized(summary: &str) -> (String, Box<RawValue>) {
    let text = format!("{}\n\n{summary}", prompt::SUMMARY);
    let item = message("user", std::slice::from_ref(&text));
    (text, item)
}

impl Compaction {
    /// What the metadata of its requests says about it.
    pub(super) fn metadata(&self) -> Value {
        let (trigger, reason, phase) = match self.moment {
            Moment::Standalone => ("manual", "user_requested", "standalone_turn"),
            Moment::BeforeTurn => ("auto", "context_limit", "pre_turn"),
            Moment::WithinTurn => ("auto", "context_limit", "mid_turn"),
        };
        let implementation = match self.means {
            Means::Words => "responses",
            Means::Provider => "responses_compaction_v2",
        };
        json!({
            "trigger": trigger,
            "reason": reason,
            "implementation": implementation,
            "phase": phase,
            "strategy": "memento",
        })
    }

    /// Whether the request offers the model its tools.
    pub(super) fn offers_tools(&self) -> bool {
        self.means == Means::Provider
    }
}
