//! Models: a request in, the events of an answer out.
//!
//! A provider is asked over HTTP (the Responses API, streamed) or played from a script inside this process; both go
//! through one decoder. What a request says, and what an answer means for a turn, is decided by the callers:
//! nothing here knows of threads, items on the wire, or connections.

mod authorization;
mod call;
pub(crate) mod catalog;
mod chat;
mod client;
mod error;
mod event;
mod item;
mod lite;
pub(crate) mod picture;
mod pieces;
mod provider;
pub(crate) mod request;
mod retry;
mod scripted;
pub(crate) mod senses;
mod socket;
mod sse;
mod token;

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

pub(crate) use error::{Error, Retry};
pub(crate) use event::{LimitWindow, ResponseHeaders, StreamEvent, Usage};
pub(crate) use item::{OutputItem, history_item, stored_item};
pub(crate) use pieces::Pieces;
pub(crate) use provider::{Provider, ProviderTable, is_base_url};
pub(crate) use retry::{backoff, connection_backoff};

use self::provider::Wire;
use crate::auth::Auth;
use crate::util::task::AbortOnDrop;

/// Batches that may wait for the reader before the network is left to wait.
const QUEUE: usize = 16;

/// The way to all models. One per process: connections are kept and used again.
pub(crate) struct Client {
    http: Arc<client::Http>,
    scripts: Arc<scripted::Scripts>,
}

/// What is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Who asks; scripts keep their place by it.
    pub(crate) thread: String,
    /// What is kept for the thread between two requests.
    pub(crate) conversation: Conversation,
    /// Besides those of the provider.
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: request::Encoded,
}

/// What is kept for a thread as long as it is loaded, so that its next request costs less.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conversation(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    messages: chat::Messages,
    /// The connection to the provider, when no request uses it.
    socket: Option<socket::Socket>,
    /// Requests in a row that failed over the connection.
    failures: u32,
    /// Set when WebSockets have failed too often.
    is_without_sockets: bool,
}

/// The events of one answer. Dropping it drops the connection.
pub(crate) struct ResponseStream {
    batches: mpsc::Receiver<Vec<StreamEvent>>,
    _task: AbortOnDrop,
}

impl Conversation {
    fn with<T>(&self, use_it: impl FnOnce(&mut Kept) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Client {
    /// Costs nothing: what a provider needs is made when it is first asked.
    pub(crate) fn new(auth: Arc<Auth>) -> Self {
        Self { http: Arc::new(client::Http::new(auth)), scripts: Arc::default() }
    }

    /// Asks the provider. Failures are events, too: the last one.
    pub(crate) fn stream(&self, provider: &Arc<Provider>, request: Request) -> ResponseStream {
        let (events, batches) = mpsc::channel(QUEUE);
        let provider = Arc::clone(provider);
        let task = match &provider.wire {
            Wire::Responses
                if provider.supports_websockets
                    && !request.conversation.with(|kept| kept.is_without_sockets) =>
            {
                let http = Arc::clone(&self.http);
                AbortOnDrop::spawn(async move {
                    http.answer_over_socket(&provider, &request, events).await;
                })
            }
            Wire::Responses | Wire::Chat => {
                let http = Arc::clone(&self.http);
                AbortOnDrop::spawn(async move { http.answer(&provider, &request, events).await })
            }
            Wire::Scripted { script } => {
                let scripts = Arc::clone(&self.scripts);
                let script = script.clone();
                AbortOnDrop::spawn(async move { scripts.answer(script, request, events).await })
            }
        };
        ResponseStream { batches, _task: task }
    }
}

impl ResponseStream {
    /// What has come in meanwhile, oldest first; `None` after the last event. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Option<Vec<StreamEvent>> {
        self.batches.recv().await
    }
}

#[cfg(test)]
mod tests;
