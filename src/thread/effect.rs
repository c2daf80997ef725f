//! What running calls and commands do to their thread.

use super::actor::Actor;
use super::command::{self, RunningCommand};
use super::item;
use super::turn::Ending;
use crate::protocol::{TimedItem, TurnDiffUpdatedNotification, TurnId, method};
use crate::tools::{Announced, Effect, Event, Outcome, Output};

impl Actor {
    pub(super) fn event(&mut self, event: Event) {
        match event {
            Event::Terminal(event) => self.terminal(event),
            Event::Effect { turn, call, effect } => self.effect(&turn, call, *effect),
            Event::Prepared { submission, rendered } => self.prepared(submission, rendered),
            Event::Done { turn, call, outcome } if self.runs(&turn) => {
                self.call_done(call, outcome);
            }
            // The turn did not wait for this call.
            Event::Done { .. } => {}
            Event::Server(report) => self.server_reported(report),
            Event::Reviewed { turn, review, assessment } if self.runs(&turn) => {
                self.action_reviewed(&review, assessment);
            }
            Event::Reviewed { .. } => {}
            Event::Hook(report) => self.hook_reported(report),
            Event::Hooked { turn, outcome } if self.runs(&turn) => self.hooks_done(outcome),
            Event::Hooked { .. } => {}
        }
    }

    /// Deals with what has happened already, since nothing more will come of it: the thread ends, and whatever is over
    /// is told as it was. Nothing new begins.
    pub(super) fn hear_last_events(&mut self) {
        while let Ok(event) = self.happened.try_recv() {
            match event {
                Event::Done { turn, call, outcome } if self.runs(&turn) => {
                    if let Some(output) = outcome.told() {
                        self.call_over(call, output);
                    }
                }
                Event::Effect { ref effect, .. } if !tells_what_is_over(effect) => {}
                Event::Effect { .. } | Event::Hook(_) | Event::Terminal(_) => self.event(event),
                Event::Done { .. }
                | Event::Prepared { .. }
                | Event::Server(_)
                | Event::Reviewed { .. }
                | Event::Hooked { .. } => {}
            }
        }
    }

    pub(super) fn runs(&self, turn: &TurnId) -> bool {
        self.turn.as_ref().is_some_and(|running| running.id == *turn)
    }

    fn call_done(&mut self, call: usize, outcome: Outcome) {
        match outcome.told() {
            Some(output) => {
                self.call_over(call, output);
                self.advance();
            }
            None => self.finish(Ending::Interrupted { by: None }),
        }
    }

    fn call_over(&mut self, call: usize, output: Output) {
        let Some(turn) = &mut self.turn else { return };
        let open = turn.calls.get_mut(call).and_then(|call| call.done(output));
        let turn_id = turn.id.clone();
        // A tool that panicked has left its item alone.
        if let Some(item) = open {
            self.end_item(&turn_id, item::failed(item));
        }
    }

