//! One turn as a state machine: ask the model, run its calls, repeat, end once.
//!
//! Everything here is driven by the actor; nothing waits. Invariant: whatever happens, a turn that was started ends
//! through [`Actor::finish`], which is the one place that says `turn/completed`.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::PathBuf;

use serde_json::value::RawValue;
use tokio::sync::{oneshot, watch};
use tokio::time::{Duration, Instant};

use super::actor::Actor;
use super::auto_review::Reviews;
use super::call::PendingCall;
use super::compact::{Compaction, Moment, Written};
use super::context::message;
use super::diff::TurnDiff;
use super::hooked::Gate;
use super::review::Review;
use super::said::UserSaid;
use super::settings::Settings;
use super::step::Step;
use super::stream::Streamed;
use super::team::AgentStatus;
use super::{Reply, item, prompt};
use crate::config::Feature;
use crate::extension::hooks::{ModelAnswer, Occasion};
use crate::model::{self, ResponseStream, Retry, Usage};
use crate::protocol::{
    CodexErrorInfo, ErrorNotification, HookEventName, NonSteerableTurnKind, RateLimitSnapshot,
    ThreadStatus, TimedItem, Turn as WireTurn, TurnCompletedNotification, TurnError, TurnId,
    TurnInterruptResponse, TurnItemsView, TurnStatus, method,
};
use crate::store::preview_of;
use crate::tools::GoalCall;
use crate::util::task::AbortOnDrop;
use crate::util::time::now_ms;

/// A turn that runs.
pub(super) struct Turn {
    pub(super) id: TurnId,
    pub(super) kind: Kind,
    pub(super) root: TurnId,
    pub(super) started_at_ms: i64,
    pub(super) step: Step,
    /// What it goes on with when the model is asked again.
    pub(super) next_settings: Option<Settings>,
    pub(super) options: TurnOptions,
    pub(super) phase: Phase,
    /// What the model does now instead of answering.
    pub(super) compaction: Option<Compaction>,
    /// The reviews of what its calls are about to do.
    pub(super) reviews: Reviews,
    /// The reviewer whose work the turn shows.
    pub(super) review: Option<Review>,
    /// What the current response has streamed so far.
    pub(super) streamed: Streamed,
    /// The calls of the current response, in its order.
    pub(super) calls: Vec<PendingCall>,
    /// Calls of goal tools that wait for the response to be over.
    pub(super) goal_calls: Vec<GoalCall>,
    /// Calls so far that may get the work further.
    pub(super) calls_made: u32,
    /// Inputs that the model has not been sent yet.
    pub(super) unsent: u32,
    /// Whether the thread's goal has been charged with the current response.
    pub(super) is_charged: bool,
    /// The skills that the model was given for this turn.
    pub(super) skills: HashSet<PathBuf>,
    /// Ends with the last call that runs in order.
    pub(super) last_in_order: Option<oneshot::Receiver<()>>,
    /// Input that waits for the current response to be over.
    pub(super) steered: VecDeque<UserSaid>,
    /// Tells running calls of it.
    pub(super) arrivals: watch::Sender<()>,
    /// The current response has begun, and clients have not been told what the thread has used since.
    pub(super) response_began: bool,
    /// Usage of the current response, until it is told.
    pub(super) usage: Option<Usage>,
    /// Failed attempts since the model last answered.
    pub(super) attempts: u32,
    pub(super) diff: TurnDiff,
    pub(super) last_answer: Option<TimedItem>,
    /// What the provider said of its limits with the current response.
    pub(super) limits: RateLimitSnapshot,
    /// Sticky routing that the provider asked for.
    pub(super) turn_state: Option<String>,
    /// The model that answers instead of the one that was asked.
    pub(super) rerouted: Option<String>,
    /// Whether the turn goes on only because hooks have objected to its end.
    pub(super) prompted_by_hooks: bool,
}

/// What a turn is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Regular,
    Compact,
    Review,
    /// Commands that the user runs, for as long as nobody says anything.
    Shell,
}

