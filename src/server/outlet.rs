//! How threads reach clients: the `thread::Outlet` that the server gives to its thread tasks.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::ask::{Asked, Asks, Withdraw};
use super::audience::{Audience, Reach};
use crate::protocol::ThreadId;
use crate::thread::{Outlet, Question, Scope, Ticket};

pub(super) struct ClientOutlet {
    pub(super) audience: Arc<Audience>,
    pub(super) asks: Arc<Asks>,
}

impl Outlet for ClientOutlet {
    fn notify(&self, thread: &ThreadId, scope: Scope, method: &'static str, line: Bytes) {
        let reach = match scope {
            Scope::Everybody => Reach::All,
            Scope::Subscribers => Reach::Subscribers(thread),
        };
        self.audience.deliver(reach, method, &line);
    }

    fn ask(&self, thread: &ThreadId, question: Question) -> Ticket {
        let (id, answer) =
            self.asks.ask(&Asked::Subscribers(thread.clone()), &question, &self.audience);
        let withdraw =
            Withdraw { id, asks: Arc::clone(&self.asks), audience: Arc::clone(&self.audience) };
        Ticket::new(answer, Box::new(withdraw))
    }

    fn share(&self, thread: &ThreadId, agent: &ThreadId) {
        self.audience.share(thread, agent);
    }

    fn room<'a>(&'a self, thread: &'a ThreadId) -> BoxFuture<'a, ()> {
        Box::pin(self.audience.room(Reach::Subscribers(thread)))
    }
}
