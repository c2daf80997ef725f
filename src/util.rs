//! Small pieces that every layer may use and that know nothing of ours: time, paths, files, finding texts, JSON,
//! hex, tasks, errors, addresses, TLS, HTTP clients, secrets and their files.

pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod find;
pub(crate) mod hex;
pub(crate) mod json;
pub(crate) mod net;
pub(crate) mod path;
pub(crate) mod private;
pub(crate) mod secret;
pub(crate) mod task;
pub(crate) mod time;
pub(crate) mod tls;
pub(crate) mod web;
