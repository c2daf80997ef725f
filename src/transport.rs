//! How messages get in and out: framing, queues, and the stdio link.
//!
//! A connection, as the server sees it, is an [`Outbox`] to write lines to and a stream of [`Incoming`] lines to
//! read. What a line means is no concern of this layer.

pub(crate) mod frame;
pub(crate) mod outbox;
pub(crate) mod stdio;

pub(crate) use outbox::Outbox;

use bytes::Bytes;

/// What a link delivers to the connection that it serves.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// One frame, without its line end.
    Line(Bytes),
    /// The peer has closed its side; nothing follows.
    End,
}
