//! The sessions of one thread: ids, a limit, and an end for all of them.

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
pub(crate) struct Terminals {
    /// The least recently used one first.
    sessions: Mutex<Vec<Session>>,
}

impl Terminals {
    /// A random id that no session of the registry has.
    pub(crate) fn free_id(&self) -> u32 {
        let sessions = self.sessions();
        loop {
            let id = random_id();
            if sessions.iter().all(|session| session.id() != id) {
                return id;
            }
        }
    }

    /// Adds a session; returns the one that had to make room, which was killed.
    pub(crate) fn insert(&self, session: Session) -> Option<Session> {
        let mut sessions = self.sessions();
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
        let mut sessions = self.sessions();
        let at = sessions.iter().position(|session| session.id() == id)?;
        sessions[at..].rotate_left(1);
        sessions.last().cloned()
    }

    /// Takes a session out of the registry.
    pub(crate) fn remove(&self, id: u32) -> Option<Session> {
        let mut sessions = self.sessions();
        let at = sessions.iter().position(|session| session.id() == id)?;
        Some(sessions.remove(at))
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Terminals {
    fn drop(&mut self) {
        // Not left to the sessions: a call that is still collecting holds a clone.
        for session in self.sessions().iter() {
            session.kill();
        }
    }
}

fn random_id() -> u32 {
    let (_, random) = Uuid::new_v4().as_u64_pair();
    // The upper bits of the second half hold the variant.
    FIRST + (random as u32) % (LAST - FIRST + 1)
}

#[cfg(test)]
mod tests;
