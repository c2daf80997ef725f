//! Small pieces that every layer may use and that know nothing of ours: time, paths, JSON, tasks, errors, TLS.

pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod path;
pub(crate) mod task;
pub(crate) mod time;
pub(crate) mod tls;
