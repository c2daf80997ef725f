//! Agents: threads that work for another thread, because its model asked for it.
//!
//! An agent is a thread like any other: its own file, its own task, its own notifications under its own id. What ties
//! it to its parent stands here: what it starts with, who hears it, that its parent's model is told of its results,
//! and that it ends when its parent does.

mod reach;

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::value::RawValue;
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use self::reach::end;
pub(crate) use self::reach::{Agents, Found};
use super::actor::Actor;
use super::call::PendingCall;
use super::context::{Told, message};
use super::mail::{Content, Letter};
use super::session::{Lineage, NewThread, Persistence, Shared, Start, Stored, create, resume};
use super::stored::restore;
use super::team::{AgentStatus, Member, News, Place, Team, path};
use super::{Command, Error, Result, ThreadHandle, item, prompt};
use crate::config::{Effective, Feature};
use crate::extension::hooks::SessionOrigin;
use crate::model::catalog::ModelInfo;
use crate::protocol::{
    AgentPath, MultiAgentVersion, ReasoningEffort, SubAgentActivityKind, ThreadId, ThreadSource,
    ThreadStatus, TimedItem, Turn, TurnId, TurnStatus,
};
use crate::store::history::is_message;
use crate::tools::DynamicTools;
use crate::util::task::AbortOnDrop;
use crate::util::time::now_ms;

/// What a model wants of a new agent.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) model: Option<String>,
    pub(crate) effort: Option<ReasoningEffort>,
    pub(crate) role: Option<String>,
    pub(crate) developer_instructions: Option<String>,
    pub(crate) memory: Memory,
    /// Its place in the tree of agents, if it is to know of the others.
    pub(crate) path: Option<AgentPath>,
}

/// What an agent knows of its parent's conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Memory {
    #[default]
    Nothing,
    /// What the user and the model have said.
    Messages,
    /// All of it.
    Everything,
}

/// Which agent is wanted.
pub(crate) enum Wanted {
    New(Order),
    /// One that has been closed.
    Stored(Box<Stored>),
}

/// What an agent is made from, as its parent's task knows it. Making it waits for the disk, and so is not that task's
/// work.
pub(crate) struct Draft {
    place: Place,
    parent: ThreadId,
    path: Option<AgentPath>,
    start: Start,
    source: Source,
}

enum Source {
    New(Box<NewThread>),
    Stored { stored: Box<Stored>, team: Arc<Team> },
}

/// An agent that runs, but of which nobody knows yet: it ends if it is not admitted.
pub(crate) struct Recruit {
    place: Place,
    parent: ThreadId,
    path: Option<AgentPath>,
    pub(crate) handle: ThreadHandle,
    pub(crate) nickname: Option<String>,
    pub(crate) model: String,
    pub(crate) effort: Option<ReasoningEffort>,
}

/// What happens when an agent becomes known, all in one moment: a turn that ends has an agent with a task, or none.
pub(crate) struct Admission {
    pub(crate) recruit: Recruit,
    /// The item that shows it.
    pub(crate) item: Option<TimedItem>,
    /// What it does first.
    pub(crate) task: Option<Command>,
    pub(crate) admitted: oneshot::Sender<()>,
}

impl Draft {
    /// Makes the agent.
    pub(crate) async fn load(self, shared: &Arc<Shared>) -> Result<Recruit> {
        let shared = Arc::clone(shared);
        let loading = tokio::task::spawn_blocking(move || self.load_now(&shared));
        loading.await.unwrap_or_else(|_panicked| Err(Error::Failed("internal error".to_owned())))
    }

    fn load_now(self, shared: &Arc<Shared>) -> Result<Recruit> {
        let Self { place, parent, path, mut start, source } = self;
        if let Source::Stored { stored, .. } = &source {
            restore(&mut start.settings, &stored.records);
        }
        let model = start.settings.model.clone();
        let known = shared.catalog.model(&model, &start.config);
        let effort = known.effort(start.settings.effort.as_ref());
        let (nickname, handle) = match source {
            Source::New(new) => {
                let nickname = new.lineage.as_ref().map(|lineage| lineage.nickname.clone());
                (nickname, create(shared, *new, start)?)
            }
            Source::Stored { stored, team } => {
                let nickname = stored.summary.agent_nickname.clone();
                (nickname, resume(shared, *stored, start, team))
            }
        };
        Ok(Recruit { place, parent, path, handle, nickname, model, effort })
    }
}

/// Tells an agent's parent whenever a turn of the agent may have ended.
async fn report(mut status: watch::Receiver<AgentStatus>, shared: Arc<Shared>, parent: ThreadId) {
    while status.changed().await.is_ok() {
        if let Some(parent) = shared.loaded.get(&parent) {
            parent.send(Command::AgentEnded).await;
        }
    }
}

/// Which kind of agents the configuration asks for, whatever is usual.
pub(super) fn asked_for(config: &Effective) -> Option<MultiAgentVersion> {
    match (config.agents.enabled, config.features.on(Feature::MultiAgentV2)) {
        (false, _) => Some(MultiAgentVersion::Disabled),
        (true, true) => Some(MultiAgentVersion::V2),
        (true, false) => None,
    }
}

