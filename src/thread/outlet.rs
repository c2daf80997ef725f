//! What a thread needs of whoever listens to it.

use std::any::Any;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::protocol::{
    Notification, ThreadId, ThreadStatus, ThreadStatusChangedNotification, method, rpc,
};
use crate::util::time::now_ms;

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every client of the server.
    Everybody,
    /// Those that follow the thread.
    Subscribers,
}

/// A request that a thread puts to its clients.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) method: &'static str,
    pub(crate) params: Box<RawValue>,
}

/// A client's answer: its result, or its error.
pub(crate) type Answer = Result<Box<RawValue>, Box<RawValue>>;

/// An open question. Dropping it withdraws the question.
pub(crate) struct Ticket {
    answer: oneshot::Receiver<Answer>,
    _withdraw: Box<dyn Any + Send>,
}

impl Ticket {
    pub(crate) fn new(answer: oneshot::Receiver<Answer>, withdraw: Box<dyn Any + Send>) -> Self {
        Self { answer, _withdraw: withdraw }
    }

    /// Waits for as long as it takes. `None` when nobody can answer any more.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        (&mut self.answer).await.ok()
    }
}

/// The listeners of all threads.
pub(crate) trait Outlet: Send + Sync {
    fn notify(&self, thread: &ThreadId, scope: Scope, method: &'static str, line: Bytes);
    fn ask(&self, thread: &ThreadId, question: Question) -> Ticket;
    /// Lets everybody who follows `thread` follow its agent as well.
    fn share(&self, thread: &ThreadId, agent: &ThreadId);
    /// Waits until the thread's listeners can take more.
    fn room<'a>(&'a self, thread: &'a ThreadId) -> BoxFuture<'a, ()>;
}

/// One thread's way to its listeners.
#[derive(Clone)]
pub(super) struct Publisher {
    pub(super) thread: ThreadId,
    outlet: Arc<dyn Outlet>,
}

impl Publisher {
    pub(super) fn new(thread: ThreadId, outlet: Arc<dyn Outlet>) -> Self {
        Self { thread, outlet }
    }

    /// The same listeners' way to another thread.
    pub(super) fn of(&self, thread: ThreadId) -> Self {
        Self { thread, outlet: Arc::clone(&self.outlet) }
    }

    /// Lets everybody who follows the thread follow its agent as well.
    pub(super) fn share(&self, agent: &ThreadId) {
        self.outlet.share(&self.thread, agent);
    }

    /// Tells the thread's subscribers.
    pub(super) fn tell<N: Notification>(&self, params: &N::Params) {
        self.send::<N>(Scope::Subscribers, params);
    }

    /// Tells every client.
    pub(super) fn tell_all<N: Notification>(&self, params: &N::Params) {
        self.send::<N>(Scope::Everybody, params);
    }

    /// Tells every client what the thread does now.
    pub(super) fn tell_status(&self, status: ThreadStatus) {
        let thread_id = self.thread.clone();
        self.tell_all::<method::ThreadStatusChanged>(&ThreadStatusChangedNotification {
            thread_id,
            status,
        });
    }

    pub(super) fn ask(&self, question: Question) -> Ticket {
        self.outlet.ask(&self.thread, question)
    }

    pub(super) async fn room(&self) {
        self.outlet.room(&self.thread).await;
    }

    fn send<N: Notification>(&self, scope: Scope, params: &N::Params) {
        let line = Bytes::from(rpc::notification(N::METHOD, params, now_ms()));
        self.outlet.notify(&self.thread, scope, N::METHOD, line);
    }
}
