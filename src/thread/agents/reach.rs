//! Reaching agents: what the tools for working with agents need of the thread that they belong to, and the ends of
//! agents.

use std::sync::Arc;

use tokio::sync::watch;

use crate::protocol::{AgentPath, MultiAgentVersion, ThreadId, ThreadStatus};
use crate::thread::outlet::Publisher;
use crate::thread::session::{Shared, Since, Stored};
use crate::thread::team::{Team, path};
use crate::thread::{Result, ThreadHandle};

/// What the tools for working with agents need of the thread that they belong to.
pub(crate) struct Agents {
    pub(crate) shared: Arc<Shared>,
    pub(crate) team: Arc<Team>,
    /// Which tools the model has for it.
    pub(crate) version: MultiAgentVersion,
    /// Whether agents of the first kind may be below the thread.
    pub(crate) may_go_deeper: bool,
    /// The thread's place in the tree of agents.
    pub(crate) path: AgentPath,
    /// The thread at the root of the tree.
    pub(crate) root: ThreadId,
    /// How many letters wait for the thread's model.
    pub(crate) unread: watch::Receiver<usize>,
    /// Whether agents are on disk, so that they can be unloaded and loaded again.
    pub(super) are_stored: bool,
}

/// An agent that has a place in the tree.
pub(crate) struct Found {
    pub(crate) id: ThreadId,
    /// `None` where it has to be loaded again.
    pub(crate) handle: Option<ThreadHandle>,
}

impl Agents {
    /// Reads an agent that has been closed, so that it can be loaded again.
    pub(crate) async fn stored(&self, id: &ThreadId) -> Result<Stored> {
        let id = id.clone();
        let read = self.shared.on_disk(move |store| {
            let (writer, records) = store.open(&id)?;
            let summary = store.summary(&id)?;
            Ok(Stored { writer, records, summary, since: Since::Nothing })
        });
        read.await
    }

    /// As [`Self::stored`]. What a client has loaded by itself, so that it is nobody's agent, is unloaded for it.
    pub(crate) async fn reclaim(&self, id: &ThreadId) -> Result<Stored> {
        if let Some(handle) = self.shared.loaded.get(id) {
            end(&self.shared, handle).await;
        }
        self.stored(id).await
    }

    /// Unloads an agent that has nothing to do, if there are `most`.
    pub(crate) async fn make_room(&self, most: usize) {
        if self.are_stored
            && let Some(handle) = self.team.dispensable(most)
        {
            end(&self.shared, handle).await;
        }
    }

    /// The agent at this place in the tree.
    pub(crate) async fn at(&self, path: &AgentPath) -> Result<Option<Found>> {
        if *path == path::root() {
            let root = self.shared.loaded.get(&self.root);
            return Ok(root.map(|root| Found { id: root.id.clone(), handle: Some(root) }));
        }
        self.team.recall(self.read_places()).await?;
        Ok(self.team.at(path).map(|id| {
            let handle = self.team.get(&id).filter(|handle| !handle.has_ended());
            Found { id, handle }
        }))
    }

    /// Whether one of the others may write to this agent without being told to do something first.
    pub(crate) fn may_hear(&self, own: &ThreadId) -> bool {
        // What the first one does ends with an answer to the user; until then it may write to anyone.
        self.team.may_write_to(own)
            || (self.root != *own
                && self.shared.loaded.get(&self.root).is_some_and(|root| root.works()))
    }

    /// The agents of the tree that are on disk.
    async fn read_places(&self) -> Result<Vec<(AgentPath, ThreadId)>> {
        let root = self.root.clone();
        let read = self.shared.on_disk(move |store| {
            let agents = store.descendants(&root)?.into_iter();
            let places = agents.filter_map(|id| {
                let summary = store.summary(&id).ok()?;
                Some((summary.source.agent_path()?.clone(), id))
            });
            Ok(places.collect())
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
pub(super) async fn end(shared: &Arc<Shared>, handle: ThreadHandle) {
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
