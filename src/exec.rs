//! Commands as processes: one request in, a stream of output and exactly one end out.
//!
//! Knows processes, pipes, terminals and text; knows nothing of threads, items, approvals or clients. Every command
//! leads its own session and process group, and nothing of the group outlives its [`Session`] or this process.

mod client;
mod descendants;
mod env;
mod filter;
mod git;
mod group;
mod input;
mod output;
mod piped;
mod processes;
mod pty;
mod session;
mod shell;
mod signals;
mod spawn;
mod stream;
mod terminals;

pub(crate) use client::{
    ClientEnd, ClientIo, ClientOutput, ClientProcess, ClientSpawn, Delta, Running, Source,
};
pub(crate) use descendants::{adopt as adopt_orphans, end_all as end_descendants};
pub(crate) use env::{EnvironmentPolicy, Identity, base_set, shell_environment};
pub(crate) use filter::{Filter, Filtered, filter};
pub(crate) use git::{Exit as GitExit, git};
pub(crate) use input::{InputError, Written};
pub(crate) use output::{Truncation, cut_middle, tokens, truncate_for_model, without_middle};
pub(crate) use piped::{Lifetime, Piped, closed, piped};
pub(crate) use processes::{Place, Processes, Refusal};
pub(crate) use session::{Collected, Session, SessionEvent, SessionEventKind, WriteError};
pub(crate) use shell::{Shell, Startup};
pub(crate) use spawn::{Confined, Io, Spawn};
pub(crate) use terminals::Terminals;
