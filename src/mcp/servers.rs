//! The servers of one thread: starting them beside it, what they offer to its model, and the way to each.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::caller::Caller;
use super::catalogue::Catalogue;
use super::connection::{CallResult, Connection, List, ToolCall};
use super::error::{CallError, StartError};
use super::pool::{Pool, Slot};
use crate::config::{McpApproval, McpServer};
use crate::util::task::AbortOnDrop;

/// How a server's start goes.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) server: String,
    pub(crate) status: ReportStatus,
}

#[derive(Debug)]
pub(crate) enum ReportStatus {
    Starting,
    Ready,
    Failed(StartError),
}

/// A thread's servers. Dropping this gives up the starts that are not over.
pub(crate) struct Servers {
    configured: BTreeMap<String, McpServer>,
    entries: Arc<BTreeMap<String, Entry>>,
    catalogue: Arc<Mutex<Arc<Catalogue>>>,
    /// How many are still starting.
    starting: watch::Sender<usize>,
    starts: Mutex<Vec<AbortOnDrop>>,
}

/// One server that is switched on.
struct Entry {
    config: McpServer,
    slot: Arc<Slot>,
    state: Mutex<State>,
}

/// How a thread knows a server.
#[derive(Clone)]
enum State {
    NotStarted,
    Starting,
    Ready(Arc<Connection>),
    Failed(StartError),
}

/// A server as a client is told of it.
pub(crate) struct Standing {
    pub(crate) name: String,
    pub(crate) config: McpServer,
    pub(crate) connection: Option<Arc<Connection>>,
    pub(crate) failure: Option<StartError>,
    /// Whether somebody has signed in to it.
    pub(crate) is_signed_in: bool,
}

impl Servers {
    /// The servers of a thread that works in `cwd`; nothing is started yet.
    pub(crate) fn new(pool: &Pool, configured: BTreeMap<String, McpServer>, cwd: &Path) -> Self {
        let enabled = configured.iter().filter(|(_, server)| server.enabled);
        let entries = enabled.map(|(name, server)| {
            let slot = pool.slot(name, server, cwd);
            let state = Mutex::new(State::NotStarted);
            (name.clone(), Entry { config: server.clone(), slot, state })
        });
        Self {
            entries: Arc::new(entries.collect()),
            configured,
            catalogue: Arc::default(),
            starting: watch::Sender::new(0),
            starts: Mutex::default(),
        }
    }

