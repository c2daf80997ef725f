//! Requests to the client: one question to all subscribers of a thread, where the first answer counts, or to one client.
//!
//! A question stays open until it is answered or withdrawn, whoever comes and goes meanwhile; who subscribes late is
//! asked again. Every subscriber learns the end by `serverRequest/resolved`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::audience::{Audience, Reach};
use super::connection::ConnectionId;
use crate::protocol::rpc::{self, RequestId};
use crate::protocol::{ServerRequestResolvedNotification, ThreadId, method};
use crate::thread::{Answer, Question};

#[derive(Debug, Default)]
pub(crate) struct Asks {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next_id: i64,
    open: BTreeMap<i64, Open>,
}

#[derive(Debug)]
struct Open {
    asked: Asked,
    line: Bytes,
    answer: oneshot::Sender<Answer>,
}

/// Who may answer.
#[derive(Debug, Clone)]
pub(super) enum Asked {
    Subscribers(ThreadId),
    Only(ConnectionId),
}

impl Asked {
    fn reach(&self) -> Reach<'_> {
        match self {
            Self::Subscribers(thread) => Reach::Subscribers(thread),
            Self::Only(connection) => Reach::Only(*connection),
        }
    }
}

impl Asks {
    /// Puts a question.
    pub(super) fn ask(
        &self,
        asked: &Asked,
        question: &Question,
        audience: &Audience,
    ) -> (i64, oneshot::Receiver<Answer>) {
        let (answer, receiver) = oneshot::channel();
        let (id, line) = {
            let mut state = self.lock();
            let id = state.next_id;
            state.next_id += 1;
            let line = Bytes::from(rpc::request(
                &RequestId::Integer(id),
                question.method,
                &question.params,
            ));
            let open = Open { asked: asked.clone(), line: line.clone(), answer };
            state.open.insert(id, open);
            (id, line)
        };
        audience.deliver_request(asked.reach(), &line);
        (id, receiver)
    }

    /// Takes an answer. Ids that are not open (unknown, of another type, answered before) are ignored, and so is who
    /// has not been asked.
    pub(crate) fn answer(
        &self,
        id: &RequestId,
        answer: Answer,
        from: ConnectionId,
        audience: &Audience,
    ) {
        let RequestId::Integer(id) = *id else { return };
        let may_answer = match self.lock().open.get(&id).map(|open| open.asked.clone()) {
            Some(Asked::Subscribers(thread)) => audience.is_subscribed(&thread, from),
            Some(Asked::Only(connection)) => connection == from,
            None => false,
        };
        if !may_answer {
            return;
        }
        if let Some(open) = self.close(id, audience) {
            // Whoever asked may have lost interest in this very moment.
            let _unheard = open.answer.send(answer);
        }
    }

    /// How many questions are open.
    pub(crate) fn pending(&self) -> usize {
        self.lock().open.len()
    }

    /// Takes a question back.
    pub(crate) fn withdraw(&self, id: i64, audience: &Audience) {
        drop(self.close(id, audience));
    }

    /// Sends a thread's open questions to a connection that has just subscribed.
    pub(crate) fn repeat(&self, thread: &ThreadId, connection: ConnectionId, audience: &Audience) {
        let lines: Vec<Bytes> = self
            .lock()
            .open
            .values()
            .filter(|open| matches!(&open.asked, Asked::Subscribers(asked) if asked == thread))
            .map(|open| open.line.clone())
            .collect();
        for line in lines {
            audience.deliver_request(Reach::Only(connection), &line);
        }
    }

    fn close(&self, id: i64, audience: &Audience) -> Option<Open> {
        let open = self.lock().open.remove(&id)?;
        if let Asked::Subscribers(thread) = &open.asked {
            let resolved = ServerRequestResolvedNotification {
                thread_id: thread.clone(),
                request_id: RequestId::Integer(id),
            };
            let reach = Reach::Subscribers(thread);
            audience.notify::<method::ServerRequestResolved>(reach, &resolved);
        }
        Some(open)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Withdraws a question when nobody waits for its answer any more.
pub(crate) struct Withdraw {
    pub(super) id: i64,
    pub(super) asks: Arc<Asks>,
    pub(super) audience: Arc<Audience>,
}

impl Drop for Withdraw {
    fn drop(&mut self) {
        self.asks.withdraw(self.id, &self.audience);
    }
}
