//! The task of a loaded thread: the only writer of its state.
//!
//! One loop over everything that can happen: a request, something from a running call or command, something from
//! the model, the end of a pause. Each is dealt with at once and without waiting; what it changes is appended to the
//! rollout before anybody is told.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::command::RunningCommand;
use super::compact::Effort;
use super::context::{Parts, Surroundings, Told, base_instructions_of};
use super::goal::Goal;
use super::history::History;
use super::hooked::OpenRun;
use super::instructions::Instructions;
use super::mail::Mailbox;
use super::outlet::Publisher;
use super::queue::Queue;
use super::repeat::Accepted;
use super::said::AdditionalContext;
use super::servers::ThreadServers;
use super::session::{Origin, Shared, Start};
use super::settings::Settings;
use super::skills::Known;
use super::step::Step;
use super::team::{AgentStatus, Team};
use super::turn::{Ending, Kind, Turn};
use super::usage::Totals;
use super::{Closed, Command, Error, Reply, Result, Snapshot, item, prompt, stored};
use crate::config::{Effective, Feature};
use crate::exec::Terminals;
use crate::extension::hooks::{Hooks, SessionOrigin, ThreadHooks};
use crate::model::catalog::ModelInfo;
use crate::model::senses::Senses;
use crate::model::{Conversation, LimitWindow, Provider, ResponseHeaders, StreamEvent};
use crate::policy::grant::Grants;
use crate::protocol::{
    AccountRateLimitsUpdatedNotification, CodexErrorInfo, ItemCompletedNotification,
    ItemStartedNotification, ModelRerouteReason, ModelReroutedNotification, ModelVerification,
    ModelVerificationNotification, MultiAgentVersion, RateLimitSnapshot, RateLimitWindow, Thread,
    ThreadActiveFlag, ThreadStatus, ThreadTokenUsageUpdatedNotification, ThreadUnreadPosition,
    TimedItem, TurnError, TurnId, TurnInterruptResponse, WarningNotification, method,
};
use crate::store::{Record, Writer};
use crate::tools::{DynamicTools, Event};
use crate::util::task::guarded;
use crate::util::time::{now_ms, now_secs};

pub(super) struct Actor {
    pub(super) shared: Arc<Shared>,
    pub(super) publisher: Publisher,
    pub(super) thread: Thread,
    pub(super) settings: Settings,
    pub(super) config: Arc<Effective>,
    pub(super) provider: Arc<Provider>,
    pub(super) instructions: Instructions,
    pub(super) skills: Known,
    pub(super) goal: Goal,
    pub(super) queue: Queue,
    pub(super) developer_instructions: Option<String>,
    pub(super) history: History,
    pub(super) told: Told,
    /// What came beside the last input.
    pub(super) additional_context: AdditionalContext,
    pub(super) accepted: Accepted,
    /// `None` for an ephemeral thread.
    pub(super) writer: Option<Writer>,
    pub(super) origin: Origin,
    /// Names what the model saw first.
    pub(super) context_window: String,
    pub(super) totals: Totals,
    /// How often the history has been compacted.
    pub(super) compactions: usize,
    /// What the way to the model keeps between two requests.
    pub(super) conversation: Conversation,
    pub(super) effort: Effort,
    pub(super) last_usage: Option<TurnId>,
    pub(super) terminals: Arc<Terminals>,
    pub(super) grants: Arc<Mutex<Grants>>,
    pub(super) dynamic_tools: Arc<DynamicTools>,
    pub(super) servers: ThreadServers,
    pub(super) team: Arc<Team>,
    pub(super) mailbox: Mailbox,
    /// Which kind of agents the thread has, once a turn has begun.
    pub(super) multi_agent: Option<MultiAgentVersion>,
    /// How many agents are between this thread and the session's first one.
    pub(super) depth: u32,
    pub(super) progress: watch::Sender<AgentStatus>,
    /// The commands that run, by session.
    pub(super) commands: HashMap<u32, RunningCommand>,
    /// How many commands the user has run.
    pub(super) user_commands: u32,
    pub(super) status: ThreadStatus,
    /// Where the content begins that nobody has read.
    pub(super) first_unread: Option<ThreadUnreadPosition>,
    /// The time that the model was told last.
    pub(super) told_time: Option<String>,
    /// A model that the client has been warned of, since nothing is known about it.
    pub(super) warned_of: Option<String>,
    /// What the open questions of the running turn are about.
    pub(super) waiting: Vec<ThreadActiveFlag>,
    pub(super) turn: Option<Turn>,
    /// The hooks that may run; `None` where there are none.
    pub(super) hooks: Option<Arc<ThreadHooks>>,
    /// What the next turn has instead.
    pub(super) next_hooks: Option<Hooks>,
    /// What hooks have not been told yet: that a session begins.
    pub(super) session_start: Option<SessionOrigin>,
    pub(super) open_runs: Vec<OpenRun>,
    /// What asynchronous hooks have said since the model was asked last.
    pub(super) late_contexts: Vec<String>,
    pub(super) inbox: mpsc::Receiver<Command>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) happened: mpsc::Receiver<Event>,
}

