//! Ownership of spawned tasks: a task ends with the value that owns it.

use std::io;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tokio::task::JoinHandle;

/// A task that is aborted when this guard is dropped.
#[derive(Debug)]
pub(crate) struct AbortOnDrop(JoinHandle<()>);

impl AbortOnDrop {
    /// Spawns `future` as a task of this guard's.
    pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }
}

/// Runs work on files that blocks beside the event loop.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Runs `work` to its end. A panic in it is a defect of ours that must not leave anybody waiting for its outcome:
/// it is logged, and `fallback` is the outcome. `what` names the work for the log.
pub(crate) async fn guarded<T>(
    what: &str,
    work: impl Future<Output = T>,
    fallback: impl FnOnce() -> T,
) -> T {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(what, "panicked");
        fallback()
    })
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_has_an_outcome() {
        assert_eq!(guarded("a test", async { 1 }, || 2).await, 1);
        let panics = async { panic!("as it is meant to be") };
        assert_eq!(guarded("a test", panics, || 2).await, 2);
    }
}
