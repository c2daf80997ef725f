//! The demonstration: the real server as a child process, driven as an IDE would drive it.

/// How the session is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    Transcript,
    Lines,
}

#[derive(Debug, thiserror::Error)]
#[error("the demonstration failed")]
pub(crate) struct Error;

pub(crate) fn run(_show: Show) -> Result<(), Error> {
    Err(Error)
}
