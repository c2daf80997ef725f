//! Hooks around a turn: where it waits for them, and what becomes of what they say.
//!
//! The thread never waits itself: the hooks of a [`Gate`] run in a task of the turn's, which is in
//! [`Phase::Hooked`] until they have reported. Whatever ends the turn meanwhile ends the task, and with it the
//! hooks' processes. Hooks around calls run within the calls. Where no hook is configured, there is no gate.

use serde_json::json;

use super::actor::Actor;
use super::compact::Moment;
use super::context::{message, message_of};
use super::item;
use super::said::UserSaid;
use super::turn::{Ending, Kind, Next, Phase, Turn};
use crate::extension::hooks::{
    Agent, CompactionTrigger, Hooks, ModelAnswer, Objection, Occasion, Outcome, Report, Round,
    SessionEndReason, SessionOrigin, Situation, ThreadHooks, TurnHooks,
};
use crate::model::Usage;
use crate::protocol::{
    HookCompletedNotification, HookEventName, HookOutputEntry, HookOutputEntryKind,
    HookPromptFragment, HookRunStatus, HookRunSummary, HookStartedNotification, ItemId, ThreadItem,
    TurnId, UserInput, method,
};
use crate::tools::Event;
use crate::util::task::{AbortOnDrop, guarded};
use crate::util::time::{now_ms, now_secs};

/// Where a turn waits for hooks, with what it goes on with when they have had their say.
#[derive(Debug)]
pub(super) enum Gate {
    /// Before anything else of a session, which comes from here.
    SessionStart(SessionOrigin),
    /// Before input becomes a part of the history.
    Prompt(Box<UserSaid>),
    /// Before the model is asked.
    Request,
    /// After it has answered.
    Response(Next),
    /// Before the turn ends.
    Stop,
    BeforeCompaction(Moment),
    AfterCompaction,
}

/// A run of a hook that clients have seen begin.
#[derive(Debug)]
pub(super) struct OpenRun {
    turn: Option<TurnId>,
    run: HookRunSummary,
    life: Life,
}

/// What a run of a hook ends with, at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Turn,
    Thread,
}

impl Actor {
    /// Whether a hook of this event may run at all.
    pub(super) fn hooked(&self, event: HookEventName) -> bool {
        self.hooks.as_ref().is_some_and(|hooks| hooks.has(event))
    }

    /// Has other hooks from the next turn on, so that none changes under a turn that runs.
    pub(super) fn change_hooks(&mut self, hooks: Hooks) {
        self.next_hooks = Some(hooks);
    }

    /// Has the hooks that a turn that begins now has.
    pub(super) fn renew_hooks(&mut self) {
        let Some(mut next) = self.next_hooks.take() else { return };
        for warning in std::mem::take(&mut next.warnings) {
            self.warn(warning);
        }
        let before = self.hooks.take();
        self.hooks = ThreadHooks::renewed(before.as_deref(), next, || self.shared.shell().clone());
    }

    /// Notes that a session begins. Agents are none: they begin once, however often they are resumed or compacted.
    pub(super) fn session_begins(&mut self, origin: SessionOrigin) {
        let begins = match origin {
            SessionOrigin::Startup | SessionOrigin::Clear => true,
            SessionOrigin::Resume | SessionOrigin::Compact => !self.is_agent(),
        };
        if begins {
            self.session_start = Some(origin);
        }
    }

    /// The turn ends before the hooks of its session's beginning have had their say: the next one asks them again.
    pub(super) fn give_back_session_start(&mut self) {
        let phase = self.turn.as_ref().map(|turn| &turn.phase);
        if let Some(Phase::Hooked { gate: Some(Gate::SessionStart(origin)), .. }) = phase {
            self.session_start = Some(*origin);
        }
    }

    /// Whether input has to wait for hooks before it is a part of the history.
    pub(super) fn hears_first(&self) -> bool {
        self.hooked(HookEventName::UserPromptSubmit)
            || self.session_start.is_some() && self.hooked(self.start_event())
    }

    /// Whether the thread works for another one, and so is no session.
    fn is_agent(&self) -> bool {
        self.thread.parent_thread_id.is_some()
    }

    fn start_event(&self) -> HookEventName {
        match self.is_agent() {
            true => HookEventName::SubagentStart,
            false => HookEventName::SessionStart,
        }
    }

