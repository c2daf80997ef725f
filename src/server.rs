//! The server: everything that connections share, and how it starts and ends.
//!
//! Connections hand their lines to `router`, which decodes, gates, orders and runs `handlers`. What handlers work on
//! is the thread registry; what threads have to tell goes out through `audience` and `ask`.

pub(crate) mod ask;
pub(crate) mod audience;
pub(crate) mod client_process;
pub(crate) mod connection;
pub(crate) mod context;
pub(crate) mod error;
pub(crate) mod handlers;
mod lender;
mod listen;
mod order;
mod outlet;
mod router;
mod unload;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use self::ask::Asks;
use self::audience::Audience;
use self::connection::Connection;
use self::handlers::login::Logins;
use self::handlers::search::Searches;
use self::order::Lanes;
use self::outlet::ClientOutlet;
use crate::threads::Threads;
use crate::transport::{Outbox, auth, socket, stdio};
use crate::workspace::watch::Watcher;
use crate::{config, exec};

/// State of the process. Nothing here does work before a request asks for it.
pub(crate) struct Server {
    pub(crate) threads: Threads,
    pub(crate) sources: Arc<config::Sources>,
    pub(crate) audience: Arc<Audience>,
    pub(crate) asks: Arc<Asks>,
    pub(crate) watcher: Watcher,
    pub(crate) searches: Searches,
    pub(crate) logins: Logins,
    lanes: Lanes,
    /// Shared with every request that is being served, for their number.
    requests: Arc<()>,
    /// Cancelled when the server ends.
    ended: CancellationToken,
}

/// Why the server could not serve.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("standard input and output cannot be served")]
    Stdio(#[source] std::io::Error),
    #[error("signals cannot be received")]
    Signals(#[source] std::io::Error),
    #[error(transparent)]
    Socket(#[from] socket::Error),
    #[error(transparent)]
    Auth(#[from] auth::Error),
}

impl Server {
    pub(crate) fn new(sources: config::Sources) -> Arc<Self> {
        let sources = Arc::new(sources);
        let (audience, asks) = (Arc::new(Audience::default()), Arc::new(Asks::default()));
        let outlet = ClientOutlet { audience: Arc::clone(&audience), asks: Arc::clone(&asks) };
        let threads = Threads::new(Arc::clone(&sources), Arc::new(outlet));
        Arc::new(Self {
            threads,
            sources,
            audience,
            asks,
            watcher: Watcher::default(),
            searches: Searches::default(),
            logins: Logins::default(),
            lanes: Lanes::default(),
            requests: Arc::default(),
            ended: CancellationToken::new(),
        })
    }

    pub(crate) fn home(&self) -> &PathBuf {
        &self.sources.home
    }

    /// How many requests are being served.
    pub(crate) fn requests_in_flight(&self) -> usize {
        Arc::strong_count(&self.requests) - 1
    }

    /// Runs something on the server's behalf, which ends with the server.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let ended = self.ended.clone();
        let work = async move {
            let _cancelled = ended.run_until_cancelled(work).await;
        };
        self.lanes.submit(None, Box::pin(work));
    }

    /// Serves the one connection on stdin and stdout until its input ends or a signal asks to stop; then ends every
    /// thread, with its turns and commands, and writes out what is still queued.
    pub(crate) async fn serve_stdio(self: &Arc<Self>) -> Result<(), StartError> {
        let outbox = Arc::new(Outbox::default());
        let mut signals = Signals::new()?;
        let inbox = stdio::read(connection::overflow(&outbox)).map_err(StartError::Stdio)?;
        let writer =
            stdio::write(Arc::clone(&outbox), Handle::current()).map_err(StartError::Stdio)?;
        let connection = self.audience.connect(|id| Connection::new(id, Arc::clone(&outbox)));
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "serving on stdio");
        tokio::select! {
            () = connection::serve(self, &connection, inbox) => {}
            _ = signals.recv() => {}
        }
        self.end().await;
        outbox.close();
        let written = tokio::task::spawn_blocking(move || writer.join());
        let _stalled = tokio::time::timeout(GOODBYE, written).await;
        Ok(())
    }

    /// Ends everything that runs; who is connected is told.
    async fn end(&self) {
        self.ended.cancel();
        self.lanes.settle().await;
        // A peer that has stopped reading must not keep the process alive.
        let _stalled = tokio::time::timeout(FAREWELL, self.threads.shutdown()).await;
        let _late = tokio::time::timeout(FAREWELL, self.threads.shared.auth.settle()).await;
        // None of them takes longer than the moment that it is given.
        exec::closed().await;
    }
}

/// What asks the process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// How urgently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Firmly,
    /// The terminal is gone.
    InPassing,
}

impl Signals {
    fn new() -> Result<Self, StartError> {
        let listen = |kind| signal(kind).map_err(StartError::Signals);
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn recv(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Firmly,
            _ = self.interrupt.recv() => Asked::Firmly,
            _ = self.hangup.recv() => Asked::InPassing,
        }
    }
}

/// How long threads may take to end: hooks at the end of a session get three seconds.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(4);
/// How long the last lines may take to be written.
const GOODBYE: std::time::Duration = std::time::Duration::from_secs(2);