impl Kind {
    /// The kind by which clients know a turn that takes no input.
    pub(super) fn not_steerable(self) -> Option<NonSteerableTurnKind> {
        match self {
            Self::Regular | Self::Shell => None,
            Self::Compact => Some(NonSteerableTurnKind::Compact),
            Self::Review => Some(NonSteerableTurnKind::Review),
        }
    }
}

/// What a turn was started by, besides a user who has just said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trigger {
    /// The thread itself, to work on its goal.
    Goal,
    /// The thread itself, for a message that has waited.
    Queue,
    /// What the client calls it.
    Client(String),
}

impl Trigger {
    /// How providers and files know it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Goal => "goal",
            Self::Queue => "queue",
            Self::Client(name) => name,
        }
    }
}

/// What `turn/start` says for one turn only.
#[derive(Debug, Default, Clone)]
pub(super) struct TurnOptions {
    pub(super) output_schema: Option<serde_json::Value>,
    pub(super) service_tier: Option<String>,
    pub(super) trigger: Option<Trigger>,
    pub(super) parent: Option<TurnId>,
    /// The message of the queue that the turn begins with.
    pub(super) queued: Option<String>,
    pub(super) metadata: BTreeMap<String, String>,
}

pub(super) enum Phase {
    /// The model is answering.
    Streaming(ResponseStream),
    /// The answer is over (or was cut off); calls may still run.
    Ended(Next),
    /// Waiting before the request is repeated.
    Backoff(Instant),
    /// Waiting a moment for servers that are starting, so that the model is offered their tools.
    Gathering(Instant),
    /// Waiting for hooks.
    Hooked { gate: Option<Gate>, _task: AbortOnDrop },
}

/// What follows once the calls of a response are done.
#[derive(Debug)]
pub(super) enum Next {
    /// As the response says: go on if it held calls, input is waiting, or the model asked to go on.
    Natural { go_on: bool },
    /// The history has been summed up: go on with what takes its place.
    Compacted(Written),
    /// The answer broke off: repeat the request.
    Retry(Duration),
    /// Nothing that can be mended.
    Fail(Box<TurnError>),
}

/// How a turn ends.
#[derive(Debug)]
pub(super) enum Ending {
    Completed,
    Interrupted {
        /// Who has asked for it.
        by: Option<Reply<TurnInterruptResponse>>,
    },
    /// As interrupted, by something that the user wants instead.
    Replaced,
    Failed(Box<TurnError>),
}

impl Turn {
    pub(super) fn stream(&mut self) -> Option<&mut ResponseStream> {
        match &mut self.phase {
            Phase::Streaming(stream) => Some(stream),
            Phase::Ended(_) | Phase::Backoff(_) | Phase::Gathering(_) | Phase::Hooked { .. } => {
                None
            }
        }
    }

    pub(super) fn streams(&self) -> bool {
        matches!(self.phase, Phase::Streaming(_))
    }

    pub(super) fn backoff(&self) -> Option<Instant> {
        match self.phase {
            Phase::Backoff(until) | Phase::Gathering(until) => Some(until),
            Phase::Streaming(_) | Phase::Ended(_) | Phase::Hooked { .. } => None,
        }
    }

    /// The turn as the answer to `turn/start` shows it: it is known to begin, but not when.
    pub(super) fn accepted(&self) -> WireTurn {
        WireTurn { started_at: None, ..self.wire(TurnStatus::InProgress) }
    }

    /// The turn as clients see it.
    pub(super) fn wire(&self, status: TurnStatus) -> WireTurn {
        WireTurn {
            id: self.id.clone(),
            root_turn_id: Some(self.root.clone()),
            items: Vec::new(),
            items_view: TurnItemsView::NotLoaded,
            status,
            error: None,
            started_at: Some(self.started_at_ms / 1000),
            completed_at: None,
            duration_ms: None,
        }
    }
}

impl Actor {
    /// Asks the model with the history as it is, once hooks have heard of it.
    pub(super) fn ask_model(&mut self) {
        if let Some(until) = self.servers_awaited_until() {
            if let Some(turn) = &mut self.turn {
                turn.phase = Phase::Gathering(until);
            }
            return;
        }
        if self.is_compacting() || !self.hooked(HookEventName::PreModelRequest) {
            return self.stream_answer();
        }
        self.wait_at(Gate::Request, &Occasion::PreModelRequest);
    }

