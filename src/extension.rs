//! What users and projects add to the agent beside its configuration. Threads use it; it knows no thread.

pub(crate) mod skills;
