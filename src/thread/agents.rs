//! Agents: threads that work for another thread, because its model asked for it.
//!
//! An agent is a thread like any other: its own file, its own task, its own notifications under its own id. What ties
//! it to its parent stands here: what it starts with, who hears it, that its parent's model is told of its results,
//! and that it ends when its parent does.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::actor::Actor;
use super::context::message;
use super::outlet::Publisher;
use super::session::{Lineage, NewThread, Persistence, Shared, Start, Stored, create, resume};
use super::team::{AgentStatus, Place, Progress, Team};
use super::{Command, Error, Result, ThreadHandle, prompt};
use crate::extension::hooks::SessionOrigin;
use crate::protocol::{
    ReasoningEffort, ThreadId, ThreadSource, ThreadStatus, TimedItem, Turn, TurnId, TurnStatus,
};
use crate::store::Record;
use crate::store::history::is_message;
use crate::tools::{DynamicTools, Event};
use crate::util::task::AbortOnDrop;

/// What a model wants of a new agent.
#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) model: Option<String>,
    pub(crate) effort: Option<ReasoningEffort>,
    pub(crate) role: Option<String>,
    pub(crate) developer_instructions: Option<String>,
    pub(crate) memory: Memory,
}

/// What an agent knows of its parent's conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Memory {
    #[default]
    Nothing,
    Messages,
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
        let Self { place, start, source } = self;
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
        Ok(Recruit { place, handle, nickname, model, effort })
    }
}

/// What the tools for working with agents need of the thread that they belong to.
pub(crate) struct Agents {
    pub(crate) shared: Arc<Shared>,
    pub(crate) team: Arc<Team>,
    /// How many agents are between the thread and the session's first one.
    pub(crate) depth: u32,
}

impl Agents {
    /// Reads an agent that has been closed, so that it can be loaded again.
    pub(crate) async fn stored(&self, id: &ThreadId) -> Result<Stored> {
        let id = id.clone();
        let read = self.shared.on_disk(move |store| {
            let (writer, records) = store.open(&id)?;
            let summary = store.summary(&id)?;
            Ok(Stored { writer, records, summary, changed: false })
        });
        read.await
    }

    /// Unloads an agent, and with it those that it has spawned.
    pub(crate) async fn close(&self, id: &ThreadId) {
        if let Some(handle) = self.team.leave(id) {
            end(&self.shared, handle).await;
        }
    }

    /// Lets go of an agent that has not taken its first task. Nothing is to be waited for: it ends by itself.
    pub(crate) fn dismiss(&self, id: &ThreadId) {
        if let Some(handle) = self.team.leave(id) {
            leave(&self.shared, &handle);
        }
    }
}

/// Ends an agent in order, and tells that it is not loaded any more.
async fn end(shared: &Arc<Shared>, handle: ThreadHandle) {
    // Until its task is over, nobody shall find it.
    let was_loaded = shared.loaded.remove_same(&handle);
    if handle.close().await.is_err() {
        tracing::debug!(thread = %handle.id, "the agent had ended by itself");
    }
    if was_loaded {
        tell_unloaded(shared, &handle);
    }
}

fn leave(shared: &Arc<Shared>, handle: &ThreadHandle) {
    if shared.loaded.remove_same(handle) {
        tell_unloaded(shared, handle);
    }
}

fn tell_unloaded(shared: &Arc<Shared>, handle: &ThreadHandle) {
    let publisher = Publisher::new(handle.id.clone(), Arc::clone(&shared.outlet));
    publisher.tell_status(ThreadStatus::NotLoaded);
}

/// Tells a thread whenever a turn of an agent has ended.
async fn report(mut progress: watch::Receiver<Progress>, events: mpsc::Sender<Event>) {
    while progress.changed().await.is_ok() {
        let ended = progress.borrow_and_update().status.is_final();
        if ended && events.send(Event::AgentEnded).await.is_err() {
            return;
        }
    }
}

impl Actor {
    /// What the tools of a turn need for working with agents.
    pub(super) fn agents(&self) -> Agents {
        Agents { shared: Arc::clone(&self.shared), team: Arc::clone(&self.team), depth: self.depth }
    }

    /// Drafts an agent, if there is a place for one.
    pub(super) fn draft_agent(&self, wanted: Wanted) -> Result<Draft> {
        let reserved = self.team.reserve(self.config.agents.max_threads);
        let place = reserved.map_err(|full| Error::Refused(full.to_string()))?;
        let (order, source) = match wanted {
            Wanted::New(order) => {
                let new = self.new_agent(&order);
                (order, Source::New(Box::new(new)))
            }
            Wanted::Stored(stored) => {
                (Order::default(), Source::Stored { stored, team: Arc::clone(&self.team) })
            }
        };
        Ok(Draft { place, start: self.start_of_agent(&order), source })
    }

    fn new_agent(&self, order: &Order) -> NewThread {
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
            },
            dynamic_tools: DynamicTools::default(),
            session_start: SessionOrigin::Startup,
            lineage: Some(Lineage {
                session: self.thread.session_id.clone(),
                parent: self.thread.id.clone(),
                depth: self.depth + 1,
                nickname: self.team.nickname(),
                role: order.role.clone(),
                team: Arc::clone(&self.team),
            }),
        }
    }

    /// An agent has what its parent has, but for what the order says.
    fn start_of_agent(&self, order: &Order) -> Start {
        let mut settings = self.settings.clone();
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

    /// Makes an agent known: to the server, to this thread's listeners, and to the session. Then it starts to work.
    pub(super) fn admit_agent(&mut self, turn: &TurnId, call: usize, admission: Admission) {
        let Admission { recruit: Recruit { place, handle, .. }, item, task, admitted } = admission;
        self.shared.loaded.insert(handle.clone(), self.config.thread_unload_delay_secs);
        self.publisher.share(&handle.id);
        let reporter = AbortOnDrop::spawn(report(handle.progress.clone(), self.events.clone()));
        self.team.join(place, self.thread.id.clone(), handle.clone(), reporter);
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
            self.hear_of_agents();
        }
    }

    /// Puts into the thread's history what its agents have achieved. A reviewer has no use for it.
    pub(super) fn hear_of_agents(&mut self) {
        for (agent, status) in self.team.take_news(&self.thread.id) {
            let notice = message("user", &[prompt::agent_ended(&agent, &status)]);
            self.history.push(&notice);
            self.record(&[Record::History(notice)]);
        }
    }

    pub(super) fn tell_progress(&self, status: AgentStatus) {
        self.progress.send_modify(|progress| {
            progress.ends += u64::from(status.is_final());
            progress.status = status;
        });
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