/// Why the task ends.
enum Close {
    Asked(oneshot::Sender<Closed>),
    /// Nobody can reach the thread any more.
    Abandoned,
    /// Something in it has panicked.
    Broken,
}

/// What wakes the task.
enum Woken {
    Command(Option<Command>),
    Event(Option<Event>),
    Model(Option<Vec<StreamEvent>>),
    BackoffOver,
}

impl Actor {
    pub(super) async fn run(mut self) {
        let closed = loop {
            let broken = || ControlFlow::Break(Close::Broken);
            match guarded("a thread", self.next(), broken).await {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(Close::Asked(reply)) => break Some(reply),
                ControlFlow::Break(Close::Abandoned) => break None,
                ControlFlow::Break(Close::Broken) => {
                    self.fail_broken();
                    break None;
                }
            }
        };
        self.hear_last_events();
        if self.turn.is_some() {
            self.finish(Ending::Interrupted { by: None });
        }
        self.end_commands().await;
        self.hear_last_events();
        self.dismiss_agents().await;
        self.close_all_runs();
        let farewell = self.session_end();
        // Kills what still runs before anybody is told that the thread is closed.
        let left = self.leave();
        if let Some(round) = farewell {
            let (unheard, _) = mpsc::channel::<Event>(1);
            drop(round.run(&unheard).await);
        }
        if let Some(reply) = closed {
            drop(reply.send(left));
        }
    }

    /// Waits for something to happen, and deals with it.
    async fn next(&mut self) -> ControlFlow<Close> {
        match self.wake().await {
            Woken::Command(Some(Command::Close { reply })) => {
                return ControlFlow::Break(Close::Asked(reply));
            }
            Woken::Command(None) => return ControlFlow::Break(Close::Abandoned),
            Woken::Command(Some(command)) => self.command(command),
            Woken::Event(Some(event)) => self.event(event),
            Woken::Event(None) => {}
            Woken::Model(batch) => self.streamed(batch),
            Woken::BackoffOver => self.ask_model(),
        }
        ControlFlow::Continue(())
    }

    /// The thread's state cannot be relied on any more: its turn fails, and the thread ends, to be loaded anew from
    /// its file by whoever asks for it next.
    fn fail_broken(&mut self) {
        if self.turn.is_some() {
            self.finish(Ending::Failed(Box::new(TurnError {
                message: "internal error; the thread was closed and can be resumed".to_owned(),
                codex_error_info: Some(CodexErrorInfo::InternalServerError),
                additional_details: None,
                misalignment: None,
            })));
        }
        self.set_status(ThreadStatus::SystemError);
    }

    fn leave(self) -> Closed {
        let base_instructions = base_instructions_of(&self.thread.id, self.history.iter());
        let start = Start {
            config: Arc::unwrap_or_clone(self.config),
            settings: self.settings,
            provider: Arc::unwrap_or_clone(self.provider),
            base_instructions,
            developer_instructions: self.developer_instructions,
        };
        Closed { start, writer: self.writer }
    }

