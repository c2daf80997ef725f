//! The agents of one session: the threads that the session's first thread, and those below it, have spawned.
//!
//! Shared by all of them. Each agent belongs to the thread that has spawned it, and ends with it at the latest.

pub(crate) mod path;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::{OnceCell, watch};

use super::ThreadHandle;
use crate::protocol::{AgentPath, CollabAgentState, CollabAgentStatus, ThreadId, TurnId};
use crate::util::task::AbortOnDrop;

/// How an agent is, in the words that models know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AgentStatus {
    #[default]
    PendingInit,
    Running,
    Interrupted,
    /// Its last turn is over, with this answer.
    Completed(Option<String>),
    Errored(String),
    /// Its task has ended.
    Shutdown,
    NotFound,
}

/// Why there is no further agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("agent thread limit reached")]
pub(crate) struct Full;

#[derive(Debug, Default)]
pub(crate) struct Team {
    state: Mutex<State>,
    /// Set once the paths are known of the agents that the session has had before.
    past: OnceCell<()>,
}

/// A place that is kept for an agent that is about to be a member. It is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Team>);

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.reserved = state.reserved.saturating_sub(1);
    }
}

#[derive(Debug, Default)]
struct State {
    members: HashMap<ThreadId, Member>,
    /// What parents' models do not know of their agents yet, oldest first.
    news: Vec<News>,
    /// Who has which place in the tree, loaded or not.
    places: HashMap<AgentPath, ThreadId>,
    /// Places that are taken by agents that are about to be members.
    reserved: usize,
    named: usize,
    joined: usize,
}

/// An agent of a session.
#[derive(Debug)]
pub(super) struct Member {
    handle: ThreadHandle,
    parent: ThreadId,
    /// By what the others of its session know it; `None` where only its parent does.
    path: Option<AgentPath>,
    /// The turn in which its parent has last given it something to do.
    given: Option<TurnId>,
    /// How many have joined before it.
    rank: usize,
    /// Whether it is about to begin its first turn.
    starts: bool,
    /// How many calls wait for the agent.
    waiters: usize,
    /// Tells the parent when a turn of the agent has ended.
    _reporter: AbortOnDrop,
}

impl AgentStatus {
    /// Whether nothing more comes unless somebody asks for it.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::PendingInit | Self::Running)
    }

    /// The status as clients see it.
    pub(crate) fn wire(&self) -> CollabAgentState {
        let (status, message) = match self {
            Self::PendingInit => (CollabAgentStatus::PendingInit, None),
            Self::Running => (CollabAgentStatus::Running, None),
            Self::Interrupted => (CollabAgentStatus::Interrupted, None),
            Self::Completed(answer) => (CollabAgentStatus::Completed, answer.clone()),
            Self::Errored(message) => (CollabAgentStatus::Errored, Some(message.clone())),
            Self::Shutdown => (CollabAgentStatus::Shutdown, None),
            Self::NotFound => (CollabAgentStatus::NotFound, None),
        };
        CollabAgentState { status, message }
    }
}

/// A turn of an agent's has ended.
#[derive(Debug)]
pub(super) struct News {
    pub(super) agent: ThreadId,
    pub(super) path: Option<AgentPath>,
    pub(super) turn: TurnId,
    pub(super) status: AgentStatus,
    /// The turn in which its parent has given it something to do.
    pub(super) given: Option<TurnId>,
    parent: ThreadId,
}

impl Member {
    pub(super) fn new(
        handle: ThreadHandle,
        parent: ThreadId,
        path: Option<AgentPath>,
        starts: bool,
        reporter: AbortOnDrop,
    ) -> Self {
        let (given, rank, waiters) = (None, 0, 0);
        Self { handle, parent, path, given, rank, starts, waiters, _reporter: reporter }
    }

    fn is_loaded(&self) -> bool {
        !self.handle.has_ended()
    }

    fn works(&self) -> bool {
        match *self.handle.progress.borrow() {
            AgentStatus::PendingInit => self.starts,
            AgentStatus::Running => true,
            AgentStatus::Interrupted
            | AgentStatus::Completed(_)
            | AgentStatus::Errored(_)
            | AgentStatus::Shutdown
            | AgentStatus::NotFound => false,
        }
    }
}

impl Team {
    /// The team of a session that begins.
    pub(super) fn of_new_session() -> Self {
        Self { state: Mutex::default(), past: OnceCell::new_with(Some(())) }
    }

