//! The queue between everybody who has something to tell a peer and the one writer of its link.
//!
//! Bounded by bytes, in a way that never drops and never blocks a sender in the middle of its work: pushing always
//! succeeds, and whoever is about to produce more first awaits [`Outbox::room`]. So the queue exceeds its bound by
//! at most what each producer makes of one input, and a peer that does not read stalls its producers, not the server.
//! Where several peers listen to one producer, a slow one is waited for with [`Outbox::room_for_others`]: it must not
//! hold up the rest for long, and is given up.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many bytes may wait before producers are asked to pause.
const HIGH_WATER: usize = 1024 * 1024;
/// How many bytes the writer takes at a time: what it holds counts for nobody.
const BATCH: usize = 256 * 1024;
/// How long a peer that others listen beside may keep its queue full.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    queue: Mutex<Queue>,
    /// Wakes the writer: there is something to write, or the end has come.
    filled: Notify,
    /// Wakes producers: there is room again.
    drained: Notify,
    /// Wakes the writer in the middle of a line: the peer has been given up.
    given_up: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<Bytes>,
    bytes: usize,
    /// Since when the queue has been above its bound.
    full_since: Option<Instant>,
    closed: bool,
}

impl Queue {
    /// Whether there was anything to take.
    fn take(&mut self, batch: &mut Vec<Bytes>) -> bool {
        let mut taken = 0;
        while taken < BATCH
            && let Some(line) = self.lines.pop_front()
        {
            taken += line.len();
            batch.push(line);
        }
        self.bytes -= taken;
        if self.bytes <= HIGH_WATER {
            self.full_since = None;
        }
        taken > 0
    }
}

impl Outbox {
    /// Queues one line, line end included. After [`Outbox::close`] the line is dropped.
    pub(crate) fn push(&self, line: Bytes) {
        {
            let mut queue = self.lock();
            if queue.closed {
                return;
            }
            queue.bytes += line.len();
            queue.lines.push_back(line);
            if queue.bytes > HIGH_WATER {
                queue.full_since.get_or_insert_with(Instant::now);
            }
        }
        self.filled.notify_one();
    }

    /// Whether producers should await [`Outbox::room`].
    pub(crate) fn is_full(&self) -> bool {
        let queue = self.lock();
        queue.bytes > HIGH_WATER && !queue.closed
    }

    /// Waits until the queue is below its bound (or closed).
    pub(crate) async fn room(&self) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            // Registers before looking, so that a drain between the look and the wait is not missed.
            drained.as_mut().enable();
            if !self.is_full() {
                return;
            }
            drained.await;
        }
    }

    /// As [`Outbox::room`], on behalf of producers that others wait for, too: a peer that has kept its queue full for too
    /// long is given up. Its queue is dropped, and its writer told.
    pub(crate) async fn room_for_others(&self) {
        let full_since = self.lock().full_since;
        let Some(full_since) = full_since else { return };
        if tokio::time::timeout_at(full_since + PATIENCE, self.room()).await.is_err() {
            self.drop_all();
            self.close();
            self.given_up.notify_one();
        }
    }

    /// Waits until the peer has been given up.
    pub(crate) async fn given_up(&self) {
        self.given_up.notified().await;
    }

    /// Moves waiting lines to `batch`, as many as should be written at once; waits for the first one. `false` once the
    /// outbox is closed and empty.
    pub(crate) async fn drain(&self, batch: &mut Vec<Bytes>) -> bool {
        loop {
            {
                let mut queue = self.lock();
                if queue.take(batch) {
                    break;
                }
                if queue.closed {
                    return false;
                }
            }
            self.filled.notified().await;
        }
        self.drained.notify_waiters();
        true
    }

    /// Takes no more lines; what is queued may still be drained.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_one();
        self.drained.notify_waiters();
    }

    fn drop_all(&self) {
        let mut queue = self.lock();
        queue.lines.clear();
        queue.bytes = 0;
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic while the lock was held cannot leave the queue half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn keeps_order_and_ends_after_the_last_line() {
        let outbox = Outbox::default();
        outbox.push(Bytes::from_static(b"a\n"));
        outbox.push(Bytes::from_static(b"b\n"));
        outbox.close();
        outbox.push(Bytes::from_static(b"late\n"));
        let mut batch = Vec::new();
        assert!(outbox.drain(&mut batch).await);
        assert_eq!(batch, ["a\n", "b\n"]);
        assert!(!outbox.drain(&mut batch).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_outbox_holds_producers_until_it_is_drained() {
        let outbox = Arc::new(Outbox::default());
        outbox.push(Bytes::from(vec![0; HIGH_WATER + 1]));
        assert!(tokio::time::timeout(Duration::from_secs(1), outbox.room()).await.is_err());
        let waiting = tokio::spawn({
            let outbox = Arc::clone(&outbox);
            async move { outbox.room().await }
        });
        tokio::task::yield_now().await;
        assert!(outbox.drain(&mut Vec::new()).await);
        waiting.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_up_others_is_given_up() {
        let outbox = Outbox::default();
        let big = Bytes::from(vec![0; HIGH_WATER + 1]);
        outbox.push(big.clone());
        let began = Instant::now();
        // However often its producers are interrupted in their waiting, the clock runs on.
        let interrupted = tokio::time::timeout(Duration::from_secs(3), outbox.room_for_others());
        assert!(interrupted.await.is_err());
        let mut batch = Vec::new();
        assert!(outbox.drain(&mut batch).await);
        outbox.room_for_others().await;
        outbox.push(big);
        tokio::join!(outbox.room_for_others(), outbox.given_up());
        assert_eq!(began.elapsed(), Duration::from_secs(3) + PATIENCE, "it was patient anew");
        assert!(!outbox.drain(&mut batch).await, "what waited is dropped");
    }
}