impl Actor {
    /// What the tools of a turn need for working with agents.
    pub(super) fn agents(&self, model: &ModelInfo) -> Agents {
        Agents {
            shared: Arc::clone(&self.shared),
            team: Arc::clone(&self.team),
            version: self.multi_agent_with(model),
            may_go_deeper: self.depth < self.config.agents.max_depth,
            path: self.path(),
            root: ThreadId::from(self.thread.session_id.as_str()),
            unread: self.mailbox.unread.subscribe(),
            are_stored: self.writer.is_some(),
        }
    }

    /// Which kind of agents the thread has. All of one tree have the same, whatever their models; a model has its say
    /// at the thread's beginning.
    pub(super) fn multi_agent_with(&self, model: &ModelInfo) -> MultiAgentVersion {
        use MultiAgentVersion::{Disabled, V1, V2};
        let usual = if self.config.features.on(Feature::MultiAgent) { V1 } else { Disabled };
        match asked_for(&self.config) {
            Some(Disabled) => Disabled,
            _ if self.agent_path().is_some() => V2,
            _ if self.depth > 0 => V1,
            asked => asked.or(self.multi_agent).or(model.multi_agent_version).unwrap_or(usual),
        }
    }

    /// What a model is told of the agents that it works with.
    pub(super) fn team_text(&self, model: &ModelInfo) -> Option<String> {
        let is_alone = self.turn.as_ref().is_some_and(|turn| turn.step.scene.agents.is_none());
        let version = self.multi_agent_with(model);
        let config = &self.config.agents;
        (version == MultiAgentVersion::V2 && !is_alone)
            .then(|| prompt::team(&self.path(), config.most(version), &config.collaboration))
    }

    fn agent_path(&self) -> Option<&AgentPath> {
        self.thread.source.agent_path()
    }

    /// The thread's place in the tree of agents.
    pub(super) fn path(&self) -> AgentPath {
        self.agent_path().cloned().unwrap_or_else(path::root)
    }

    /// Drafts an agent, if there is a place for one.
    pub(super) fn draft_agent(&self, wanted: Wanted) -> Result<Draft> {
        let own = self.thread.id.clone();
        let (order, parent, path) = match &wanted {
            Wanted::New(order) => (order, own, order.path.clone()),
            Wanted::Stored(stored) => {
                let parent = stored.summary.parent_thread_id.clone().unwrap_or(own);
                (&Order::default(), parent, stored.summary.source.agent_path().cloned())
            }
        };
        let version = if path.is_some() { MultiAgentVersion::V2 } else { MultiAgentVersion::V1 };
        let reserved = self.team.reserve(self.config.agents.most(version));
        let place = reserved.map_err(|full| Error::Refused(full.to_string()))?;
        let start = self.start_of_agent(order);
        let source = match wanted {
            Wanted::New(order) => Source::New(Box::new(self.new_agent(order))),
            Wanted::Stored(stored) => Source::Stored { stored, team: Arc::clone(&self.team) },
        };
        Ok(Draft { place, parent, path, start, source })
    }

    fn new_agent(&self, order: Order) -> NewThread {
        NewThread {
            id: ThreadId::from(Uuid::now_v7().to_string()),
            persistence: match self.writer {
                Some(_) => Persistence::OnDisk,
                None => Persistence::InMemory,
            },
            history_mode: self.thread.history_mode,
            thread_source: Some(ThreadSource::from("subagent")),
            history: match order.memory {
                Memory::Nothing => Vec::new(),
                Memory::Messages => self.messages(),
                Memory::Everything => self.everything(),
            },
            dynamic_tools: DynamicTools::default(),
            session_start: SessionOrigin::Startup,
            lineage: Some(Lineage {
                session: self.thread.session_id.clone(),
                parent: self.thread.id.clone(),
                depth: self.depth + 1,
                nickname: self.team.nickname(),
                role: order.role,
                path: order.path,
                told: match order.memory {
                    Memory::Nothing | Memory::Messages => Told::default(),
                    // It knows what its parent was told, but not what only its own role says.
                    Memory::Everything => {
                        self.told.clone().with_developer(order.developer_instructions.is_none())
                    }
                },
                team: Arc::clone(&self.team),
            }),
        }
    }

    /// An agent has what its parent has, but for what the order says.
    fn start_of_agent(&self, order: &Order) -> Start {
        let mut settings = self.current_settings().clone();
        let model = order.model.as_ref().or(self.config.agents.default_model.as_ref());
        if let Some(model) = model {
            settings.mode.settings.model.clone_from(model);
            settings.model.clone_from(model);
        }
        if let Some(effort) = &order.effort {
            settings.mode.settings.reasoning_effort = Some(effort.clone());
            settings.effort = Some(effort.clone());
        }
        let own = order.developer_instructions.clone();
        Start {
            config: (*self.config).clone(),
            settings,
            provider: (*self.provider).clone(),
            base_instructions: None,
            developer_instructions: own.or_else(|| self.developer_instructions.clone()),
        }
    }

