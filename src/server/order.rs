//! Keyed lanes: requests with the same key run one after the other in order of arrival, all others side by side.
//!
//! A lane exists only while it has work, so that no lane is left behind for threads that nobody uses any more.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::connection::ConnectionId;
use crate::util::task::guarded;

/// A request's work, ready to run.
pub(crate) type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a request must not overlap with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum OrderKey {
    /// Everything that acts on one thread.
    Thread(String),
    /// Who is signed in.
    Account,
    /// What reads or writes the configuration for clients.
    Config,
    /// One search that follows what the user types.
    Search(String),
    /// One watch of a connection.
    Watch(ConnectionId, String),
}

#[derive(Clone, Default)]
pub(crate) struct Lanes {
    waiting: Arc<Mutex<HashMap<OrderKey, VecDeque<Job>>>>,
    tasks: TaskTracker,
}

impl Lanes {
    /// Runs `job` after every earlier job with the same key; at once without one.
    pub(crate) fn submit(&self, key: Option<OrderKey>, job: Job) {
        let Some(key) = key else {
            self.tasks.spawn(job);
            return;
        };
        {
            let mut waiting = self.lock();
            if let Some(lane) = waiting.get_mut(&key) {
                lane.push_back(job);
                return;
            }
            waiting.insert(key.clone(), VecDeque::new());
        }
        let lanes = self.clone();
        self.tasks.spawn(async move {
            run(job).await;
            while let Some(next) = lanes.next(&key) {
                run(next).await;
            }
        });
    }

    /// How many jobs wait for one before them.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().values().map(VecDeque::len).sum()
    }

    /// Waits until every job that has been submitted is done, at most as long as an orderly end may take.
    pub(crate) async fn settle(&self) {
        const PATIENCE: Duration = Duration::from_secs(1);
        self.tasks.close();
        let _timeout = tokio::time::timeout(PATIENCE, self.tasks.wait()).await;
        self.tasks.reopen();
    }

    /// The next job of a lane; removes the lane when there is none.
    fn next(&self, key: &OrderKey) -> Option<Job> {
        let mut waiting = self.lock();
        let next = waiting.get_mut(key).and_then(VecDeque::pop_front);
        if next.is_none() {
            waiting.remove(key);
        }
        next
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrderKey, VecDeque<Job>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that panics costs nobody behind it their turn.
async fn run(job: Job) {
    guarded("a request", job, || ()).await;
}

#[cfg(test)]
mod tests {
    use tokio::sync::{mpsc, oneshot};

    use super::*;

    fn thread(name: &str) -> Option<OrderKey> {
        Some(OrderKey::Thread(name.to_owned()))
    }

    #[tokio::test]
    async fn a_lane_is_first_in_first_out_and_lanes_do_not_wait_for_each_other() {
        let lanes = Lanes::default();
        let (tx, mut rx) = mpsc::unbounded_channel();
        let (open, gate) = oneshot::channel::<()>();
        let say = |what: &'static str| {
            let tx = tx.clone();
            async move { tx.send(what).unwrap() }
        };
        let first = say("a1");
        lanes.submit(
            thread("a"),
            Box::pin(async move {
                gate.await.unwrap();
                first.await;
            }),
        );
        lanes.submit(thread("a"), Box::pin(say("a2")));
        lanes.submit(thread("b"), Box::pin(say("b")));
        lanes.submit(None, Box::pin(say("free")));
        let mut early = [rx.recv().await.unwrap(), rx.recv().await.unwrap()];
        early.sort_unstable();
        assert_eq!(early, ["b", "free"]);
        open.send(()).unwrap();
        assert_eq!([rx.recv().await.unwrap(), rx.recv().await.unwrap()], ["a1", "a2"]);
    }

    #[tokio::test]
    async fn no_lane_is_left_behind() {
        let lanes = Lanes::default();
        for _ in 0..100 {
            lanes.submit(thread("a"), Box::pin(async {}));
        }
        lanes.tasks.close();
        lanes.tasks.wait().await;
        assert!(lanes.lock().is_empty());
    }
}
