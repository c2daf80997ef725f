//! The processes of one connection: under the client's names, limited in number, and ended with the connection.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::client::ClientProcess;

/// How many processes a connection may have at the same time.
const LIMIT: usize = 256;

/// What a process is called within its connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ProcessName {
    /// By the client.
    Given(String),
    /// Not at all: nothing can be said to it.
    Nameless(u64),
}

/// Why a connection gets no further process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the name is taken")]
    Taken,
    #[error("there are {LIMIT} processes of this connection already")]
    TooMany,
    #[error("the connection is closed")]
    Closed,
}

/// A registry of processes. All of them are killed with it.
#[derive(Debug, Default)]
pub(crate) struct Processes(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    running: HashMap<ProcessName, Option<Arc<ClientProcess>>>,
    nameless: u64,
    closed: bool,
}

impl Processes {
    /// Reserves a name until the place is given up.
    pub(crate) fn reserve(&self, name: Option<String>) -> Result<Place, Refusal> {
        let mut state = lock(&self.0);
        let name = name.map_or_else(
            || {
                state.nameless += 1;
                ProcessName::Nameless(state.nameless)
            },
            ProcessName::Given,
        );
        if state.closed {
            return Err(Refusal::Closed);
        }
        if state.running.contains_key(&name) {
            return Err(Refusal::Taken);
        }
        if state.running.len() >= LIMIT {
            return Err(Refusal::TooMany);
        }
        state.running.insert(name.clone(), None);
        Ok(Place { name, state: Arc::clone(&self.0) })
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<ClientProcess>> {
        lock(&self.0).running.get(&ProcessName::Given(name.to_owned()))?.clone()
    }

    /// Kills all of them; no more may be started.
    pub(crate) fn close(&self) {
        let mut state = lock(&self.0);
        state.closed = true;
        for process in state.running.values().flatten() {
            process.kill();
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.close();
    }
}

/// The place of a process in its registry. The name is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    name: ProcessName,
    state: Arc<Mutex<State>>,
}

impl Place {
    /// Puts a started process in its place.
    pub(crate) fn fill(&self, process: Arc<ClientProcess>) {
        let mut state = lock(&self.state);
        // The connection may have been closed while the process was started.
        if state.closed {
            process.kill();
        }
        state.running.insert(self.name.clone(), Some(process));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.state).running.remove(&self.name);
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