    /// What the user and the model have said to each other.
    fn messages(&self) -> Vec<Box<RawValue>> {
        self.history
            .iter()
            .skip(1)
            .filter(|item| is_message(item, prompt::SUMMARY))
            .filter_map(|item| RawValue::from_string(item.to_owned()).ok())
            .collect()
    }

    /// The whole history. What the calls that run now will give is nobody's business but the thread's own.
    fn everything(&self) -> Vec<Box<RawValue>> {
        let told = self.history.iter().skip(1);
        let told = told.filter_map(|item| RawValue::from_string(item.to_owned()).ok());
        let calls = self.turn.iter().flat_map(|turn| &turn.calls);
        told.chain(calls.filter_map(PendingCall::output_so_far)).collect()
    }

    /// Makes an agent known: to the server, to this thread's listeners, and to the session. Then it starts to work.
    pub(super) fn admit_agent(&mut self, turn: &TurnId, call: usize, admission: Admission) {
        let Admission { recruit, item, task, admitted } = admission;
        let Recruit { place, parent, path, handle, .. } = recruit;
        self.shared.loaded.insert(handle.clone(), self.config.thread_unload_delay_secs);
        self.publisher.share(&handle.id);
        let reporter = report(handle.progress.clone(), Arc::clone(&self.shared), parent.clone());
        let reporter = AbortOnDrop::spawn(reporter);
        let starts = task.as_ref().is_some_and(Command::begins_turn);
        self.team.join(place, Member::new(handle.clone(), parent, path, starts, reporter));
        self.team.give(&self.thread.id, &handle.id, turn);
        self.publisher.of(handle.id.clone()).tell_status(ThreadStatus::Idle);
        if let Some(item) = item {
            self.end_call_item(turn, call, item);
        }
        if let Some(task) = task {
            handle.send_now(task);
        }
        let _unheard = admitted.send(());
    }

    /// An agent has ended a turn: the thread's model is told now, or when its response is over.
    pub(super) fn agent_ended(&mut self) {
        if self.turn.is_none() {
            return self.hear_of_agents();
        }
        for news in self.team.take_answers(&self.thread.id) {
            self.hear(&news);
        }
    }

    /// Puts into the thread's history what its agents have achieved.
    pub(super) fn hear_of_agents(&mut self) {
        for news in self.team.take_news(&self.thread.id) {
            self.hear(&news);
        }
    }

    fn hear(&mut self, news: &News) {
        let Some(path) = &news.path else {
            let notice = message("user", &[prompt::agent_ended(&news.agent, &news.status)]);
            return self.remember_past_review(notice);
        };
        let answer = match &news.status {
            AgentStatus::Completed(answer) => {
                self.show_completed(news, path);
                answer.clone().unwrap_or_default()
            }
            AgentStatus::Errored(reason) => prompt::agent_failed(reason),
            AgentStatus::PendingInit
            | AgentStatus::Running
            | AgentStatus::Interrupted
            | AgentStatus::Shutdown
            | AgentStatus::NotFound => return,
        };
        let content = Content::Answer(answer);
        let letter = Letter { author: path.clone(), reader: self.path(), content };
        self.mailbox.put(letter);
        if self.turn.is_none() {
            self.read_mail();
        }
    }

    /// Shows, in the turn that has given the task, that it is done.
    fn show_completed(&mut self, news: &News, path: &AgentPath) {
        let Some(given) = &news.given else { return };
        let id = format!("subagent-completed-{}", news.turn).into();
        let kind = SubAgentActivityKind::Completed;
        let item = item::started(item::agent_activity(id, kind, &news.agent, path), now_ms());
        self.show_item(given, item);
    }

    /// Tells those who wait for the thread, and the parent that it has if it is an agent, that a turn has ended.
    pub(super) fn tell_end(&self, turn: TurnId, status: AgentStatus) {
        self.team.ended(&self.thread.id, turn, status.clone());
        self.progress.send_replace(status);
    }

    /// Ends all agents that the thread has spawned.
    pub(super) fn dismiss_agents(&self) -> impl Future<Output = ()> + use<> {
        let agents = self.team.leave_all_of(&self.thread.id);
        let shared = Arc::clone(&self.shared);
        async move {
            join_all(agents.into_iter().map(|handle| end(&shared, handle))).await;
        }
    }
}

impl AgentStatus {
    /// How a thread is whose turn has ended like this.
    pub(super) fn after(turn: &Turn, answer: Option<String>) -> Self {
        match (turn.status, &turn.error) {
            (TurnStatus::Completed, _) => Self::Completed(answer),
            (TurnStatus::Failed, Some(error)) => Self::Errored(error.message.clone()),
            (TurnStatus::Failed, None) => Self::Errored(String::new()),
            (TurnStatus::Interrupted | TurnStatus::InProgress, _) => Self::Interrupted,
        }
    }
}
