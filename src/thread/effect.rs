//! What running calls and commands do to their thread.

use super::actor::{Actor, RunningCommand};
use super::item;
use super::turn::Ending;
use crate::exec::{SessionEvent, SessionEventKind};
use crate::protocol::{
    CommandExecutionOutputDeltaNotification, CommandExecutionStatus,
    TerminalInteractionNotification, ThreadItem, TimedItem, TurnDiffUpdatedNotification, TurnId,
    method,
};
use crate::store::item::item_id;
use crate::tools::{Announced, Effect, Event, Outcome};

/// The exit code of a command that never ran.
const NEVER_RAN: i32 = -1;

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
            Event::Hook(report) => self.hook_reported(report),
            Event::Hooked { turn, outcome } if self.runs(&turn) => self.hooks_done(outcome),
            Event::Hooked { .. } => {}
        }
    }

    fn runs(&self, turn: &TurnId) -> bool {
        self.turn.as_ref().is_some_and(|running| running.id == *turn)
    }

    fn call_done(&mut self, call: usize, outcome: Outcome) {
        match outcome {
            Outcome::Cancelled => self.finish(Ending::Interrupted { by: None }),
            Outcome::Output(output) => {
                let Some(turn) = &mut self.turn else { return };
                let open = turn.calls.get_mut(call).and_then(|call| call.done(output));
                let turn_id = turn.id.clone();
                // A tool that panicked has left its item alone.
                if let Some(item) = open {
                    self.end_item(&turn_id, item::failed(item));
                }
                self.advance();
            }
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
            Effect::CommandStarted { session, item, announced } => {
                // A turn that ended in this very moment has ended the item, too; but the command runs.
                if announced == Announced::No || !self.runs(turn) {
                    self.start_item(turn, item.clone());
                }
                self.set_call_item(turn, call, None);
                self.commands.insert(session, RunningCommand { turn: turn.clone(), item });
            }
            Effect::CommandFailed { session, message } => {
                let aggregated = Some(message);
                self.command_ended(session, NEVER_RAN, aggregated, std::time::Duration::ZERO);
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
    fn set_call_item(&mut self, turn: &TurnId, call: usize, item: Option<TimedItem>) {
        let running = self.turn.as_mut().filter(|running| running.id == *turn);
        if let Some(call) = running.and_then(|running| running.calls.get_mut(call)) {
            call.open = item;
        }
    }

    fn patched(&mut self, turn: &TurnId, edits: &[crate::patch::Edit]) {
        let Some(running) = self.turn.as_mut().filter(|running| running.id == *turn) else {
            return;
        };
        let before = running.diff.render();
        running.diff.record(edits);
        let diff = running.diff.render();
        if diff != before {
            let (thread_id, turn_id) = (self.publisher.thread.clone(), turn.clone());
            let params = TurnDiffUpdatedNotification { thread_id, turn_id, diff };
            self.publisher.tell::<method::TurnDiffUpdated>(&params);
        }
    }

    fn interaction(&self, session: u32, stdin: String) {
        let Some(command) = self.commands.get(&session) else { return };
        self.publisher.tell::<method::TerminalInteraction>(&TerminalInteractionNotification {
            thread_id: self.publisher.thread.clone(),
            turn_id: command.turn.clone(),
            item_id: item_id(&command.item.item).clone(),
            process_id: session.to_string(),
            stdin,
        });
    }

    fn terminal(&mut self, event: SessionEvent) {
        match event.kind {
            SessionEventKind::Output(delta) => {
                let Some(command) = self.commands.get(&event.session) else { return };
                let params = CommandExecutionOutputDeltaNotification {
                    thread_id: self.publisher.thread.clone(),
                    turn_id: command.turn.clone(),
                    item_id: item_id(&command.item.item).clone(),
                    delta,
                };
                self.publisher.tell::<method::CommandExecutionOutputDelta>(&params);
            }
            SessionEventKind::Ended { exit_code, aggregated, duration } => {
                self.command_ended(event.session, exit_code, aggregated, duration);
            }
        }
    }

    fn command_ended(
        &mut self,
        session: u32,
        code: i32,
        output: Option<String>,
        duration: std::time::Duration,
    ) {
        let Some(RunningCommand { turn, mut item }) = self.commands.remove(&session) else {
            return;
        };
        if let ThreadItem::CommandExecution {
            status,
            aggregated_output,
            exit_code,
            duration_ms,
            ..
        } = &mut item.item
        {
            *status = match code {
                0 => CommandExecutionStatus::Completed,
                _ => CommandExecutionStatus::Failed,
            };
            *aggregated_output = output;
            *exit_code = Some(code);
            *duration_ms = i64::try_from(duration.as_millis()).ok();
        }
        self.end_item(&turn, item);
    }
}
