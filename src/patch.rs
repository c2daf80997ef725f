//! Edits in the patch format that models write: reading the text, finding its places in files, writing the result.
//!
//! `parse` knows text only, `locate` knows lines only, `apply` knows files, `heredoc` knows shell scripts that are
//! patches in disguise, `progress` reads text that is still being written, `unified` prints
//! differences. Nothing here knows threads, approvals or what a client is told
//! beyond the list of changes. All of it blocks: callers run it where blocking is allowed.

mod apply;
mod heredoc;
mod locate;
mod parse;
mod progress;
#[cfg(test)]
mod tests;
mod unified;

use std::path::PathBuf;

pub(crate) use apply::{Edit, Plan, Snapshot};
pub(crate) use heredoc::{Script, intercept};
pub(crate) use parse::parse;
pub(crate) use progress::Progress;
pub(crate) use unified::unified;

/// A patch as it was written: paths as spelled, nothing checked against files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Patch {
    pub(crate) hunks: Vec<Hunk>,
}

/// What a patch does to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hunk {
    Add { path: String, content: String },
    Delete { path: String },
    Update { path: String, move_to: Option<String>, chunks: Vec<Chunk> },
}

impl Hunk {
    /// The path that the hunk is about, as spelled.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Add { path, .. } | Self::Delete { path } | Self::Update { path, .. } => path,
        }
    }
}

/// One place of an update: lines to find and what becomes of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// A line that stands somewhere before the place.
    pub(crate) context: Option<String>,
    pub(crate) lines: Vec<Line>,
    /// Whether the place is the end of the file.
    pub(crate) at_end: bool,
}

/// A line of a chunk, without its sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    Context(String),
    Removed(String),
    Added(String),
}

/// Why a patch cannot be read, located or written. The texts are read by models, so they say what to change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("patch rejected: empty patch")]
    Empty,
    #[error(
        "the patch names an environment, but this turn has only one: leave the `*** Environment ID` line out"
    )]
    Environment,
    #[error("invalid patch: {0}")]
    Malformed(String),
    #[error("invalid hunk at line {line}, {problem}")]
    Hunk { line: usize, problem: String },
    #[error("Failed to find context '{context}' in {}", path.display())]
    Context { context: String, path: PathBuf },
    #[error("Failed to find expected lines in {}:\n{lines}", path.display())]
    Lines { lines: String, path: PathBuf },
    #[error("Failed to read {}: {reason}", path.display())]
    Read { path: PathBuf, reason: String },
    #[error("Failed to write {}: {reason}", path.display())]
    Write { path: PathBuf, reason: String },
}

impl Error {
    /// The answer to a call whose patch failed its check.
    pub(crate) fn refusal(&self) -> String {
        match self {
            Self::Empty | Self::Environment => self.to_string(),
            Self::Malformed(_)
            | Self::Hunk { .. }
            | Self::Context { .. }
            | Self::Lines { .. }
            | Self::Read { .. }
            | Self::Write { .. } => format!("apply_patch verification failed: {self}"),
        }
    }
}
