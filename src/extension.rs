//! What users and projects add to the agent beside its configuration: hooks and skills. Threads use it; it knows no
//! thread.

pub(crate) mod hooks;
pub(crate) mod skills;
