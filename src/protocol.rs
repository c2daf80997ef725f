//! The wire: what clients and server say to one another, as types.
//!
//! A type has the name that it has in the generated schemas, and its doc comment is the schema's description. Types
//! know how they are written in JSON and what makes them invalid; they know nothing of files, processes, threads or
//! connections. Every type is re-exported here, so that users write `protocol::Turn`. [`methods`] is the one table of
//! methods; everything that lists methods reads it.

pub(crate) mod error;
pub(crate) mod method;
pub(crate) mod methods;
pub(crate) mod rpc;
pub(crate) mod stability;

mod account;
mod app;
mod approval;
mod auto_review;
mod config;
mod diagnostics;
mod environment;
mod feature;
mod feedback;
mod fs;
mod hook;
mod id;
mod initialize;
mod item;
mod legacy;
mod mcp;
mod memory;
mod model;
mod notice;
mod path;
mod permission;
mod process;
mod project;
mod question;
mod remote_control;
mod response_item;
mod review;
mod search;
mod skill;
mod thread;
mod turn;
mod user_verification;
mod windows;

pub(crate) use account::*;
pub(crate) use app::*;
pub(crate) use approval::*;
pub(crate) use auto_review::*;
pub(crate) use config::*;
pub(crate) use diagnostics::*;
pub(crate) use environment::*;
pub(crate) use feature::*;
pub(crate) use feedback::*;
pub(crate) use fs::*;
pub(crate) use hook::*;
pub(crate) use id::*;
pub(crate) use initialize::*;
pub(crate) use item::*;
pub(crate) use legacy::*;
pub(crate) use mcp::*;
pub(crate) use memory::*;
pub(crate) use method::{NoParams, Notification, Request};
pub(crate) use model::*;
pub(crate) use notice::*;
pub(crate) use path::*;
pub(crate) use permission::*;
pub(crate) use process::*;
pub(crate) use project::*;
pub(crate) use question::*;
pub(crate) use remote_control::*;
pub(crate) use response_item::*;
pub(crate) use review::*;
pub(crate) use search::*;
pub(crate) use skill::*;
pub(crate) use thread::*;
pub(crate) use turn::*;
pub(crate) use user_verification::*;
pub(crate) use windows::*;

use serde::{Deserialize, Deserializer};

/// Reads a member whose `null` differs from its absence: absent is `None`, `null` is `Some(None)`.
fn double_option<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Deserialize::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests;