    /// Starts every server that has not been started, each in its own task, and tells how that goes. Has to be called
    /// within a runtime.
    pub(crate) fn start<E: From<Report> + Send + 'static>(&self, events: &mpsc::Sender<E>) {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, entry) in self.entries.iter() {
            {
                let mut state = entry.lock();
                if !matches!(*state, State::NotStarted) {
                    continue;
                }
                *state = State::Starting;
            }
            self.starting.send_modify(|count| *count += 1);
            let (name, events) = (name.clone(), events.clone());
            let (entries, catalogue) = (Arc::clone(&self.entries), Arc::clone(&self.catalogue));
            let starting = self.starting.clone();
            starts.push(AbortOnDrop::spawn(async move {
                let report = |status| E::from(Report { server: name.clone(), status });
                let _ended = events.send(report(ReportStatus::Starting)).await;
                let Some(entry) = entries.get(&name) else { return };
                let status = match entry.connect().await {
                    Ok(_) => ReportStatus::Ready,
                    Err(error) => ReportStatus::Failed(error),
                };
                list_anew(&entries, &catalogue);
                starting.send_modify(|count| *count = count.saturating_sub(1));
                let _ended = events.send(report(status)).await;
            }));
        }
    }

    /// A server by its name.
    pub(crate) fn config(&self, server: &str) -> Option<&McpServer> {
        self.configured.get(server)
    }

    /// Lets a server that wanted a sign-in be started again.
    pub(crate) fn forget_refusal(&self, server: &str) {
        let Some(entry) = self.entries.get(server) else { return };
        let mut state = entry.lock();
        if matches!(*state, State::Failed(StartError::NotLoggedIn(_))) {
            *state = State::NotStarted;
        }
    }

    /// Whether a start is not over yet.
    pub(crate) fn are_starting(&self) -> bool {
        *self.starting.borrow() > 0
    }

    /// Whether there is any server at all.
    pub(crate) fn any(&self) -> bool {
        !self.entries.is_empty()
    }

    /// What the model may call now.
    pub(crate) fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn approval(&self, server: &str, tool: &str) -> McpApproval {
        self.entries.get(server).map(|entry| entry.config.approval(tool)).unwrap_or_default()
    }

    /// How long a call of a server's may take.
    pub(crate) fn tool_timeout(&self, server: &str) -> std::time::Duration {
        self.entries.get(server).map(|entry| entry.config.tool_timeout).unwrap_or_default()
    }

    /// Calls a tool; starts the server again if it is gone.
    pub(crate) async fn call(
        &self,
        server: &str,
        call: ToolCall,
        caller: &dyn Caller,
    ) -> Result<CallResult, CallError> {
        let entry = self.entry(server)?;
        if !entry.config.has_tool(&call.tool) {
            let (server, tool) = (server.to_owned(), call.tool);
            return Err(CallError::Disabled { server, tool });
        }
        self.connect(entry).await?.call(call, caller).await
    }

    /// A page of what one server lists.
    pub(crate) async fn page(
        &self,
        server: &str,
        list: List,
        cursor: Option<String>,
    ) -> Result<(Vec<Value>, Option<String>), CallError> {
        self.connect(self.entry(server)?).await?.page(list, cursor).await
    }

    /// What all servers list that can be reached, by server.
    pub(crate) async fn list(&self, list: List) -> Vec<(String, Vec<Value>)> {
        let all = self.entries.iter().map(|(name, entry)| async move {
            let connection = self.connect(entry).await.ok()?;
            connection.capabilities.get("resources")?;
            Some((name.clone(), connection.list(list, None).await.ok()?))
        });
        join_all(all).await.into_iter().flatten().collect()
    }

    /// Everything that one server lists.
    pub(crate) async fn list_of(&self, server: &str, list: List) -> Result<Vec<Value>, CallError> {
        self.connect(self.entry(server)?).await?.list(list, None).await
    }

    pub(crate) async fn read(&self, server: &str, uri: &str) -> Result<Vec<Value>, CallError> {
        self.connect(self.entry(server)?).await?.read(uri).await
    }

    /// Every server that is configured, started if it has not been.
    pub(crate) async fn standings(&self) -> Vec<Standing> {
        let all = self.configured.iter().map(|(name, config)| async move {
            let (connected, is_signed_in) = match self.entries.get(name) {
                Some(entry) => {
                    let connected = entry.known_or_connect().await;
                    (Some(connected), entry.slot.is_signed_in().await)
                }
                None => (None, false),
            };
            let (connection, failure) = match connected {
                Some(Ok(connection)) => (Some(connection), None),
                Some(Err(error)) => (None, Some(error)),
                None => (None, None),
            };
            let (name, config) = (name.clone(), config.clone());
            Standing { name, config, connection, failure, is_signed_in }
        });
        join_all(all).await
    }

    /// Starts the servers that a thread cannot do without. The error names one that is not there.
    pub(crate) async fn require(&self) -> Result<(), (String, StartError)> {
        let required = self.entries.iter().filter(|(_, entry)| entry.config.required);
        let started = required.map(|(name, entry)| async move {
            entry.slot.connect(&entry.config).await.map_err(|error| (name.clone(), error))
        });
        join_all(started).await.into_iter().try_for_each(|started| started.map(drop))
    }

    fn entry(&self, server: &str) -> Result<&Entry, CallError> {
        self.entries.get(server).ok_or_else(|| CallError::UnknownServer(server.to_owned()))
    }

    /// The way to a server that is to be used now.
    async fn connect(&self, entry: &Entry) -> Result<Arc<Connection>, StartError> {
        if let State::Ready(connection) = &*entry.lock()
            && !connection.is_closed()
        {
            return Ok(Arc::clone(connection));
        }
        let connected = entry.connect().await;
        list_anew(&self.entries, &self.catalogue);
        connected
    }
}

impl Entry {
    async fn connect(&self) -> Result<Arc<Connection>, StartError> {
        let connected = self.slot.connect(&self.config).await;
        *self.lock() = match &connected {
            Ok(connection) => State::Ready(Arc::clone(connection)),
            Err(error) => State::Failed(error.clone()),
        };
        connected
    }

    /// As [`Self::connect`], but a failure that is known stands.
    async fn known_or_connect(&self) -> Result<Arc<Connection>, StartError> {
        let state = self.lock().clone();
        match state {
            State::Ready(connection) if !connection.is_closed() => Ok(connection),
            State::Failed(error) => Err(error),
            State::NotStarted | State::Starting | State::Ready(_) => {
                self.slot.connect(&self.config).await
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings the catalogue up to date. The tools of a server that broke stay: their next call starts it again.
fn list_anew(entries: &BTreeMap<String, Entry>, catalogue: &Mutex<Arc<Catalogue>>) {
    let ready = entries.iter().filter_map(|(name, entry)| match &*entry.lock() {
        State::Ready(connection) => Some((name, &entry.config, Arc::clone(connection))),
        State::NotStarted | State::Starting | State::Failed(_) => None,
    });
    let new = Arc::new(Catalogue::of(ready));
    *catalogue.lock().unwrap_or_else(PoisonError::into_inner) = new;
}
