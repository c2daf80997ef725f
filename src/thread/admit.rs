//! Admission: whether a request starts a turn, joins the running one, or is refused. Decided here, in the thread's
//! task, before the request is answered, so that an id that has been answered is a turn that runs.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::Path;

use tokio::sync::watch;
use tokio::task::block_in_place;
use uuid::Uuid;

use super::actor::Actor;
use super::auto_review::Reviews;
use super::compact::Moment;
use super::diff::TurnDiff;
use super::said::UserSaid;
use super::settings::Overrides;
use super::stream::Streamed;
use super::team::AgentStatus;
use super::turn::{Kind, Next, Phase, Trigger, Turn, TurnOptions};
use super::{Error, Rendered, Reply, Result, instructions, item, stored};
use crate::protocol::{
    RateLimitSnapshot, ThreadSettingsUpdateParams, ThreadSettingsUpdateResponse,
    ThreadSettingsUpdatedNotification, ThreadStatus, TimedItem, TurnId, TurnStartParams,
    TurnStartResponse, TurnStartedNotification, TurnStatus, TurnSteerParams, TurnSteerResponse,
    method,
};
use crate::store::{Record, preview_of};
use crate::util::time::{now_ms, now_secs};

/// How many inputs may wait until a running turn can take them.
const MOST_WAITING: usize = 256;

impl Actor {
    pub(super) fn start_turn(
        &mut self,
        params: &TurnStartParams,
        input: Rendered,
        reply: Reply<TurnStartResponse>,
    ) {
        if let Err(refusal) = self.check_direct_input() {
            return reply.give(Err(refusal));
        }
        let said = UserSaid::of_start(params, input);
        if let Some(turn) = self.accepted.turn_of(&said) {
            return reply.give(Ok(TurnStartResponse { turn: turn.clone() }));
        }
        let overrides = match self.check_start(params, &said) {
            Ok(overrides) => overrides,
            Err(refusal) => return reply.give(Err(refusal)),
        };
        self.override_settings(overrides);
        match &self.turn {
            Some(turn) => {
                reply.give(Ok(TurnStartResponse { turn: turn.accepted() }));
                self.join(said, params.responsesapi_client_metadata.clone());
            }
            None => {
                let (options, root) = (TurnOptions::of(params), params.root_turn_id.clone());
                self.begin_turn(options, root, said, reply);
            }
        }
    }

    /// Refuses without changing anything.
    fn check_start(&self, params: &TurnStartParams, said: &UserSaid) -> Result<Overrides> {
        said.check()?;
        if let Some(turn) = &self.turn {
            if let Some(kind) = turn.kind.not_steerable() {
                let refusal = format!(
                    "failed to submit turn input: ActiveTurnNotSteerable {{ turn_kind: {kind:?} }}"
                );
                return Err(Error::Failed(refusal));
            }
            if said.is_empty() {
                return Err(Error::Failed("failed to submit turn input: EmptyInput".to_owned()));
            }
            check_room(turn)?;
            if params.output_schema.is_some() && params.output_schema != turn.options.output_schema
            {
                let refusal = "failed to submit turn input: ActiveTurnOutputSchemaMismatch";
                return Err(Error::Failed(refusal.to_owned()));
            }
        }
        Overrides::of_turn(params, &self.config, &self.shared.cwd)
    }

    /// Changes settings for the turns to come.
    pub(super) fn update_settings(
        &mut self,
        params: &ThreadSettingsUpdateParams,
        reply: Reply<ThreadSettingsUpdateResponse>,
    ) {
        let overrides = self
            .check_direct_input()
            .and_then(|()| Overrides::of_update(params, &self.config, &self.shared.cwd));
        match overrides {
            Ok(overrides) => {
                reply.give(Ok(ThreadSettingsUpdateResponse {}));
                self.override_settings(overrides);
            }
            Err(refusal) => reply.give(Err(refusal)),
        }
    }

    fn override_settings(&mut self, overrides: Overrides) {
        let project = self.settings.project().map(Path::to_owned);
        if !self.settings.apply(overrides) {
            return;
        }
        let now = self.settings.project();
        if now != project.as_deref() {
            let home = &self.shared.sources.home;
            self.instructions = block_in_place(|| instructions::discover(home, now, &self.config));
        }
        let applied = stored::settings_applied(&self.thread.id, &self.settings);
        if self.is_materialized() {
            self.record(&[applied]);
        }
        let thread_settings = self.settings.wire();
        let thread_id = self.publisher.thread.clone();
        let params = ThreadSettingsUpdatedNotification { thread_id, thread_settings };
        self.publisher.tell::<method::ThreadSettingsUpdated>(&params);
    }

