//! The files of the host: what can be learned of the folder that a thread works in, and what clients do with files.

pub(crate) mod files;
pub(crate) mod git;
pub(crate) mod pattern;
pub(crate) mod search;
pub(crate) mod watch;