    /// Takes a place for an agent, if fewer than `most` are there. Those whose task has ended need none.
    pub(super) fn reserve(self: &Arc<Self>, most: usize) -> Result<Place, Full> {
        let mut state = self.lock();
        let there = state.members.values().filter(|member| member.is_loaded()).count();
        if there + state.reserved >= most {
            return Err(Full);
        }
        state.reserved += 1;
        Ok(Place(Arc::clone(self)))
    }

    /// A name that no other agent of the session has got.
    pub(super) fn nickname(&self) -> String {
        let mut state = self.lock();
        let (round, name) = (state.named / NAMES.len(), NAMES[state.named % NAMES.len()]);
        state.named += 1;
        if round == 0 { name.to_owned() } else { format!("{name} {}", round + 1) }
    }

    /// Puts an agent into the place that was taken for it.
    pub(super) fn join(&self, place: Place, member: Member) {
        let mut state = self.lock();
        state.joined += 1;
        let member = Member { rank: state.joined, ..member };
        if let Some(path) = &member.path {
            state.places.insert(path.clone(), member.handle.id.clone());
        }
        state.members.insert(member.handle.id.clone(), member);
        drop(state);
        drop(place);
    }

    /// Notes in which turn an agent is given its task, if it is the agent's parent that gives it.
    pub(crate) fn give(&self, parent: &ThreadId, id: &ThreadId, turn: &TurnId) {
        let mut state = self.lock();
        if let Some(member) = state.members.get_mut(id).filter(|member| member.parent == *parent) {
            member.given = Some(turn.clone());
        }
    }

    /// Learns who was there before the session's first thread was loaded; `read` is asked for that once.
    pub(super) async fn recall(
        &self,
        read: impl Future<Output = super::Result<Vec<(AgentPath, ThreadId)>>>,
    ) -> super::Result<()> {
        let known = async {
            let places = read.await?;
            self.lock().places.extend(places);
            Ok(())
        };
        self.past.get_or_try_init(|| known).await.copied()
    }

    /// The agent at this place in the tree.
    pub(super) fn at(&self, path: &AgentPath) -> Option<ThreadId> {
        self.lock().places.get(path).cloned()
    }

    /// The loaded agents that have a place in the tree, and how they are.
    pub(crate) fn loaded(&self) -> Vec<(AgentPath, AgentStatus)> {
        let state = self.lock();
        let loaded = state.members.values().filter(|member| member.is_loaded());
        let known = loaded.filter_map(|member| Some((member.path.clone()?, member)));
        known.map(|(path, member)| (path, member.handle.progress.borrow().clone())).collect()
    }

    /// The agent that has been there longest of those that may make room if fewer than `most` are to be there: it
    /// does nothing, nobody works for it, and its parent knows what it has done. It can be reached by its path, and is
    /// loaded again then.
    pub(crate) fn dispensable(&self, most: usize) -> Option<ThreadHandle> {
        let state = self.lock();
        let loaded: Vec<&Member> =
            state.members.values().filter(|member| member.is_loaded()).collect();
        if loaded.len() + state.reserved < most {
            return None;
        }
        let has_news = |id: &ThreadId| state.news.iter().any(|news| news.agent == *id);
        let is_parent = |id: &ThreadId| loaded.iter().any(|member| member.parent == *id);
        let idle = loaded.iter().filter(|member| {
            member.path.is_some()
                && !member.works()
                && !has_news(&member.handle.id)
                && !is_parent(&member.handle.id)
        });
        idle.min_by_key(|member| member.rank).map(|member| member.handle.clone())
    }

    /// Whether an agent that has a place in the tree works, or has worked and its answer is under way to this thread.
    pub(super) fn may_write_to(&self, thread: &ThreadId) -> bool {
        let state = self.lock();
        let others = state.members.values().filter(|member| member.handle.id != *thread);
        others.filter(|member| member.path.is_some()).any(Member::works)
            || state.news.iter().any(|news| news.parent == *thread)
    }

    /// The agent of this id, if this thread has spawned it.
    pub(crate) fn get_own(&self, parent: &ThreadId, id: &ThreadId) -> Option<ThreadHandle> {
        let state = self.lock();
        let member = state.members.get(id).filter(|member| member.parent == *parent)?;
        Some(member.handle.clone())
    }

    pub(super) fn get(&self, id: &ThreadId) -> Option<ThreadHandle> {
        self.lock().members.get(id).map(|member| member.handle.clone())
    }

    pub(crate) fn status(&self, id: &ThreadId) -> AgentStatus {
        match self.get(id) {
            Some(handle) if handle.has_ended() => AgentStatus::Shutdown,
            Some(handle) => handle.progress.borrow().clone(),
            None => AgentStatus::NotFound,
        }
    }

