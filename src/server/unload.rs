//! Unloading threads that nobody follows and that do nothing.

use std::sync::Arc;
use std::time::Duration;

use super::Server;
use super::audience::Reach;
use super::handlers::thread::tell_status;
use super::order::OrderKey;
use crate::protocol::{ThreadClosedNotification, ThreadId, ThreadStatus, method};

/// A thread that is busy when its time has come is looked at again after this, at the earliest.
const AGAIN: Duration = Duration::from_secs(1);

/// Unloads a thread after its delay, unless somebody follows it by then.
pub(super) fn when_idle(server: &Arc<Server>, id: ThreadId) {
    let Some((delay, leave)) = server.threads.leave(&id) else { return };
    after(server, Duration::from_secs(delay), id, leave);
}

fn after(server: &Arc<Server>, delay: Duration, id: ThreadId, leave: u64) {
    let waiting = Arc::clone(server);
    server.spawn(async move {
        tokio::time::sleep(delay).await;
        let server = Arc::clone(&waiting);
        // In the thread's lane, so that a request that comes now finds the thread either loaded or gone.
        let key = OrderKey::Thread(id.to_string());
        waiting
            .lanes
            .submit(Some(key), Box::pin(async move { unload(&server, delay, id, leave).await }));
    });
}

async fn unload(server: &Arc<Server>, delay: Duration, id: ThreadId, leave: u64) {
    let Some(handle) = server.threads.get(&id) else { return };
    if server.audience.has_subscribers(&id) || !server.threads.is_last_leave(&id, leave) {
        return;
    }
    if handle.snapshot().await.is_ok_and(|snapshot| snapshot.running.is_some()) {
        return after(server, delay.max(AGAIN), id, leave);
    }
    server.threads.close(&id).await;
    tell_status(server, &id, ThreadStatus::NotLoaded);
    let closed = ThreadClosedNotification { thread_id: id };
    server.audience.notify::<method::ThreadClosed>(Reach::All, &closed);
}