    fn stop_event(&self) -> HookEventName {
        match self.is_agent() {
            true => HookEventName::SubagentStop,
            false => HookEventName::Stop,
        }
    }

    /// The hooks of the calls of a turn.
    pub(super) fn turn_hooks(&self, turn: &TurnId) -> Option<TurnHooks> {
        let all = self.hooks.clone()?;
        Some(TurnHooks { all, situation: self.situation(Some(turn.clone())) })
    }

    /// The gate that has to be passed before the model can be asked again, if there is one: a session that begins,
    /// or input that waits.
    pub(super) fn next_gate(&mut self) -> Option<(Gate, Occasion)> {
        if self.hooked(self.start_event())
            && let Some(source) = self.session_start.take()
        {
            let occasion = match self.is_agent() {
                true => Occasion::SubagentStart,
                false => Occasion::SessionStart(source),
            };
            return Some((Gate::SessionStart(source), occasion));
        }
        if !self.hooked(HookEventName::UserPromptSubmit) {
            return None;
        }
        while let Some(said) = self.turn.as_mut()?.steered.pop_front() {
            if !said.is_of_harness() {
                let prompt = spoken(&said.content);
                return Some((Gate::Prompt(Box::new(said)), Occasion::UserPromptSubmit { prompt }));
            }
            self.user_said(said);
        }
        None
    }

    /// Waits for the hooks of an occasion, if there are any, and goes on with what they say.
    pub(super) fn wait_at(&mut self, gate: Gate, occasion: &Occasion) {
        let Some(turn) = self.turn.as_ref().map(|turn| turn.id.clone()) else { return };
        let Some(round) = self.begin_round(occasion) else {
            return self.pass(gate, Outcome::default());
        };
        for (turn, run) in round.started() {
            self.tell_run_started(turn, run, Life::Turn);
        }
        let (events, id) = (self.events.clone(), turn);
        let task = AbortOnDrop::spawn(async move {
            let outcome = guarded("a hook", round.run(&events), Outcome::default).await;
            // When the thread has ended, nobody waits any more.
            let _ended = events.send(Event::Hooked { turn: id, outcome }).await;
        });
        if let Some(turn) = &mut self.turn {
            turn.phase = Phase::Hooked { gate: Some(gate), _task: task };
        }
    }

    /// The hooks that the running turn waits for have had their say.
    pub(super) fn hooks_done(&mut self, outcome: Outcome) {
        let Some(turn) = &mut self.turn else { return };
        let Phase::Hooked { gate, .. } = &mut turn.phase else { return };
        let gate = gate.take();
        turn.phase = Phase::Ended(Next::Natural { go_on: true });
        if let Some(gate) = gate {
            self.pass(gate, outcome);
        }
    }

    fn pass(&mut self, gate: Gate, outcome: Outcome) {
        let objects = outcome.stop.is_some() || !outcome.objections.is_empty();
        match gate {
            Gate::Prompt(_) if objects && self.has_unsent() => self.go_on(),
            Gate::SessionStart(_) if objects => {
                self.hold_goal_turn();
                self.end_unheard();
            }
            Gate::Prompt(_) if objects => self.end_unheard(),
            Gate::SessionStart(_) => {
                self.tell_model(outcome.contexts);
                self.go_on();
            }
            Gate::Prompt(said) => {
                self.user_said(*said);
                self.tell_model(outcome.contexts);
                self.go_on();
            }
            Gate::Request if self.has_steered() => self.go_on(),
            Gate::Request => self.stream_answer(),
            Gate::Response(next) => {
                if let Some(turn) = &mut self.turn {
                    turn.phase = Phase::Ended(next);
                }
                self.advance();
            }
            Gate::Stop if outcome.stop.is_some() || !objects && !self.has_steered() => {
                self.finish(Ending::Completed);
            }
            Gate::Stop if objects => self.prompt_by_hooks(outcome.objections),
            Gate::Stop => self.go_on(),
            Gate::BeforeCompaction(moment) => self.start_compaction(moment),
            Gate::AfterCompaction => self.after_compaction(),
        }
    }

    /// Ends the turn without what the user has said: hooks have kept it from the model.
    fn end_unheard(&mut self) {
        if let Some(turn) = &mut self.turn {
            turn.steered.clear();
        }
        self.finish(Ending::Completed);
    }

