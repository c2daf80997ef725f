//! Serving many clients over a listening socket.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::connection::{self, Connection};
use super::{Asked, GOODBYE, Server, Signals, StartError, unload};
use crate::transport::socket::{Listener, Stream};
use crate::transport::{Outbox, inbox, websocket};

/// Connections that may be open at the same time.
const MAX_CONNECTIONS: usize = 1024;

/// How long nobody is let in when the system has nothing left to let them in with.
const BREATH: Duration = Duration::from_millis(100);

impl Server {
    /// Serves everybody who connects until a signal asks to stop: then until no turn is running, or a second signal
    /// insists. Ends every thread, and closes the connections when they have been told.
    pub(crate) async fn serve_socket(
        self: &Arc<Self>,
        listener: Arc<Listener>,
    ) -> Result<(), StartError> {
        let mut signals = Signals::new()?;
        let connections = TaskTracker::new();
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "serving on a socket");
        tokio::select! {
            () = self.admit(&listener, &connections) => {}
            () = self.drained(&mut signals) => {}
        }
        self.end().await;
        self.audience.close();
        connections.close();
        let _stalled = tokio::time::timeout(GOODBYE, connections.wait()).await;
        Ok(())
    }

    async fn admit(self: &Arc<Self>, listener: &Arc<Listener>, connections: &TaskTracker) {
        loop {
            let stream = match listener.accept().await {
                Ok(stream) => stream,
                Err(error) => {
                    refused(&error).await;
                    continue;
                }
            };
            if connections.len() >= MAX_CONNECTIONS {
                tracing::warn!("refusing a connection: there are {MAX_CONNECTIONS} already");
                continue;
            }
            let (server, listener) = (Arc::clone(self), Arc::clone(listener));
            connections.spawn(async move { server.serve_stream(stream, &listener).await });
        }
    }

    async fn serve_stream(self: &Arc<Self>, stream: Box<dyn Stream>, listener: &Listener) {
        let opened = websocket::accept(stream, &listener.door);
        let Some(Some(socket)) = self.ended.run_until_cancelled(opened).await else { return };
        let outbox = Arc::new(Outbox::default());
        let connection = self.audience.connect(|id| Connection::new(id, Arc::clone(&outbox)));
        let (tx, rx) = inbox();
        tracing::debug!(connection = connection.id.0, "a client has connected");
        tokio::join!(
            websocket::carry(socket, &outbox, tx, connection::overflow(&outbox)),
            connection::serve(self, &connection, rx),
        );
        tracing::debug!(connection = connection.id.0, "a client has gone");
        self.searches.forget(connection.id);
        for thread in self.audience.disconnect(connection.id) {
            unload::when_idle(self, thread);
        }
    }

    async fn drained(&self, signals: &mut Signals) {
        signals.recv().await;
        tracing::info!("waiting for the running turns");
        tokio::select! {
            () = self.threads.rest() => {}
            () = insisted(signals) => {}
        }
    }
}

async fn insisted(signals: &mut Signals) {
    while signals.recv().await == Asked::InPassing {}
}

/// A client that could not be let in: it has gone, or too many files are open.
async fn refused(error: &io::Error) {
    tracing::warn!(%error, "a connection cannot be accepted");
    tokio::time::sleep(BREATH).await;
}
