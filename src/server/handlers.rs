//! What each method does, one file for each resource. Plain async functions of context and params.

pub(super) mod attachment;
pub(super) mod command;
pub(super) mod config;
pub(super) mod fs;
pub(super) mod goal;
pub(super) mod hook;
pub(super) mod initialize;
pub(super) mod mcp;
pub(super) mod mcp_status;
pub(super) mod model;
mod page;
pub(super) mod permission;
pub(super) mod process;
pub(super) mod project;
pub(super) mod queue;
pub(crate) mod search;
pub(super) mod section;
pub(super) mod skill;
pub(super) mod terminal;
pub(super) mod thread;
pub(super) mod thread_archive;
pub(super) mod thread_list;
pub(super) mod thread_metadata;
pub(super) mod thread_settings;
pub(super) mod turn;
mod turns_page;
