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
use super::team::{AgentStatus, Progress, Team};
use super::{Error, Result, ThreadHandle, prompt};
use crate::extension::hooks::SessionOrigin;
use crate::protocol::{ReasoningEffort, ThreadId, ThreadSource, ThreadStatus, Turn, TurnStatus};
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

/// An agent that is there.
#[derive(Debug)]
pub(crate) struct Spawned {
    pub(crate) handle: ThreadHandle,
    pub(crate) nickname: Option<String>,
    pub(crate) model: String,
    pub(crate) effort: Option<ReasoningEffort>,
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
}

/// Ends an agent in order, and tells that it is not loaded any more.
async fn end(shared: &Arc<Shared>, handle: ThreadHandle) {
    drop(shared.loaded.remove(&handle.id));
    if handle.close().await.is_err() {
        tracing::debug!(thread = %handle.id, "the agent had ended by itself");
    }
    Publisher::new(handle.id, Arc::clone(&shared.outlet)).tell_status(ThreadStatus::NotLoaded);
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

    pub(super) fn spawn_agent(&mut self, order: Order, reply: oneshot::Sender<Result<Spawned>>) {
        let spawned = self.try_spawn(order);
        // A call that is over by now has left an agent without a task; it ends with this thread.
        let _unheard = reply.send(spawned);
    }

    fn try_spawn(&mut self, order: Order) -> Result<Spawned> {
        self.reserve_place()?;
        let nickname = self.team.nickname();
        let start = self.start_of_agent(&order);
        let (model, effort) = (start.settings.model.clone(), start.settings.effort.clone());
        let new = NewThread {
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
                nickname: nickname.clone(),
                role: order.role,
                team: Arc::clone(&self.team),
            }),
        };
        let created = create(&self.shared, new, start).inspect_err(|_| self.team.release())?;
        self.enlist(&created);
        Ok(Spawned { handle: created, nickname: Some(nickname), model, effort })
    }

    fn reserve_place(&self) -> Result<()> {
        let reserved = self.team.reserve(self.config.agents.max_threads);
        reserved.map_err(|full| Error::Refused(full.to_string()))
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

    /// Loads an agent again that has been closed.
    pub(super) fn revive_agent(
        &mut self,
        stored: Stored,
        reply: oneshot::Sender<Result<ThreadHandle>>,
    ) {
        let revived = self.try_revive(stored);
        let _unheard = reply.send(revived);
    }

    fn try_revive(&mut self, stored: Stored) -> Result<ThreadHandle> {
        self.reserve_place()?;
        let start = self.start_of_agent(&Order::default());
        let handle = resume(&self.shared, stored, start, Arc::clone(&self.team));
        self.enlist(&handle);
        Ok(handle)
    }

    /// Makes an agent known: to the server, to this thread's listeners, and to the session.
    fn enlist(&self, handle: &ThreadHandle) {
        self.shared.loaded.insert(handle.clone(), self.config.thread_unload_delay_secs);
        self.publisher.share(&handle.id);
        let reporter = AbortOnDrop::spawn(report(handle.progress.clone(), self.events.clone()));
        self.team.join(self.thread.id.clone(), handle.clone(), reporter);
        self.publisher.of(handle.id.clone()).tell_status(ThreadStatus::Idle);
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
