//! What can be learned of the folder that a thread works in.

pub(crate) mod git;