    async fn wake(&mut self) -> Woken {
        let (stream, until) = match &mut self.turn {
            Some(turn) => {
                let until = turn.backoff();
                (turn.stream(), until)
            }
            None => (None, None),
        };
        let (publisher, happened) = (&self.publisher, &mut self.happened);
        tokio::select! {
            biased;
            command = self.inbox.recv() => Woken::Command(command),
            // Nothing more is made while the listeners have not taken what there is; but they may always ask.
            woken = async {
                publisher.room().await;
                tokio::select! {
                    biased;
                    event = happened.recv() => Woken::Event(event),
                    batch = next_batch(stream) => Woken::Model(batch),
                    () = sleep_for(until) => Woken::BackoffOver,
                }
            } => woken,
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::StartTurn { params, input, reply } => {
                self.start_turn(&params, input, reply);
            }
            Command::Steer { params, input, reply } => {
                self.steer_turn(*params, input, reply);
            }
            Command::SetGoal { params, reply } => self.set_goal(&params, reply),
            Command::ClearGoal { reply } => self.clear_goal(reply),
            Command::AgentEnded => self.agent_ended(),
            Command::Mail { letter, reply } => self.receive(letter, reply),
            Command::Wake => self.go_on_by_itself(),
            Command::StartQueued { id, reply } => self.start_queued(id.as_deref(), reply),
            Command::UpdateSettings { params, reply } => self.update_settings(&params, reply),
            Command::UpdateTurn { params, reply } => self.update_turn(&params, reply),
            Command::Read { first_unread } => self.first_unread = first_unread,
            Command::StartServers => self.start_servers(),
            Command::ChangeServers(servers) => self.change_servers(servers),
            Command::ChangeHooks(hooks) => self.change_hooks(hooks),
            Command::Servers { reply } => drop(reply.send(Arc::clone(&self.servers.current))),
            Command::Interrupt { turn, reply } => self.interrupt(&turn, reply),
            Command::Compact { reply } => self.compact(reply),
            Command::Shell { script, limit, reply } => self.run_for_user(script, limit, reply),
            Command::AllowDenied { denied, reply } => self.allow_denied(&denied, reply),
            Command::Terminals { reply } => drop(reply.send(self.running_terminals())),
            Command::Terminate { session, reply } => self.terminate(session, reply),
            Command::TerminateAll { reply } => self.terminate_all(reply),
            Command::Review { task, reply } => self.review(task, reply),
            Command::Snapshot { reply } => drop(reply.send(self.snapshot())),
            Command::Senses { model, reply } => {
                let _unheard = reply.send(self.senses(model.as_deref()));
            }
            Command::Inject { items, reply } => drop(reply.send(self.inject(items))),
            Command::Rename { name, reply } => drop(reply.send(self.rename(name))),
            Command::Materialize { reply } => drop(reply.send(self.materialize())),
            // The loop has taken it.
            Command::Close { reply } => drop(reply),
        }
    }

    fn interrupt(&mut self, expected: &TurnId, reply: Reply<TurnInterruptResponse>) {
        let refusal = match &mut self.turn {
            None if expected.as_str().is_empty() => {
                return reply.give(Ok(TurnInterruptResponse {}));
            }
            None => "no active turn to interrupt".to_owned(),
            Some(turn) if !expected.as_str().is_empty() && turn.id != *expected => {
                format!("expected active turn id {expected} but found {}", turn.id)
            }
            Some(_) => {
                self.observe_interrupt();
                return self.finish(Ending::Interrupted { by: Some(reply) });
            }
        };
        reply.give(Err(Error::Refused(refusal)));
    }

