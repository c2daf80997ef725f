//! How messages get in and out: framing, queues, and the links over stdio and sockets.
//!
//! A connection, as the server sees it, is an [`Outbox`] to write lines to and a stream of [`Incoming`] lines to
//! read. What a line means is no concern of this layer.

pub(crate) mod auth;
pub(crate) mod frame;
pub(crate) mod outbox;
pub(crate) mod proxy;
pub(crate) mod socket;
pub(crate) mod stdio;
pub(crate) mod websocket;

pub(crate) use outbox::Outbox;

use bytes::Bytes;
use tokio::sync::mpsc;

/// Lines that may wait for the connection before [`Overflow`] decides.
const INBOX: usize = 128;

/// Asked when the inbox is full. `true` when the line has been dealt with (answered as overloaded) and is not to be
/// queued; otherwise the reader waits for room.
pub(crate) type Overflow = Box<dyn Fn(&Bytes) -> bool + Send + Sync>;

/// The queue between a link and the connection that it serves.
pub(crate) fn inbox() -> (mpsc::Sender<Incoming>, mpsc::Receiver<Incoming>) {
    mpsc::channel(INBOX)
}

/// What became of a line that was offered to a connection.
enum Offered {
    /// It is in the queue, or has been answered as one too many.
    Done,
    /// There is no room, and the link has to wait for it.
    Full(Incoming),
    /// Nobody reads any more.
    Gone,
}

/// Offers a line to the connection, without waiting.
fn offer(inbox: &mpsc::Sender<Incoming>, line: Bytes, overflow: &Overflow) -> Offered {
    match inbox.try_send(Incoming::Line(line)) {
        Ok(()) => Offered::Done,
        Err(mpsc::error::TrySendError::Closed(_)) => Offered::Gone,
        Err(mpsc::error::TrySendError::Full(incoming)) => match &incoming {
            Incoming::Line(line) if overflow(line) => Offered::Done,
            Incoming::Line(_) | Incoming::End => Offered::Full(incoming),
        },
    }
}

/// What a link delivers to the connection that it serves.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// One frame, without its line end.
    Line(Bytes),
    /// The peer has closed its side; nothing follows.
    End,
}
