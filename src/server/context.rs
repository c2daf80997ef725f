//! What a handler is given besides its params: who asks, and the one chance to answer.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;

use super::Server;
use super::connection::Connection;
use super::error::{Error, Result};
use crate::protocol::ThreadId;
use crate::protocol::error::RpcError;
use crate::protocol::rpc::{self, RequestId};
use crate::thread::{Reply, ThreadHandle};
use crate::transport::Outbox;

/// The context of one request. Cheap to clone; all clones share the answer.
#[derive(Clone)]
pub(crate) struct Cx {
    pub(crate) server: Arc<Server>,
    pub(crate) connection: Arc<Connection>,
    responder: Arc<Mutex<Option<Responder>>>,
}

impl Cx {
    pub(super) fn new(server: Arc<Server>, connection: Arc<Connection>, id: RequestId) -> Self {
        let responder = Responder { outbox: Arc::clone(&connection.outbox), id: Some(id) };
        Self { server, connection, responder: Arc::new(Mutex::new(Some(responder))) }
    }

    /// Answers now, before the handler returns, so that what the handler does next follows the answer on the wire.
    pub(crate) fn answer<R: Serialize>(&self, response: &R) -> Later<R> {
        if let Some(responder) = self.take() {
            responder.succeed(response);
        }
        Later(PhantomData)
    }

    /// Hands the answer to a thread task, which gives it just before the first event that follows from it.
    pub(crate) fn reply<R: Serialize + 'static>(&self) -> Reply<R> {
        let responder = self.take();
        Reply::new(move |result| {
            let Some(responder) = responder else { return };
            match result {
                Ok(response) => responder.succeed(&response),
                Err(error) => responder.fail(&Error::from(error).into_rpc()),
            }
        })
    }

    pub(super) fn fail(&self, error: Error) {
        if let Some(responder) = self.take() {
            responder.fail(&error.into_rpc());
        }
    }

    /// The loaded thread that a request names.
    pub(crate) fn thread(&self, id: &ThreadId) -> Result<ThreadHandle> {
        check_thread_id(id)?;
        match self.server.threads.get(id) {
            Some(thread) => Ok(thread),
            None => Err(Error::invalid_request(format!("thread not found: {id}"))),
        }
    }

    fn take(&self) -> Option<Responder> {
        self.responder.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Runs work that blocks beside the event loop.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_panicked| Error::internal("internal error"))
}

/// Refuses what is not a UUID, in the words of the UUID parser.
pub(crate) fn check_thread_id(id: &ThreadId) -> Result<()> {
    check_id(id, "thread")
}

/// As [`check_thread_id`]; the methods that find threads on disk have always called it a session.
pub(crate) fn check_session_id(id: &ThreadId) -> Result<()> {
    check_id(id, "session")
}

pub(crate) fn check_id(id: &ThreadId, noun: &str) -> Result<()> {
    match uuid::Uuid::parse_str(id.as_str()) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::invalid_request(format!(
            "invalid {noun} id: {}",
            not_a_uuid(id.as_str(), &error)
        ))),
    }
}

/// Why a text is no UUID, in the words that clients of the reference know.
fn not_a_uuid(text: &str, error: &uuid::Error) -> String {
    match text.char_indices().find(|(_, c)| !c.is_ascii_hexdigit() && *c != '-') {
        Some((index, found)) => format!(
            "invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], \
             found `{found}` at {}",
            index + 1
        ),
        None => error.to_string(),
    }
}

/// A handler's return value when the answer has been given, or somebody else will give it.
#[derive(Debug)]
pub(crate) struct Later<R>(PhantomData<fn() -> R>);

impl<R> Later<R> {
    pub(crate) fn by_thread() -> Self {
        Self(PhantomData)
    }

    /// A task of the handler's will answer.
    pub(crate) fn elsewhere() -> Self {
        Self(PhantomData)
    }
}

/// What handlers may return for a method that answers with `R`.
pub(crate) trait IntoAnswer<R> {
    fn give(self, cx: &Cx);
}

impl<R: Serialize> IntoAnswer<R> for R {
    fn give(self, cx: &Cx) {
        let _answered = cx.answer(&self);
    }
}

impl<R: Serialize> IntoAnswer<R> for Later<R> {
    fn give(self, _: &Cx) {}
}

/// The obligation to answer one request. Dropped unanswered, it answers with an internal error, so that no client
/// ever waits for an answer that nobody will give.
#[derive(Debug)]
struct Responder {
    outbox: Arc<Outbox>,
    id: Option<RequestId>,
}

impl Responder {
    fn succeed(mut self, response: &impl Serialize) {
        if let Some(id) = self.id.take() {
            self.outbox.push(Bytes::from(rpc::response(&id, response)));
        }
    }

    fn fail(mut self, error: &RpcError) {
        if let Some(id) = self.id.take() {
            self.outbox.push(Bytes::from(rpc::error(&id, error)));
        }
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            let error =
                Error::internal("the request was abandoned before it was answered").into_rpc();
            self.outbox.push(Bytes::from(rpc::error(&id, &error)));
        }
    }
}