    /// Whether the thread has a file.
    pub(super) fn is_materialized(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_materialized)
    }

    pub(super) fn materialize(&mut self) -> Result<()> {
        match &mut self.writer {
            Some(writer) => Ok(writer.materialize()?),
            None => {
                Err(Error::Refused(format!("no rollout found for thread id {}", self.thread.id)))
            }
        }
    }

    fn rename(&mut self, name: String) -> Result<()> {
        if self.writer.is_none() {
            let refusal =
                format!("ephemeral thread does not support metadata updates: {}", self.thread.id);
            return Err(Error::Refused(refusal));
        }
        self.materialize()?;
        self.shared.store.set_name(&self.thread.id, &name)?;
        self.thread.name = Some(name);
        Ok(())
    }

    fn snapshot(&self) -> Snapshot {
        let mut thread = self.thread.clone();
        // Another server of the same home may have named it.
        thread.name = self.shared.store.name(&thread.id).or(thread.name);
        thread.status = self.status.clone();
        thread.model = Some(self.settings.model.clone());
        thread.reasoning_effort.clone_from(&self.settings.effort);
        thread.cwd = self.settings.cwd.clone().into();
        thread.environments = Some(self.settings.environments());
        Snapshot {
            thread,
            settings: self.settings.wire(),
            running: self.turn.as_ref().map(|turn| turn.id.clone()),
            roots: self.settings.workspace().iter().map(|root| root.as_path().into()).collect(),
            instruction_sources: self
                .instructions
                .sources
                .iter()
                .map(|path| path.as_path().into())
                .collect(),
            materialized: self.is_materialized(),
            goal: self.goal.current.clone(),
            goals_enabled: self.config.features.on(Feature::Goals),
            last_usage: self.last_usage.clone().map(|turn| (turn, self.totals.wire(self.window()))),
        }
    }

    pub(super) fn senses(&self, model: Option<&str>) -> Senses {
        if let Some(turn) = &self.turn {
            return turn.step.model.senses();
        }
        let model = model.unwrap_or(&self.settings.model);
        self.shared.catalog.model(model, &self.config).senses()
    }

    /// Adds items to the thread's history, not to that of a review that may be running.
    fn inject(&mut self, items: Vec<Box<RawValue>>) -> Result<()> {
        self.check_direct_input()?;
        items.iter().for_each(|item| self.history.push(item));
        let records: Vec<Record> = items.into_iter().map(Record::History).collect();
        self.record(&records);
        Ok(())
    }

    /// Keeps an item for the model's next request; what a reviewer sees and says only for as long as its review lasts.
    pub(super) fn remember(&mut self, item: Box<RawValue>) {
        let record = self.keep(item);
        self.record(record.as_slice());
    }

    /// As [`Self::remember`], but leaves it to the caller to store what is returned.
    pub(super) fn keep(&mut self, item: Box<RawValue>) -> Option<Record> {
        if let Some(review) = self.turn.as_mut().and_then(|turn| turn.review.as_mut()) {
            review.history.push(&item);
            return None;
        }
        self.history.push(&item);
        Some(Record::History(item))
    }

    /// Keeps an item for the thread's own model, also while a reviewer is at work, who has no use for it.
    pub(super) fn remember_past_review(&mut self, item: Box<RawValue>) {
        self.history.push(&item);
        self.record(&[Record::History(item)]);
    }

    /// Appends to the rollout. What cannot be written is said to the client; the thread goes on in memory.
    pub(super) fn record(&mut self, records: &[Record]) {
        self.thread.updated_at = now_secs();
        let Some(writer) = &mut self.writer else { return };
        if let Err(error) = writer.append(records) {
            tracing::error!(%error, "a thread cannot be saved");
            self.warn(format!("This thread cannot be saved: {error}"));
        }
    }

    pub(super) fn warn(&self, message: String) {
        let thread_id = Some(self.publisher.thread.clone());
        self.publisher.tell::<method::Warning>(&WarningNotification { thread_id, message });
    }

    pub(super) fn set_status(&mut self, status: ThreadStatus) {
        if self.status == status {
            return;
        }
        self.status = status.clone();
        self.publisher.tell_status(status);
    }

    /// Shows whether the running turn waits for the user.
    pub(super) fn show_waiting(&mut self) {
        let mut active_flags =
            vec![ThreadActiveFlag::WaitingOnApproval, ThreadActiveFlag::WaitingOnUserInput];
        active_flags.retain(|flag| self.waiting.contains(flag));
        self.set_status(ThreadStatus::Active { active_flags });
    }

    /// Shows the beginning of an item.
    pub(super) fn start_item(&self, turn: &TurnId, item: TimedItem) {
        let started_at_ms = item.started_at_ms.unwrap_or_default();
        let (thread_id, turn_id) = (self.publisher.thread.clone(), turn.clone());
        let params = ItemStartedNotification { item, thread_id, turn_id, started_at_ms };
        self.publisher.tell::<method::ItemStarted>(&params);
    }

    /// Shows and keeps an item that is complete as soon as it begins.
    pub(super) fn show_item(&mut self, turn: &TurnId, item: TimedItem) {
        let item = item::ended(item, now_ms());
        self.record(&[item::record(&self.thread.id, turn, &item)]);
        self.show_kept(turn, item);
    }

    /// Shows an item that is over and has been kept already.
    pub(super) fn show_kept(&self, turn: &TurnId, item: TimedItem) {
        self.start_item(turn, TimedItem { completed_at_ms: None, ..item.clone() });
        self.tell_ended(turn, item);
    }

    /// Keeps an item and shows its end.
    pub(super) fn end_item(&mut self, turn: &TurnId, item: TimedItem) {
        self.end_item_with(turn, item, Vec::new());
    }

    /// As [`Self::end_item`], and keeps `records` with it, before anybody is told.
    pub(super) fn end_item_with(
        &mut self,
        turn: &TurnId,
        item: TimedItem,
        mut records: Vec<Record>,
    ) {
        let item = item::ended(item, now_ms());
        records.insert(0, item::record(&self.thread.id, turn, &item));
        self.record(&records);
        self.tell_ended(turn, item);
    }

    fn tell_ended(&self, turn: &TurnId, item: TimedItem) {
        let completed_at_ms = item.completed_at_ms.unwrap_or_default();
        let (thread_id, turn_id) = (self.publisher.thread.clone(), turn.clone());
        let content_token_count = None;
        let params = ItemCompletedNotification {
            item,
            thread_id,
            turn_id,
            content_token_count,
            completed_at_ms,
        };
        self.publisher.tell::<method::ItemCompleted>(&params);
    }

    /// Tells the usage of the response that has just ended, if it is known and has not been told.
    pub(super) fn tell_usage(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let (began, usage) = (std::mem::take(&mut turn.response_began), turn.usage.take());
        // What a reviewer uses says nothing about the thread's own history.
        if turn.review.is_some() {
            return;
        }
        let Some(usage) = usage else {
            if began {
                self.repeat_usage();
            }
            return;
        };
        let turn_id = turn.id.clone();
        self.totals.add(&usage);
        self.last_usage = Some(turn_id);
        self.publish_usage();
        self.charge_goal(&usage);
        self.judge_compaction();
        if let Some(turn) = &mut self.turn {
            let rate_limits = std::mem::take(&mut turn.limits);
            let params = AccountRateLimitsUpdatedNotification { rate_limits };
            self.publisher.tell_all::<method::AccountRateLimitsUpdated>(&params);
        }
    }

    /// Tells again what clients know: after a response that has told nothing.
    pub(super) fn repeat_usage(&mut self) {
        if self.last_usage.is_some() {
            self.publish_usage();
        }
    }

    /// Counts and tells that a request was more than the window holds.
    pub(super) fn fill_window(&mut self) {
        let Some(window) = self.window() else { return };
        self.totals.fill(window);
        self.publish_usage();
    }

    /// Keeps and tells what the thread has used.
    pub(super) fn publish_usage(&mut self) {
        let Some(turn_id) = self.turn.as_ref().map(|turn| turn.id.clone()) else { return };
        let token_usage = self.totals.wire(self.window());
        self.record(&[stored::usage(&token_usage)]);
        let thread_id = self.publisher.thread.clone();
        let params = ThreadTokenUsageUpdatedNotification { thread_id, turn_id, token_usage };
        self.publisher.tell::<method::ThreadTokenUsageUpdated>(&params);
    }

    pub(super) fn response_headers(&mut self, headers: ResponseHeaders) {
        let Some(turn) = &self.turn else { return };
        if let Some(served) = headers.rerouted_from(&turn.step.scene.model).map(str::to_owned) {
            self.rerouted(served);
        }
        let Some(turn) = &mut self.turn else { return };
        turn.response_began = true;
        if headers.turn_state.is_some() {
            turn.turn_state = headers.turn_state;
        }
        turn.limits = RateLimitSnapshot {
            limit_id: Some("codex".to_owned()),
            primary: headers.primary_limit.as_ref().map(limit_window),
            secondary: headers.secondary_limit.as_ref().map(limit_window),
            ..RateLimitSnapshot::default()
        };
    }

    /// Another model answers than the one that was asked: told once for each turn.
    fn rerouted(&mut self, to_model: String) {
        let Some(turn) = self.turn.as_mut().filter(|turn| turn.rerouted.is_none()) else { return };
        turn.rerouted = Some(to_model.clone());
        let message = format!(
            "`{to_model}` answers instead of `{}`: the provider takes this work for a security risk.",
            turn.step.scene.model
        );
        let params = ModelReroutedNotification {
            thread_id: self.publisher.thread.clone(),
            turn_id: turn.id.clone(),
            from_model: turn.step.scene.model.clone(),
            to_model,
            reason: ModelRerouteReason::HighRiskCyberActivity,
        };
        self.publisher.tell::<method::ModelRerouted>(&params);
        self.warn(message);
    }

    pub(super) fn fell_back(&mut self, cause: &crate::model::Error) {
        self.warn(format!(
            "WebSockets to the provider do not work, so plain HTTP is used: {cause}"
        ));
    }

    pub(super) fn verification(&self, verifications: Vec<ModelVerification>) {
        let Some(turn_id) = self.turn.as_ref().map(|turn| turn.id.clone()) else { return };
        let thread_id = self.publisher.thread.clone();
        let params = ModelVerificationNotification { thread_id, turn_id, verifications };
        self.publisher.tell::<method::ModelVerification>(&params);
    }

    /// How much of the model's window a thread may fill.
    pub(super) fn window(&self) -> Option<i64> {
        Some(self.model().effective_window(self.config.model_context_window))
    }

    /// The model that the thread's history is for: the running turn's, unless that shows a reviewer's work.
    pub(super) fn model(&self) -> Arc<ModelInfo> {
        match &self.turn {
            Some(turn) if turn.kind != Kind::Review => Arc::clone(&turn.step.model),
            Some(_) | None => self.shared.catalog.model(&self.settings.model, &self.config),
        }
    }

    pub(super) fn unbounded_connection_retries(&self) -> bool {
        self.config.features.on(Feature::UnboundedConnectionRetries)
    }

    /// What holds now: for a running turn, what it has begun with and what has been changed for it since.
    pub(super) fn current_settings(&self) -> &Settings {
        self.turn.as_ref().map_or(&self.settings, |turn| &turn.step.settings)
    }

    /// What surrounds a model that is asked as a step of a turn says.
    pub(super) fn surroundings<'a>(&'a self, step: &'a Step) -> Surroundings<'a> {
        let model = &*step.model;
        Surroundings {
            settings: &step.settings,
            instructions: &self.instructions,
            developer_instructions: self.developer_instructions.as_deref(),
            skills: self.skills.listing.as_deref(),
            team: self.team_text(model),
            deferred: step.deferred.as_deref(),
            parts: Parts {
                permissions: self.config.include_permissions_instructions.into(),
                environment: self.config.include_environment_context.into(),
                time: self.config.include_environment_context_time.into(),
            },
            shell: self.shared.shell().name(),
            model_instructions: model.base_instructions.as_deref().unwrap_or(prompt::BASE),
        }
    }
}

fn limit_window(limit: &LimitWindow) -> RateLimitWindow {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a percentage, and casts of floats saturate"
    )]
    let used_percent = limit.used_percent.round() as i32;
    RateLimitWindow {
        used_percent,
        window_duration_mins: limit.window_minutes,
        resets_at: limit.resets_at,
    }
}

async fn next_batch(stream: Option<&mut crate::model::ResponseStream>) -> Option<Vec<StreamEvent>> {
    match stream {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}

async fn sleep_for(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}