    pub(super) fn begin_turn(
        &mut self,
        options: TurnOptions,
        root: Option<TurnId>,
        said: UserSaid,
        reply: Reply<TurnStartResponse>,
    ) {
        self.look_for_skills();
        self.hear_of_agents();
        self.renew_servers();
        self.renew_hooks();
        let turn = self.new_turn(Kind::Regular, root, options);
        let (accepted, is_known) = (turn.accepted(), turn.step.model.is_known());
        let turn_id = turn.id.clone();
        let shown = said.shown();
        // A compaction that comes first does without the input, which is put into the new history.
        let mut full = false;
        let mut hears_first = false;
        let opened = self.open_turn(turn, |actor| {
            full = actor.is_full();
            hears_first = actor.hears_first();
            match (full, hears_first) {
                (true, _) => actor.keep_bare_beginning(),
                (false, true) => actor.keep_beginning(None, &[]),
                (false, false) => actor.keep_beginning(Some(&said), &shown),
            }
        });
        if let Err(error) = opened {
            return reply.give(Err(error));
        }
        if !is_known {
            self.warn_of_model();
        }
        for warning in std::mem::take(&mut self.instructions.warnings) {
            self.warn(warning);
        }
        self.accepted.add(&said, accepted.clone());
        reply.give(Ok(TurnStartResponse { turn: accepted }));
        self.announce_turn();
        if full {
            return self.compact_before(said);
        }
        if hears_first {
            return self.begin_hearing(said);
        }
        for item in shown {
            self.show_kept(&turn_id, item);
        }
        self.warn_of_left_out(&said);
        self.keep_context(said);
        self.ask_model();
    }

    /// Makes `turn` the running one, once `keep` has put its beginning on disk. There is no turn if that fails.
    fn open_turn(&mut self, turn: Turn, keep: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        self.multi_agent = Some(self.multi_agent_with(&turn.step.model));
        self.turn = Some(turn);
        if let Err(error) = keep(self) {
            self.turn = None;
            return Err(error);
        }
        self.goal_turn_begins();
        self.thread.recency_at = Some(now_secs());
        Ok(())
    }

    /// Opens a turn that nobody has said anything in: a review, a compaction or a command.
    pub(super) fn open_bare_turn(&mut self, turn: Turn) -> Result<()> {
        self.open_turn(turn, Self::keep_bare_beginning)
    }

    /// Has the model take up a turn that has been about commands of the user's, now that there is input for it.
    pub(super) fn take_up(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        turn.kind = Kind::Regular;
        let is_known = turn.step.model.is_known();
        self.look_for_skills();
        self.hear_of_agents();
        if !is_known {
            self.warn_of_model();
        }
        if self.is_full() {
            return self.begin_compaction(Moment::BeforeTurn);
        }
        self.tell_surroundings();
        self.go_on();
    }

    fn compact_before(&mut self, said: UserSaid) {
        self.hold_back(said);
        self.begin_compaction(Moment::BeforeTurn);
    }

    /// Hooks hear what is said before it becomes a part of the history.
    fn begin_hearing(&mut self, said: UserSaid) {
        self.hold_back(said);
        self.go_on();
    }

    fn hold_back(&mut self, said: UserSaid) {
        if let Some(turn) = self.turn.as_mut().filter(|_| said.tells_something()) {
            turn.steered.push_back(said);
        }
    }

    /// The beginning of a turn that tells its model nothing yet.
    fn keep_bare_beginning(&mut self) -> Result<()> {
        let Some(turn) = &self.turn else { return Ok(()) };
        let records = [
            stored::turn_started(turn, &self.settings, self.window()),
            stored::turn_context(turn, &self.settings, self.multi_agent),
        ];
        self.thread.updated_at = now_secs();
        match &mut self.writer {
            Some(writer) => Ok(writer.append(&records)?),
            None => Ok(()),
        }
    }

    /// Says that nothing is known of the model; once is enough.
    fn warn_of_model(&mut self) {
        let model = &self.settings.model;
        if self.warned_of.as_ref() == Some(model) {
            return;
        }
        self.warned_of = Some(model.clone());
        self.warn(format!(
            "Model metadata for `{model}` not found. Defaulting to fallback metadata; \
             this can degrade performance and cause issues."
        ));
    }

    /// What a turn begins with is on disk before its request is answered, the user's words included, unless they
    /// have to wait.
    fn keep_beginning(&mut self, said: Option<&UserSaid>, shown: &[TimedItem]) -> Result<()> {
        let said_items = said.map(|said| self.said_items(said)).unwrap_or_default();
        let Some(turn) = &self.turn else { return Ok(()) };
        let window = self.window();
        let mut records = vec![stored::turn_started(turn, &self.settings, window)];
        let mut told = self.told.clone();
        let mut seen = told.update(&self.surroundings(&turn.step));
        records.extend(seen.iter().cloned().map(Record::History));
        records.push(stored::turn_context(turn, &self.settings, self.multi_agent));
        let is_new = self.writer.as_ref().is_some_and(|writer| !writer.is_materialized());
        if is_new {
            records.push(stored::settings_applied(&self.thread.id, &self.settings));
        }
        records.extend(said_items.iter().cloned().map(Record::History));
        records.extend(shown.iter().map(|item| item::record(&self.thread.id, &turn.id, item)));
        seen.extend(said_items);
        if let Some(writer) = &mut self.writer {
            writer.append(&records)?;
        }
        // Only what is on disk counts as told: a turn that cannot be kept leaves no trace.
        self.told = told;
        seen.iter().for_each(|message| self.history.push(message));
        self.thread.updated_at = now_secs();
        if let Some(said) = said.filter(|_| self.thread.preview.is_empty()) {
            self.thread.preview = preview_of(&said.content);
        }
        Ok(())
    }