    /// Whether the model is still to be sent what has been said.
    fn has_unsent(&self) -> bool {
        self.has_steered() || self.turn.as_ref().is_some_and(|turn| turn.unsent > 0)
    }

    /// Ends the turn, unless its hooks object.
    pub(super) fn stop(&mut self) {
        let Some(turn) = &self.turn else { return };
        if turn.kind != Kind::Regular || !self.hooked(self.stop_event()) {
            self.reviewed();
            return self.finish(Ending::Completed);
        }
        let answer = turn.last_answer.as_ref().and_then(|answer| item::text_of(&answer.item));
        let last_message = answer.map(str::to_owned);
        let active = turn.prompted_by_hooks;
        let occasion = match self.is_agent() {
            true => Occasion::SubagentStop { active, last_message },
            false => Occasion::Stop { active, last_message },
        };
        self.wait_at(Gate::Stop, &occasion);
    }

    /// The hooks want the turn to go on: what they say is put to the model like input.
    fn prompt_by_hooks(&mut self, objections: Vec<Objection>) {
        let Some(turn) = &mut self.turn else { return };
        turn.prompted_by_hooks = true;
        let id = turn.id.clone();
        let texts: Vec<String> = objections.iter().map(tagged).collect();
        let (message_id, message) = message_of("user", &texts);
        self.remember(message);
        let fragment =
            |said: Objection| HookPromptFragment { text: said.text, hook_run_id: said.run };
        let fragments = objections.into_iter().map(fragment).collect();
        let prompt = ThreadItem::HookPrompt { id: ItemId::from(message_id), fragments };
        self.show_item(&id, item::started(prompt, now_ms()));
        self.go_on();
    }

    /// A response is over: its hooks hear of it, then the turn goes on with `next`.
    pub(super) fn response_over(&mut self, next: Next, answer: impl FnOnce() -> ModelAnswer) {
        if self.is_compacting() || !self.hooked(HookEventName::PostModelRequest) {
            if let Some(turn) = &mut self.turn {
                turn.phase = Phase::Ended(next);
            }
            return self.advance();
        }
        self.wait_at(Gate::Response(next), &Occasion::PostModelRequest(answer()));
    }

    /// The user has had enough: hooks hear of it, and nobody waits for them.
    pub(super) fn observe_interrupt(&mut self) {
        self.observe_cut();
        if self.hooked(HookEventName::Interrupt) {
            self.observe(&Occasion::Interrupt);
        }
    }

    /// Hooks hear of a response that is cut short.
    pub(super) fn observe_cut(&mut self) {
        let streams = self.turn.as_ref().is_some_and(Turn::streams);
        if streams && !self.is_compacting() && self.hooked(HookEventName::PostModelRequest) {
            self.observe(&Occasion::PostModelRequest(ModelAnswer::Cancelled));
        }
    }

    fn observe(&mut self, occasion: &Occasion) {
        let Some(hooks) = self.hooks.clone() else { return };
        let Some(round) = self.begin_round(occasion) else { return };
        let started: Vec<_> = round.started().collect();
        // What is not run is not shown. What is has its end told by an event, and so after this.
        if hooks.observe(round, self.events.clone()) {
            for (turn, run) in started {
                self.tell_run_started(turn, run, Life::Thread);
            }
        }
    }

    /// What runs when the thread ends. It outlives the thread's state, and is not shown.
    pub(super) fn session_end(&self) -> Option<Round> {
        let hooks = self.hooks.as_ref().filter(|_| self.thread.parent_thread_id.is_none())?;
        let occasion = Occasion::SessionEnd(SessionEndReason::Other);
        hooks.begin(&occasion, &self.situation(None), &self.events)
    }

    pub(super) fn hook_reported(&mut self, report: Report) {
        match report {
            Report::Started { turn, run } => {
                // A call that was ended with its turn may have been heard too late.
                if self.turn.as_ref().is_some_and(|running| turn.as_ref() == Some(&running.id)) {
                    self.tell_run_started(turn, *run, Life::Turn);
                }
            }
            Report::Completed { turn, run } => {
                let same = |open: &OpenRun| open.turn == turn && open.run.id == run.id;
                if let Some(at) = self.open_runs.iter().position(same) {
                    self.open_runs.remove(at);
                    self.tell_completed(turn, *run);
                }
            }
            Report::Context(text) if self.turn.is_some() => self.late_contexts.push(text),
            Report::Context(text) => self.tell_model(vec![text]),
        }
    }

