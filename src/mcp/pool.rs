//! The connections of the process, shared by all threads.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::FutureExt as _;
use futures_util::future::Shared;

use super::connection::{Connection, Opening};
use super::error::StartError;
use super::http;
use super::key::Key;
use crate::config::{McpServer, McpTransport};

/// Finds the connection that a thread's server has, or shall have.
pub(crate) struct Pool {
    pub(super) http: Arc<http::Clients>,
    slots: Mutex<HashMap<Key, Weak<Slot>>>,
}

/// The place of one connection, held by everybody who uses it.
pub(crate) struct Slot {
    key: Key,
    http: Arc<http::Clients>,
    opening: Mutex<Option<Shared<Opening>>>,
}

impl Pool {
    /// What servers grant is kept in the home.
    pub(crate) fn new(home: PathBuf) -> Self {
        Self { http: Arc::new(http::Clients::new(home)), slots: Mutex::default() }
    }

    /// The place of a server's connection; nothing is started yet.
    pub(crate) fn slot(&self, name: &str, server: &McpServer, cwd: &Path) -> Arc<Slot> {
        let key = Key::new(name, server, cwd);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&key).and_then(Weak::upgrade) {
            return slot;
        }
        slots.retain(|_, slot| slot.strong_count() > 0);
        let slot = Arc::new(Slot {
            key: key.clone(),
            http: Arc::clone(&self.http),
            opening: Mutex::default(),
        });
        slots.insert(key, Arc::downgrade(&slot));
        slot
    }
}

impl Slot {
    /// Whether somebody has signed in to the server.
    pub(super) async fn is_signed_in(&self) -> bool {
        match &self.key.transport {
            McpTransport::Http(endpoint) => {
                self.http.grants(&self.key.name, &endpoint.url).any().await
            }
            McpTransport::Stdio(_) => false,
        }
    }

    /// The connection as it is, or a new one when there is none, the last try failed, or it broke. Everybody who asks
    /// at the same time waits for the same one.
    pub(crate) async fn connect(&self, server: &McpServer) -> Result<Arc<Connection>, StartError> {
        self.opening(server).await
    }

    fn opening(&self, server: &McpServer) -> Shared<Opening> {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = opening.as_ref() {
            match current.peek() {
                None => return current.clone(),
                Some(Ok(connection)) if !connection.is_closed() => return current.clone(),
                Some(_) => {}
            }
        }
        let (key, server, http) = (self.key.clone(), server.clone(), Arc::clone(&self.http));
        let open = async move { Connection::open(&key, &server, &http).await.map(Arc::new) };
        let new = (Box::pin(open) as Opening).shared();
        *opening = Some(new.clone());
        new
    }
}
