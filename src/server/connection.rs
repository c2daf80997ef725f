//! The life of one connection: lines in, the handshake, capabilities, the end.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{Server, router};
use crate::exec::Processes;
use crate::protocol::Notification as _;
use crate::protocol::error::{OVERLOADED, RpcError};
use crate::protocol::method::ThreadReadStateChanged;
use crate::protocol::rpc::{self, Message};
use crate::transport::{Incoming, Outbox, Overflow};
use crate::util::task::AbortOnDrop;

/// Identifies a connection within the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ConnectionId(pub(super) u64);

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) outbox: Arc<Outbox>,
    /// What the client runs with `command/exec`.
    pub(crate) commands: Processes,
    /// What the client runs with `process/spawn`.
    pub(crate) processes: Processes,
    client: OnceLock<Client>,
    /// What tells the client of changed files, by the client's names for it.
    watches: Mutex<HashMap<String, AbortOnDrop>>,
}

/// What a client said of itself in `initialize`.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) experimental: Experimental,
    pub(crate) opted_out: HashSet<String>,
}

/// Whether a client may use what is not stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Experimental {
    Allowed,
    Refused,
}

impl Connection {
    pub(super) fn new(id: ConnectionId, outbox: Arc<Outbox>) -> Self {
        Self {
            id,
            outbox,
            commands: Processes::default(),
            processes: Processes::default(),
            client: OnceLock::new(),
            watches: Mutex::default(),
        }
    }

    /// The client, once it is initialized.
    pub(crate) fn client(&self) -> Option<&Client> {
        self.client.get()
    }

    /// Completes the handshake; `false` when that had been done before.
    pub(crate) fn initialize(&self, client: Client) -> bool {
        self.client.set(client).is_ok()
    }

    /// Whether notifications of `method` are wanted here. Nothing is sent before the handshake.
    pub(crate) fn wants(&self, method: &str) -> bool {
        self.client().is_some_and(|client| {
            // Who cannot mark a thread as read has no use for being told that it is not.
            let is_known = client.experimental == Experimental::Allowed
                || method != ThreadReadStateChanged::METHOD;
            is_known && !client.opted_out.contains(method)
        })
    }

    pub(crate) fn is_watching(&self, watch: &str) -> bool {
        self.watches().contains_key(watch)
    }

    /// Keeps a watch going until it is ended or the connection is.
    pub(crate) fn keep_watch(&self, watch: String, task: AbortOnDrop) {
        self.watches().insert(watch, task);
    }

    pub(crate) fn end_watch(&self, watch: &str) {
        self.watches().remove(watch);
    }

    fn watches(&self) -> MutexGuard<'_, HashMap<String, AbortOnDrop>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves a connection until its link ends, and its processes with it.
pub(crate) async fn serve(
    server: &Arc<Server>,
    connection: &Arc<Connection>,
    mut inbox: mpsc::Receiver<Incoming>,
) {
    while let Some(Incoming::Line(line)) = inbox.recv().await {
        // A peer that does not read its answers is not asked for more questions.
        connection.outbox.room().await;
        receive(server, connection, &line).await;
    }
    connection.commands.close();
    connection.processes.close();
}

async fn receive(server: &Arc<Server>, connection: &Arc<Connection>, line: &[u8]) {
    match rpc::classify(line) {
        Ok(Message::Request { id, method, params }) => {
            router::dispatch(server, connection, id, &method, params).await;
        }
        Ok(Message::Response { id, result }) => {
            let result = result.map(ToOwned::to_owned).map_err(ToOwned::to_owned);
            server.asks.answer(&id, result, connection.id, &server.audience);
        }
        // `initialized` asks for nothing, and no other notification is known.
        Ok(Message::Notification { method, .. }) => tracing::trace!(%method, "notification"),
        Err(reason) => tracing::error!(%reason, "dropping a line that is not a message"),
    }
}

/// What becomes of a line that finds the connection's queue full.
pub(crate) fn overflow(outbox: &Arc<Outbox>) -> Overflow {
    let outbox = Arc::clone(outbox);
    Box::new(move |line| refuse_overload(&outbox, line))
}

/// Answers a request that came while the queue was full; `false` for anything else.
fn refuse_overload(outbox: &Outbox, line: &Bytes) -> bool {
    // A peer that does not even read refusals is made to wait.
    if outbox.is_full() {
        return false;
    }
    let Ok(Message::Request { id, .. }) = rpc::classify(line) else { return false };
    let error = RpcError {
        code: OVERLOADED,
        message: "Server overloaded; retry later.".to_owned(),
        data: None,
    };
    outbox.push(Bytes::from(rpc::error(&id, &error)));
    true
}
