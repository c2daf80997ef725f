//! The sessions of one thread: ids, a limit, and an end for all of them.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::session::Session;

/// How many sessions a thread may have.
const LIMIT: usize = 64;
/// How many of the most recently used ones are never pushed out.
const SAFE: usize = 8;
/// The ids.
const FIRST: u32 = 1000;
const LAST: u32 = 99_999;

/// A registry of sessions. All of them are killed with it.
#[derive(Debug, Default)]
pub(crate) struct Terminals(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The least recently used one first.
    sessions: Vec<Session>,
    /// Ids that have been given away for sessions that are about to be here.
    starting: HashSet<u32>,
}

impl Terminals {
    /// A random id for a session that is about to start. What has it can be killed from now on.
    pub(crate) fn reserve(&self) -> u32 {
        let mut state = self.state();
        loop {
            let id = random_id();
            if state.sessions.iter().all(|session| session.id() != id) && state.starting.insert(id)
            {
                return id;
            }
        }
    }

    /// Takes the id back of a session that could not be started.
    pub(crate) fn release(&self, id: u32) {
        self.state().starting.remove(&id);
    }

    /// Adds a session with a reserved id; returns the one that had to make room, which was killed.
    pub(crate) fn insert(&self, session: Session) -> Option<Session> {
        let mut state = self.state();
        if !state.starting.remove(&session.id()) {
            // Killed before it was there.
            session.kill();
        }
        let sessions = &mut state.sessions;
        let evicted = (sessions.len() >= LIMIT).then(|| {
            let candidates = &sessions[..sessions.len() - SAFE];
            let ended = candidates.iter().position(|session| session.finished().is_some());
            sessions.remove(ended.unwrap_or(0))
        });
        sessions.push(session);
        evicted.inspect(Session::kill)
    }

    /// The session of this id, which becomes the most recently used one.
    pub(crate) fn get(&self, id: u32) -> Option<Session> {
        let mut state = self.state();
        let at = state.sessions.iter().position(|session| session.id() == id)?;
        state.sessions[at..].rotate_left(1);
        state.sessions.last().cloned()
    }

    /// Takes a session out of the registry.
    pub(crate) fn remove(&self, id: u32) -> Option<Session> {
        let mut state = self.state();
        let at = state.sessions.iter().position(|session| session.id() == id)?;
        Some(state.sessions.remove(at))
    }

    /// The sessions that have not ended.
    pub(crate) fn running(&self) -> Vec<Session> {
        let state = self.state();
        state.sessions.iter().filter(|session| session.finished().is_none()).cloned().collect()
    }

    /// Kills a session and forgets it; `false` when there is none that runs.
    pub(crate) fn kill(&self, id: u32) -> bool {
        match self.remove(id) {
            Some(session) => {
                session.kill();
                session.finished().is_none()
            }
            None => self.state().starting.remove(&id),
        }
    }

    /// Kills all sessions and forgets them.
    pub(crate) fn kill_all(&self) {
        let mut state = self.state();
        state.starting.clear();
        state.sessions.drain(..).for_each(|session| session.kill());
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Terminals {
    fn drop(&mut self) {
        // Not left to the sessions: a call that is still collecting holds a clone.
        self.kill_all();
    }
}

fn random_id() -> u32 {
    let (_, random) = Uuid::new_v4().as_u64_pair();
    // The upper bits of the second half hold the variant.
    FIRST + (random as u32) % (LAST - FIRST + 1)
}

#[cfg(test)]
mod tests;
