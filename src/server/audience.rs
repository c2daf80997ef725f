//! Who hears what: the connections of the process, and which of them follow which thread.
//!
//! A notification is serialized once; every connection gets the same bytes. Filters (subscription, opt-outs, the
//! handshake) only decide whether a connection gets them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::connection::{Connection, ConnectionId};
use crate::protocol::rpc;
use crate::protocol::{Notification, ThreadId};
use crate::util::time::now_ms;

/// Who a notification is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach<'a> {
    /// Every initialized connection.
    All,
    /// The connections that follow a thread.
    Subscribers(&'a ThreadId),
    /// One connection.
    Only(ConnectionId),
}

#[derive(Debug, Default)]
pub(crate) struct Audience {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next_id: u64,
    connections: BTreeMap<ConnectionId, Arc<Connection>>,
    subscriptions: HashMap<ThreadId, HashSet<ConnectionId>>,
}

impl Audience {
    /// Makes a connection known under a new id.
    pub(crate) fn connect(&self, make: impl FnOnce(ConnectionId) -> Connection) -> Arc<Connection> {
        let mut state = self.lock();
        let id = ConnectionId(state.next_id);
        state.next_id += 1;
        let connection = Arc::new(make(id));
        state.connections.insert(id, Arc::clone(&connection));
        connection
    }

    /// Forgets a connection; returns the threads that nobody follows any more.
    pub(crate) fn disconnect(&self, connection: ConnectionId) -> Vec<ThreadId> {
        let mut state = self.lock();
        state.connections.remove(&connection);
        let left = state
            .subscriptions
            .extract_if(|_, subscribers| subscribers.remove(&connection) && subscribers.is_empty());
        left.map(|(thread, _)| thread).collect()
    }

    /// Closes every connection, once what is queued for it has been written.
    pub(crate) fn close(&self) {
        for connection in self.listeners(Reach::All) {
            connection.outbox.close();
        }
    }

    /// Lets a connection follow a thread; doing so twice is the same as once.
    pub(crate) fn subscribe(&self, thread: &ThreadId, connection: ConnectionId) {
        self.lock().subscriptions.entry(thread.clone()).or_default().insert(connection);
    }

    /// Lets the connections that follow one thread follow another one, too.
    pub(crate) fn share(&self, thread: &ThreadId, other: &ThreadId) {
        let mut state = self.lock();
        if let Some(subscribers) = state.subscriptions.get(thread).cloned() {
            state.subscriptions.entry(other.clone()).or_default().extend(subscribers);
        }
    }

    /// `true` when the connection did follow the thread.
    pub(crate) fn unsubscribe(&self, thread: &ThreadId, connection: ConnectionId) -> bool {
        let mut state = self.lock();
        let Some(subscribers) = state.subscriptions.get_mut(thread) else { return false };
        let subscribed = subscribers.remove(&connection);
        if subscribers.is_empty() {
            state.subscriptions.remove(thread);
        }
        subscribed
    }

    pub(crate) fn is_subscribed(&self, thread: &ThreadId, connection: ConnectionId) -> bool {
        let state = self.lock();
        state.subscriptions.get(thread).is_some_and(|followers| followers.contains(&connection))
    }

    pub(crate) fn has_subscribers(&self, thread: &ThreadId) -> bool {
        self.lock().subscriptions.contains_key(thread)
    }

    /// Sends a notification.
    pub(crate) fn notify<N: Notification>(&self, reach: Reach<'_>, params: &N::Params) {
        self.deliver(
            reach,
            N::METHOD,
            &Bytes::from(rpc::notification(N::METHOD, params, now_ms())),
        );
    }

    /// Sends a line that has been serialized already. `method` decides about opt-outs.
    pub(crate) fn deliver(&self, reach: Reach<'_>, method: &str, line: &Bytes) {
        for connection in self.listeners(reach) {
            if connection.wants(method) {
                connection.outbox.push(line.clone());
            }
        }
    }

    /// Sends a request to the subscribers of a thread, or to one connection. Opt-outs do not apply.
    pub(crate) fn deliver_request(&self, reach: Reach<'_>, line: &Bytes) {
        for connection in self.listeners(reach) {
            connection.outbox.push(line.clone());
        }
    }

    /// Waits until every connection that `reach` names can take more. Where there are several, one that keeps the others
    /// waiting for long is given up.
    pub(crate) async fn room(&self, reach: Reach<'_>) {
        match &*self.listeners(reach) {
            [only] => only.outbox.room().await,
            several => {
                for connection in several {
                    connection.outbox.room_for_others().await;
                }
            }
        }
    }

    fn listeners(&self, reach: Reach<'_>) -> Vec<Arc<Connection>> {
        let state = self.lock();
        match reach {
            Reach::All => state.connections.values().cloned().collect(),
            Reach::Only(id) => state.connections.get(&id).cloned().into_iter().collect(),
            Reach::Subscribers(thread) => {
                let subscribers = state.subscriptions.get(thread);
                subscribers
                    .into_iter()
                    .flatten()
                    .filter_map(|id| state.connections.get(id))
                    .cloned()
                    .collect()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