    pub(super) fn stream_answer(&mut self) {
        if let Some(turn) = self.turn.as_mut().filter(|turn| turn.compaction.is_none()) {
            turn.unsent = 0;
            if turn.kind == Kind::Regular {
                // From here on the session has begun, whether or not there were hooks to hear of it.
                self.session_start = None;
            }
        }
        self.tell_late_contexts();
        self.take_step();
        let Some(turn) = &mut self.turn else { return };
        turn.streamed = Streamed::default();
        turn.calls.clear();
        turn.last_in_order = None;
        turn.usage = None;
        turn.is_charged = false;
        let request = self.request();
        let stream = self.shared.model.stream(&self.provider, request);
        if let Some(turn) = &mut self.turn {
            turn.phase = Phase::Streaming(stream);
        }
    }

    /// Goes on when the response is over and all its calls are done; called whenever either may have come true.
    pub(super) fn advance(&mut self) {
        self.answer_goal_calls();
        let Some(turn) = &mut self.turn else { return };
        // What the user runs is nobody's business but theirs, and its end is told elsewhere.
        if turn.kind == Kind::Shell || turn.calls.iter().any(PendingCall::is_running) {
            return;
        }
        let Phase::Ended(next) = &mut turn.phase else { return };
        let next = std::mem::replace(next, Next::Natural { go_on: false });
        let called = !turn.calls.is_empty();
        self.tell_usage();
        self.settle_calls();
        match next {
            Next::Fail(error) => self.finish(Ending::Failed(error)),
            Next::Retry(pause) if self.is_compacting() || !self.has_steered() => {
                self.back_off(pause);
            }
            Next::Compacted(written) => self.compacted(written),
            Next::Natural { go_on }
                if !go_on && !called && !self.has_steered() && !self.mailbox.has_task() =>
            {
                self.stop();
            }
            Next::Natural { .. } if self.is_full() => self.begin_compaction(Moment::WithinTurn),
            Next::Natural { .. } | Next::Retry(_) => self.go_on(),
        }
    }

    /// Asks the model again, with what the user has said meanwhile.
    pub(super) fn go_on(&mut self) {
        if !self.is_compacting() {
            self.hear_of_agents();
            self.read_mail();
            self.wrap_up_goal();
            if let Some((gate, occasion)) = self.next_gate() {
                return self.wait_at(gate, &occasion);
            }
            self.take_steered();
        }
        self.ask_model();
    }