    /// Lets an agent go for good.
    pub(super) fn leave(&self, id: &ThreadId) -> Option<ThreadHandle> {
        let mut state = self.lock();
        state.news.retain(|news| news.agent != *id);
        state.places.retain(|_, agent| agent != id);
        state.members.remove(id).map(|member| member.handle)
    }

    /// Lets all agents go that a thread has spawned.
    pub(super) fn leave_all_of(&self, parent: &ThreadId) -> Vec<ThreadHandle> {
        let mut state = self.lock();
        state.news.retain(|news| news.parent != *parent);
        state
            .members
            .extract_if(|_, member| member.parent == *parent)
            .map(|(_, member)| member.handle)
            .collect()
    }

    /// What a thread's model does not know of its agents; it is as good as told by this. Ends that a call waits for are
    /// told by its output.
    pub(super) fn take_news(&self, parent: &ThreadId) -> Vec<News> {
        self.take(|news| news.parent == *parent)
    }

    /// As [`Self::take_news`], of agents that have a place in the tree.
    pub(super) fn take_answers(&self, parent: &ThreadId) -> Vec<News> {
        self.take(|news| news.parent == *parent && news.path.is_some())
    }

    fn take(&self, is_wanted: impl Fn(&News) -> bool) -> Vec<News> {
        let State { members, news, .. } = &mut *self.lock();
        let is_waited_for =
            |id: &ThreadId| members.get(id).is_some_and(|member| member.waiters > 0);
        news.extract_if(.., |news| is_wanted(news) && !is_waited_for(&news.agent)).collect()
    }

    /// Notes that a turn of an agent's has ended. Those who know each other by paths answer each task; of others, the
    /// last turn tells how they are.
    pub(super) fn ended(&self, agent: &ThreadId, turn: TurnId, status: AgentStatus) {
        let State { members, news, .. } = &mut *self.lock();
        let Some(member) = members.get(agent) else { return };
        if member.path.is_none() {
            news.retain(|news| news.agent != *agent);
        }
        news.push(News {
            agent: agent.clone(),
            path: member.path.clone(),
            turn,
            status,
            given: member.given.clone(),
            parent: member.parent.clone(),
        });
    }

    /// Waits until one of some agents needs no more waiting for.
    pub(crate) async fn any_final(&self, ids: &[ThreadId]) {
        let watches: Vec<watch::Receiver<AgentStatus>> =
            ids.iter().filter_map(|id| self.get(id)).map(|handle| handle.progress).collect();
        let known = watches.len() == ids.len();
        let finals = watches.into_iter().map(|mut watch| {
            Box::pin(async move {
                // An error: the agent's task has ended.
                let _status = watch.wait_for(AgentStatus::is_final).await;
            })
        });
        if known {
            futures_util::future::select_all(finals).await;
        }
    }

    /// Notes that a call begins to wait for agents; the guard notes that it has ended.
    pub(crate) fn wait_for<'a>(&'a self, ids: &'a [ThreadId]) -> Waiting<'a> {
        let mut state = self.lock();
        for id in ids {
            state.members.entry(id.clone()).and_modify(|member| member.waiters += 1);
        }
        Waiting { team: self, ids }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits for agents.
pub(crate) struct Waiting<'a> {
    team: &'a Team,
    ids: &'a [ThreadId],
}

impl Waiting<'_> {
    /// How the agents are, of those that need no more waiting for. The model is told so.
    pub(crate) fn finals(&self) -> Vec<(ThreadId, AgentStatus)> {
        let mut finals = Vec::new();
        for id in self.ids {
            let status = self.team.status(id);
            if status.is_final() {
                self.team.lock().news.retain(|news| news.agent != *id);
                finals.push((id.clone(), status));
            }
        }
        finals
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.team.lock();
        for id in self.ids {
            state
                .members
                .entry(id.clone())
                .and_modify(|member| member.waiters = member.waiters.saturating_sub(1));
        }
    }
}

/// Names for agents, which people can tell apart: stars.
const NAMES: [&str; 32] = [
    "Vega",
    "Rigel",
    "Altair",
    "Deneb",
    "Mira",
    "Spica",
    "Capella",
    "Antares",
    "Castor",
    "Pollux",
    "Regulus",
    "Sirius",
    "Procyon",
    "Arcturus",
    "Bellatrix",
    "Canopus",
    "Electra",
    "Maia",
    "Alcyone",
    "Merope",
    "Taygeta",
    "Atlas",
    "Izar",
    "Nashira",
    "Shaula",
    "Adhara",
    "Hadar",
    "Mimosa",
    "Polaris",
    "Thuban",
    "Kochab",
    "Alioth",
];
