//! What a client types into its process: a bounded queue, and the one task that writes it.

use std::io;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::stream::Stream;
use crate::util::task::AbortOnDrop;

/// How many writes may wait for a process that does not read.
const MAX_WAITING: usize = 64;
/// What the end-of-file key types.
const END_OF_FILE: &[u8] = b"\x04";

/// Tells when something has been written, or why it was not.
pub(crate) type Written = oneshot::Receiver<Result<(), InputError>>;

/// Why something could not be typed into a process.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error("stdin is already closed")]
    Closed,
    #[error("too much input is waiting for the process to read")]
    Full,
    #[error("failed to write stdin: {0}")]
    Io(#[source] io::Error),
}

/// The input of a process.
#[derive(Debug)]
pub(super) struct Input {
    queue: mpsc::Sender<Entry>,
    _writer: AbortOnDrop,
}

#[derive(Debug)]
struct Entry {
    bytes: Vec<u8>,
    close: bool,
    done: oneshot::Sender<Result<(), InputError>>,
}

impl Input {
    /// The input of a process that reads a pipe.
    pub(super) fn pipe(stream: Arc<Stream>) -> Self {
        Self::new(stream, b"")
    }

    /// The input of a process that reads a terminal, which stays open.
    pub(super) fn terminal(stream: Arc<Stream>) -> Self {
        Self::new(stream, END_OF_FILE)
    }

    fn new(stream: Arc<Stream>, farewell: &'static [u8]) -> Self {
        let (queue, entries) = mpsc::channel(MAX_WAITING);
        Self { queue, _writer: AbortOnDrop::spawn(write(stream, farewell, entries)) }
    }

    pub(super) fn queue(&self, bytes: Vec<u8>, close: bool) -> Result<Written, InputError> {
        let (done, written) = oneshot::channel();
        self.queue.try_send(Entry { bytes, close, done }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => InputError::Full,
            mpsc::error::TrySendError::Closed(_) => InputError::Closed,
        })?;
        Ok(written)
    }
}

/// Writes until the input is closed. Dropping the stream closes a pipe.
async fn write(stream: Arc<Stream>, farewell: &'static [u8], mut entries: mpsc::Receiver<Entry>) {
    while let Some(Entry { bytes, close, done }) = entries.recv().await {
        let mut written = stream.write(&bytes).await;
        if close && written.is_ok() {
            written = stream.write(farewell).await;
        }
        let over = close || written.is_err();
        if over {
            entries.close();
        }
        let _nobody_asks = done.send(written.map_err(InputError::Io));
        if over {
            return;
        }
    }
}
