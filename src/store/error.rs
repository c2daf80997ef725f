//! What can go wrong between a thread and its files.

use std::{io, path::PathBuf};

use super::lock::Holder;
use crate::protocol::ThreadId;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("no rollout found for thread id {0}")]
    NotFound(ThreadId),
    #[error("no archived rollout found for thread id {0}")]
    NotArchived(ThreadId),
    #[error("session {0} is archived. Run `codex unarchive {0}` to unarchive it first.")]
    Archived(ThreadId),
    #[error("thread {id} already has an active writer")]
    Locked { id: ThreadId, holder: Option<Holder> },
    #[error("failed to resolve rollout path `{}`: file does not exist", .0.display())]
    NoSuchPath(PathBuf),
    #[error("failed to read thread {}: {reason}", .path.display())]
    Invalid { path: PathBuf, reason: String },
    #[error("invalid cursor: {0}")]
    Cursor(String),
    /// What a client asks for contradicts what there is.
    #[error("{0}")]
    Refused(String),
    /// What a client asks for makes no sense.
    #[error("{0}")]
    InvalidParams(String),
    #[error("cannot delete thread {0}: forked history still references it")]
    Referenced(ThreadId),
    #[error("the database of threads cannot be used: {0}")]
    Database(String),
    #[error("failed to access {}", .path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl Error {
    pub(crate) fn invalid(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Invalid { path: path.into(), reason: reason.into() }
    }

    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused(reason.into())
    }

    pub(crate) fn invalid_params(reason: impl Into<String>) -> Self {
        Self::InvalidParams(reason.into())
    }

    /// For `map_err`: an I/O error on `path`.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.into(), source }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}