    pub(super) fn is_compacting(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.compaction.is_some())
    }

    pub(super) fn has_steered(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| !turn.steered.is_empty())
    }

    fn take_steered(&mut self) {
        while let Some(said) = self.turn.as_mut().and_then(|turn| turn.steered.pop_front()) {
            self.user_said(said);
        }
    }

    /// Takes input into the running turn. A model that is still answering is cut short, if the user wants that.
    pub(super) fn steer(&mut self, said: UserSaid) {
        let is_instant = self.config.features.on(Feature::InstantInterrupt);
        let Some(turn) = &mut self.turn else { return };
        self.accepted.add(&said, turn.accepted());
        turn.steered.push_back(said);
        turn.arrivals.send_replace(());
        // A compaction is not part of what the input is about: the input waits until it is over.
        let is_cut = match turn.phase {
            Phase::Streaming(_) => is_instant && turn.compaction.is_none(),
            Phase::Backoff(_) | Phase::Gathering(_) => turn.compaction.is_none(),
            // What hooks are asked about goes on as they say.
            Phase::Ended(_) | Phase::Hooked { .. } => false,
        };
        if is_cut {
            self.observe_cut();
            if let Some(turn) = &mut self.turn {
                turn.phase = Phase::Ended(Next::Natural { go_on: true });
                turn.streamed = Streamed::default();
            }
        }
        self.advance();
    }

    /// Puts the user's input into the history and shows it.
    pub(super) fn user_said(&mut self, said: UserSaid) {
        if self.thread.preview.is_empty() {
            self.thread.preview = preview_of(&said.content);
        }
        for item in self.said_items(&said) {
            self.remember(item);
        }
        self.show_user_said(&said);
        self.keep_context(said);
        if let Some(turn) = &mut self.turn {
            turn.unsent += 1;
        }
    }

    pub(super) fn show_user_said(&mut self, said: &UserSaid) {
        let Some(turn) = self.turn.as_ref().map(|turn| turn.id.clone()) else { return };
        for shown in said.shown() {
            self.show_item(&turn, shown);
        }
        self.warn_of_left_out(said);
    }

    pub(super) fn warn_of_left_out(&self, said: &UserSaid) {
        for why in &said.left_out {
            self.warn(format!("Not everything of the input reaches the model: {why}."));
        }
    }

    /// A response failed, or could not be had at all.
    pub(super) fn response_failed(&mut self, error: &model::Error) {
        let retry = error.retry();
        let max = self.provider.stream_max_retries;
        let unbounded = self.unbounded_connection_retries();
        let Some(turn) = &mut self.turn else { return };
        turn.attempts += 1;
        let attempt = turn.attempts;
        let (pause, text, status) = match retry {
            Retry::Stream { after, http_status } if attempt <= max => {
                let pause = after.unwrap_or_else(|| model::backoff(attempt));
                (pause, format!("Reconnecting... {attempt}/{max}"), http_status)
            }
            Retry::Connection if unbounded => (
                model::connection_backoff(attempt),
                "Reconnecting... waiting for network".to_owned(),
                None,
            ),
            Retry::Connection if attempt <= max => {
                (model::backoff(attempt), format!("Reconnecting... {attempt}/{max}"), None)
            }
            Retry::Never | Retry::Stream { .. } | Retry::Connection => {
                let next = Next::Fail(Box::new(error.turn_error()));
                // A reviewer's history is not the thread's.
                if error.is_context_overflow() && !self.is_reviewing() {
                    self.fill_window();
                }
                return self.response_over(next, || failed(error));
            }
        };
        let id = turn.id.clone();
        self.tell_error(&id, reconnecting(text, status, error), WillRetry::Yes);
        self.response_over(Next::Retry(pause), || failed(error));
    }

    fn back_off(&mut self, pause: Duration) {
        if let Some(turn) = &mut self.turn {
            turn.phase = Phase::Backoff(Instant::now() + pause);
        }
    }

    fn tell_error(&self, turn: &TurnId, error: TurnError, will_retry: WillRetry) {
        self.publisher.tell::<method::Error>(&ErrorNotification {
            error,
            will_retry: will_retry == WillRetry::Yes,
            thread_id: self.publisher.thread.clone(),
            turn_id: turn.clone(),
        });
    }

    /// Ends a running turn for something that the user wants instead.
    pub(super) fn make_way(&mut self) {
        if self.turn.is_some() {
            self.finish(Ending::Replaced);
        }
    }

    /// Ends the turn. The order of what clients see is part of the protocol.
    pub(super) fn finish(&mut self, mut ending: Ending) {
        self.tell_usage();
        self.end_streamed();
        if matches!(ending, Ending::Interrupted { .. } | Ending::Replaced) {
            self.abort_calls();
        }
        if matches!(ending, Ending::Interrupted { .. }) {
            self.abort_commands();
        }
        self.abort_reviews();
        self.give_back_session_start();
        self.close_runs();
        self.hear_of_agents();
        let asks_hooks = self.hooked(HookEventName::UserPromptSubmit);
        // What the user has said is kept, though this turn does not get to it; unless it would have to pass hooks.
        if let Some(turn) = self.turn.as_mut().filter(|_| asks_hooks) {
            turn.steered.retain(UserSaid::is_of_harness);
        }
        self.take_steered();
        self.tell_late_contexts();
        if matches!(ending, Ending::Interrupted { .. }) {
            let marker = message("user", &[prompt::turn_aborted()]);
            self.remember(marker);
        }
        // A task that comes at the end of a turn is what the next one is about.
        if !(matches!(ending, Ending::Completed) && self.mailbox.has_task()) {
            self.read_mail();
        }
        self.judge_goal(&ending);
        self.goal_turn_ends();
        self.judge_queue(&ending);
        // What replaces the turn comes first.
        let may_continue = !matches!(ending, Ending::Replaced);
        let Some(mut turn) = self.turn.take() else { return };
        let completed_at_ms = now_ms();
        let record = item::turn_ended(&turn, &ending, completed_at_ms);
        self.record(&[record]);
        if let Ending::Interrupted { by } = &mut ending
            && let Some(reply) = by.take()
        {
            reply.give(Ok(TurnInterruptResponse {}));
        }
        self.waiting.clear();
        self.announce_end(&mut turn, ending, completed_at_ms);
        // The turn, and with it every task and open question of its calls, ends here, after its clients know.
        drop(turn);
        if may_continue {
            self.go_on_by_itself();
        }
    }

    fn announce_end(&mut self, turn: &mut Turn, ending: Ending, completed_at_ms: i64) {
        let (status, error, rest) = match ending {
            Ending::Completed => (TurnStatus::Completed, None, ThreadStatus::Idle),
            Ending::Interrupted { .. } | Ending::Replaced => {
                (TurnStatus::Interrupted, None, ThreadStatus::Idle)
            }
            Ending::Failed(error) => (TurnStatus::Failed, Some(*error), ThreadStatus::SystemError),
        };
        let is_result = turn.last_answer.is_some() || status == TurnStatus::Failed;
        if is_result {
            self.tell_unread(&turn.id);
        }
        self.set_status(rest);
        let mut wire = turn.wire(status);
        wire.error.clone_from(&error);
        wire.completed_at = Some(completed_at_ms / 1000);
        wire.duration_ms = Some(completed_at_ms - turn.started_at_ms);
        self.accepted.ended(&wire);
        let answer = turn.last_answer.as_ref().and_then(|answer| item::text_of(&answer.item));
        self.tell_end(turn.id.clone(), AgentStatus::after(&wire, answer.map(str::to_owned)));
        if let Some(answer) = turn.last_answer.take_if(|_| status == TurnStatus::Completed) {
            wire.items.push(answer);
            wire.items_view = TurnItemsView::Summary;
        }
        if let Some(error) = error {
            self.tell_error(&turn.id, error, WillRetry::No);
        }
        if turn.review.is_some() {
            self.review_broken_off(&turn.id);
        }
        let thread_id = self.publisher.thread.clone();
        let params = TurnCompletedNotification { thread_id, turn: wire };
        self.publisher.tell::<method::TurnCompleted>(&params);
    }

    /// Puts the outputs of the response's calls into the history, in the order of the calls.
    fn settle_calls(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let mut outputs: Vec<Box<RawValue>> = Vec::new();
        for call in &mut turn.calls {
            let informed = call.take_informed();
            outputs.extend(informed.into_iter().map(|text| message("developer", &[text])));
            outputs.extend(call.take_output());
        }
        let told: Vec<String> = turn.calls.iter_mut().flat_map(PendingCall::take_told).collect();
        for output in outputs {
            self.remember(output);
        }
        for text in told {
            self.remember(message("developer", &[text]));
        }
    }

    /// As [`Self::settle_calls`], with an answer for those that did not get to give one.
    fn abort_calls(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let (id, open) = (turn.id.clone(), turn.calls.iter_mut().filter_map(PendingCall::abort));
        for item in open.collect::<Vec<_>>() {
            self.end_item(&id, item::declined(item));
        }
        self.settle_calls();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WillRetry {
    Yes,
    No,
}

fn failed(error: &model::Error) -> ModelAnswer {
    ModelAnswer::Failed { error: error.turn_error().message }
}

fn reconnecting(message: String, http_status: Option<u16>, cause: &model::Error) -> TurnError {
    TurnError {
        message,
        codex_error_info: Some(CodexErrorInfo::ResponseStreamDisconnected {
            http_status_code: http_status,
        }),
        additional_details: Some(cause.turn_error().message),
        misalignment: None,
    }
}