    fn effect(&mut self, turn: &TurnId, call: usize, effect: Effect) {
        match effect {
            Effect::ItemStarted { item, shown } if self.runs(turn) => {
                self.begin_call_item(turn, call, item);
                let _ended = shown.send(());
            }
            // Its turn is over: what it was about to do will not happen.
            Effect::ItemStarted { .. } => {}
            Effect::ItemCompleted(item) if self.runs(turn) => self.end_call_item(turn, call, item),
            // The turn has ended it already.
            Effect::ItemCompleted(_) => {}
            Effect::CommandStarted { session, script, item, announced, denied } => {
                // A turn that ended in this very moment has ended the item, too; but the command runs.
                if announced == Announced::No || !self.runs(turn) {
                    self.start_item(turn, item.clone());
                }
                self.set_call_item(turn, call, None);
                let command = RunningCommand::of_model(
                    turn.clone(),
                    item,
                    script,
                    denied.map(|told| (call, told)),
                );
                self.commands.insert(session, command);
                if !self.runs(turn) && self.config.interrupt_ends_commands {
                    let _was_running = self.terminals.kill(session);
                }
            }
            Effect::CommandFailed { session, message } => {
                self.command_ended(session, command::End::not_started(message));
            }
            Effect::Interaction { session, stdin } => self.interaction(session, stdin),
            Effect::Ask { waits, item, question, ticket } if self.runs(turn) => {
                self.waiting.extend(waits);
                self.show_waiting();
                if let Some(item) = item {
                    self.begin_call_item(turn, call, item);
                }
                // A call that has ended meanwhile leaves the ticket to be dropped, which withdraws the question.
                drop(ticket.send(self.publisher.ask(question)));
            }
            Effect::Ask { .. } => {}
            Effect::Review { item, action, reply } if self.runs(turn) => {
                if let Some(item) = item {
                    self.begin_call_item(turn, call, item);
                }
                self.review_action(call, action, reply);
            }
            Effect::Review { .. } => {}
            Effect::Asked(waits) if self.runs(turn) => {
                if let Some(at) = self.waiting.iter().position(|open| *open == waits) {
                    self.waiting.swap_remove(at);
                }
                self.show_waiting();
            }
            Effect::Asked(_) => {}
            Effect::PlanUpdated(_) if !self.runs(turn) => {}
            Effect::PlanUpdated(plan) => self.publisher.tell::<method::TurnPlanUpdated>(&plan),
            Effect::Patched { item, edits } => {
                self.end_call_item(turn, call, item);
                self.patched(turn, &edits);
            }
            Effect::Progress(_) if !self.runs(turn) => {}
            Effect::Progress(news) => self.publisher.tell::<method::McpToolCallProgress>(&news),
            Effect::Inform(_) | Effect::Tell(_) if !self.runs(turn) => {}
            Effect::Inform(text) => {
                if let Some(call) = self.turn.as_mut().and_then(|turn| turn.calls.get_mut(call)) {
                    call.inform(text);
                }
            }
            Effect::Tell(text) => {
                if let Some(call) = self.turn.as_mut().and_then(|turn| turn.calls.get_mut(call)) {
                    call.tell(text);
                }
            }
            Effect::DraftAgent { wanted, reply } if self.runs(turn) => {
                // A call that is over by now has made nothing of it.
                let _unheard = reply.send(self.draft_agent(wanted));
            }
            Effect::AdmitAgent(admission) if self.runs(turn) => {
                self.admit_agent(turn, call, *admission);
            }
            // Its call is over: the agent ends before it has begun.
            Effect::DraftAgent { .. } | Effect::AdmitAgent(_) => {}
            Effect::Warn(message) => self.warn(message),
            Effect::Goal(call) if self.runs(turn) => self.goal_called(call),
            Effect::Goal(_) => {}
        }
    }

    fn begin_call_item(&mut self, turn: &TurnId, call: usize, item: TimedItem) {
        self.start_item(turn, item.clone());
        self.set_call_item(turn, call, Some(item));
    }

    pub(super) fn end_call_item(&mut self, turn: &TurnId, call: usize, item: TimedItem) {
        self.set_call_item(turn, call, None);
        self.end_item(turn, item);
    }

    /// Notes which item the turn has to end when it ends before the call.
    pub(super) fn set_call_item(&mut self, turn: &TurnId, call: usize, item: Option<TimedItem>) {
        let running = self.turn.as_mut().filter(|running| running.id == *turn);
        if let Some(call) = running.and_then(|running| running.calls.get_mut(call)) {
            call.open = item;
        }
    }

    fn patched(&mut self, turn: &TurnId, edits: &[crate::patch::Edit]) {
        let Some(running) = self.turn.as_mut().filter(|running| running.id == *turn) else {
            return;
        };
        let Some(diff) = running.diff.update(edits).map(str::to_owned) else { return };
        let (thread_id, turn_id) = (self.publisher.thread.clone(), turn.clone());
        let params = TurnDiffUpdatedNotification { thread_id, turn_id, diff };
        self.publisher.tell::<method::TurnDiffUpdated>(&params);
    }
}

/// Whether an effect is the end of something, or of something that has begun without anybody being told.
fn tells_what_is_over(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::ItemCompleted(_)
            | Effect::Patched { .. }
            | Effect::CommandStarted { .. }
            | Effect::CommandFailed { .. }
    )
}
