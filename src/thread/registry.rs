//! The threads that are loaded: by id, each with the handle that keeps it alive.
//!
//! Shared by `threads`, which loads what clients ask for, and by the threads themselves, which load the agents that
//! work for them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::ThreadHandle;
use crate::protocol::ThreadId;

#[derive(Debug, Default)]
pub(crate) struct Registry(Mutex<HashMap<ThreadId, Loaded>>);

#[derive(Debug)]
struct Loaded {
    handle: ThreadHandle,
    /// How long the thread stays loaded when nobody follows it and nothing runs, in seconds.
    unload_delay_secs: u64,
    /// How often it has been left by a client: only the last time starts the clock that counts.
    leaves: u64,
}

impl Registry {
    pub(crate) fn get(&self, id: &ThreadId) -> Option<ThreadHandle> {
        let mut loaded = self.lock();
        // A task that has ended by itself has panicked; its thread can be loaded again.
        if loaded.get(id).is_some_and(|loaded| loaded.handle.has_ended()) {
            loaded.remove(id);
        }
        loaded.get(id).map(|loaded| loaded.handle.clone())
    }

    /// Ids of all loaded threads, sorted.
    pub(crate) fn ids(&self) -> Vec<ThreadId> {
        let mut ids: Vec<ThreadId> = self.lock().keys().cloned().collect();
        ids.sort_unstable();
        ids
    }

    pub(crate) fn insert(&self, handle: ThreadHandle, unload_delay_secs: u64) {
        self.lock().insert(handle.id.clone(), Loaded { handle, unload_delay_secs, leaves: 0 });
    }

    /// Takes a thread out; it ends with its last handle, or in order by [`ThreadHandle::close`].
    pub(crate) fn remove(&self, id: &ThreadId) -> Option<ThreadHandle> {
        self.lock().remove(id).map(|loaded| loaded.handle)
    }

    /// As [`Self::remove`], but leaves another thread that goes by the same id by now. Whether it was there.
    pub(crate) fn remove_same(&self, handle: &ThreadHandle) -> bool {
        let mut loaded = self.lock();
        let is_there = loaded.get(&handle.id).is_some_and(|loaded| loaded.handle.is_same(handle));
        is_there && loaded.remove(&handle.id).is_some()
    }

    /// As [`Self::remove`], for all of them.
    pub(crate) fn drain(&self) -> Vec<ThreadHandle> {
        self.lock().drain().map(|(_, loaded)| loaded.handle).collect()
    }

    /// Notes that a thread has been left; returns for how long it stays loaded, in seconds, and which leave this is.
    pub(crate) fn leave(&self, id: &ThreadId) -> Option<(u64, u64)> {
        let mut loaded = self.lock();
        let thread = loaded.get_mut(id)?;
        thread.leaves += 1;
        Some((thread.unload_delay_secs, thread.leaves))
    }

    /// Whether a thread has not been left again since then.
    pub(crate) fn is_last_leave(&self, id: &ThreadId, leave: u64) -> bool {
        self.lock().get(id).is_some_and(|thread| thread.leaves == leave)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, Loaded>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