    /// What asynchronous hooks have said since the model was asked last.
    pub(super) fn tell_late_contexts(&mut self) {
        let late = std::mem::take(&mut self.late_contexts);
        self.tell_model(late);
    }

    /// The runs that end with their turn are over, whether or not they were done.
    pub(super) fn close_runs(&mut self) {
        self.close_runs_of(|life| life == Life::Turn);
    }

    /// The thread ends, and with it every run.
    pub(super) fn close_all_runs(&mut self) {
        self.close_runs_of(|_| true);
    }

    fn close_runs_of(&mut self, is_over: impl Fn(Life) -> bool) {
        let (ended, open) = std::mem::take(&mut self.open_runs)
            .into_iter()
            .partition::<Vec<_>, _>(|open| is_over(open.life));
        self.open_runs = open;
        for OpenRun { turn, mut run, .. } in ended {
            run.status = HookRunStatus::Failed;
            run.completed_at = Some(now_secs());
            let (kind, text) = (HookOutputEntryKind::Error, "hook was interrupted".to_owned());
            run.entries.push(HookOutputEntry { kind, text });
            self.tell_completed(turn, run);
        }
    }

    fn begin_round(&self, occasion: &Occasion) -> Option<Round> {
        let turn = self.turn.as_ref().map(|turn| turn.id.clone());
        self.hooks.as_ref()?.begin(occasion, &self.situation(turn), &self.events)
    }

    fn situation(&self, turn: Option<TurnId>) -> Situation {
        let settings = self.current_settings();
        Situation {
            thread: self.thread.id.clone(),
            session: self.thread.session_id.clone().into(),
            turn,
            transcript: self.thread.path.clone(),
            cwd: settings.cwd.clone(),
            model: settings.model.clone(),
            approval_policy: settings.approval_policy.clone(),
            agent: self.thread.parent_thread_id.as_ref().map(|_| Agent {
                id: self.thread.id.clone(),
                kind: self.thread.agent_role.clone().unwrap_or_else(|| "default".to_owned()),
            }),
        }
    }

    fn tell_run_started(&mut self, turn: Option<TurnId>, run: HookRunSummary, life: Life) {
        let (thread_id, turn_id) = (self.publisher.thread.clone(), turn.clone());
        let params = HookStartedNotification { thread_id, turn_id, run: run.clone() };
        self.publisher.tell::<method::HookStarted>(&params);
        self.open_runs.push(OpenRun { turn, run, life });
    }

    fn tell_completed(&self, turn_id: Option<TurnId>, run: HookRunSummary) {
        let thread_id = self.publisher.thread.clone();
        let params = HookCompletedNotification { thread_id, turn_id, run };
        self.publisher.tell::<method::HookCompleted>(&params);
    }

    /// Puts what hooks add into the history.
    pub(super) fn tell_model(&mut self, contexts: Vec<String>) {
        for context in contexts {
            self.remember(message("developer", &[context]));
        }
    }
}

impl Moment {
    pub(super) fn trigger(self) -> CompactionTrigger {
        match self {
            Self::Standalone => CompactionTrigger::Manual,
            Self::BeforeTurn | Self::WithinTurn => CompactionTrigger::Auto,
        }
    }
}

/// The texts of an input.
fn spoken(input: &[UserInput]) -> String {
    let texts: Vec<&str> = input
        .iter()
        .filter_map(|part| {
            let UserInput::Text { text, .. } = part else { return None };
            Some(text.as_str())
        })
        .collect();
    texts.join("\n")
}

/// An objection as the model is told it.
fn tagged(objection: &Objection) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let run = escape(&objection.run).replace('"', "&quot;");
    format!("<hook_prompt hook_run_id=\"{run}\">{}</hook_prompt>", escape(&objection.text))
}

/// The answer of a completed response, for hooks.
pub(super) fn completed(usage: Option<&Usage>) -> ModelAnswer {
    let usage = usage.map(|usage| {
        json!({
            "input_tokens": usage.input_tokens,
            "cached_input_tokens": usage.cached_input_tokens,
            "output_tokens": usage.output_tokens,
            "reasoning_output_tokens": usage.reasoning_output_tokens,
            "total_tokens": usage.total_tokens,
        })
    });
    ModelAnswer::Completed { usage }
}