    pub(super) fn new_turn(&self, kind: Kind, root: Option<TurnId>, options: TurnOptions) -> Turn {
        let id = TurnId::from(Uuid::now_v7().to_string());
        let mut settings = self.settings.clone();
        if let (Kind::Review, Some(model)) = (kind, &self.config.review_model) {
            settings.model.clone_from(model);
        }
        Turn {
            step: self.step(&id, kind, settings),
            root: root.unwrap_or_else(|| id.clone()),
            id,
            kind,
            started_at_ms: now_ms(),
            next_settings: None,
            options,
            phase: Phase::Ended(Next::Natural { go_on: true }),
            compaction: None,
            reviews: Reviews::default(),
            review: None,
            streamed: Streamed::default(),
            calls: Vec::new(),
            goal_calls: Vec::new(),
            calls_made: 0,
            unsent: 0,
            is_charged: false,
            skills: HashSet::new(),
            last_in_order: None,
            steered: VecDeque::new(),
            arrivals: watch::Sender::new(()),
            response_began: false,
            usage: None,
            attempts: 0,
            diff: TurnDiff::new(&self.settings.cwd),
            last_answer: None,
            limits: RateLimitSnapshot::default(),
            turn_state: None,
            rerouted: None,
            prompted_by_hooks: false,
        }
    }

    /// Tells that the thread is at work, and on which turn.
    pub(super) fn announce_turn(&mut self) {
        self.progress.send_replace(AgentStatus::Running);
        self.set_status(ThreadStatus::Active { active_flags: Vec::new() });
        let Some(turn) = &self.turn else { return };
        let thread_id = self.publisher.thread.clone();
        let turn = turn.wire(TurnStatus::InProgress);
        self.publisher.tell::<method::TurnStarted>(&TurnStartedNotification { thread_id, turn });
    }

    pub(super) fn steer_turn(
        &mut self,
        params: TurnSteerParams,
        input: Rendered,
        reply: Reply<TurnSteerResponse>,
    ) {
        let said = UserSaid::of_steer(&params, input);
        let known = self.accepted.turn_of(&said).map(|turn| &turn.id);
        if let Some(turn_id) = known.filter(|turn| **turn == params.expected_turn_id) {
            return reply.give(Ok(TurnSteerResponse { turn_id: turn_id.clone() }));
        }
        match self.check_steer(&params, &said) {
            Ok(turn_id) => {
                reply.give(Ok(TurnSteerResponse { turn_id }));
                self.join(said, params.responsesapi_client_metadata);
            }
            Err(refusal) => reply.give(Err(refusal)),
        }
    }

    /// Takes input of a client's into the running turn.
    fn join(&mut self, said: UserSaid, metadata: Option<BTreeMap<String, String>>) {
        if let Some(turn) = &mut self.turn {
            turn.options.metadata.extend(metadata.unwrap_or_default());
        }
        self.steer(said);
    }

    fn check_steer(&self, params: &TurnSteerParams, said: &UserSaid) -> Result<TurnId> {
        self.check_direct_input()?;
        let expected = &params.expected_turn_id;
        if expected.as_str().is_empty() {
            return Err(Error::Refused("expectedTurnId must not be empty".to_owned()));
        }
        let Some(turn) = &self.turn else {
            return Err(Error::Refused("no active turn to steer".to_owned()));
        };
        if turn.id != *expected {
            let refusal = format!("expected active turn id `{expected}` but found `{}`", turn.id);
            return Err(Error::Refused(refusal));
        }
        if let Some(kind) = turn.kind.not_steerable() {
            return Err(Error::NotSteerable(kind));
        }
        if params.input.is_empty() {
            return Err(Error::Refused("input must not be empty".to_owned()));
        }
        said.check()?;
        check_room(turn)?;
        Ok(turn.id.clone())
    }
}

/// Input that waits for a model or a long command is kept in memory: there is an end to it.
fn check_room(turn: &Turn) -> Result<()> {
    if turn.steered.len() < MOST_WAITING {
        return Ok(());
    }
    let refusal = format!("{MOST_WAITING} inputs wait for this turn already");
    Err(Error::Refused(refusal))
}

impl TurnOptions {
    fn of(params: &TurnStartParams) -> Self {
        Self {
            output_schema: params.output_schema.clone(),
            service_tier: params.service_tier_for_turn.clone(),
            trigger: params.turn_trigger.clone().map(Trigger::Client),
            parent: params.parent_turn_id.clone(),
            queued: None,
            metadata: params.responsesapi_client_metadata.clone().unwrap_or_default(),
        }
    }
}
