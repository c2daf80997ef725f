//! App Server: an agent harness behind a bidirectional JSON-RPC interface, spoken as JSONL on stdio or over WebSockets.
//!
//! # The architecture in one page
//!
//! ```text
//! client line -> transport (frame) -> protocol::rpc (envelope) -> server::router -> handler -> thread actor
//! model stream, tool effects, command output, answers -------------------------------------> thread actor
//! thread actor -> store (append) -> notification, serialized once -> server::audience -> transport (outbox)
//! ```
//!
//! Layers, lowest first; each may use those before it:
//!
//! 0. `util`: time, paths, JSON, tasks.
//! 1. `protocol`: the wire. Types only, and the table of methods from which routing and schemas come.
//! 2. `auth`, `config`, `exec`, `model`, `patch`, `policy`, `sandbox`, `store`, `workspace`: what the agent works with.
//! 3. `extension`, `tools`, `thread`, `threads`: the agent. One task for each loaded thread, the only writer of its state.
//! 4. `server`: connections, dispatch, who hears what.
//! 5. `transport`: bytes in, bytes out.
//! 6. `frontend`, `schema`: clients of our own server, and the types that it hands out.
//!
//! Invariants that hold everywhere: a request is answered exactly once; it is answered before anything that follows
//! from it is told; what a client is told is on disk first; a turn that was started ends exactly once; whatever was
//! spawned has an owner that ends it.

mod auth;
mod cli;
mod config;
mod exec;
mod extension;
mod frontend;
mod logging;
mod mcp;
mod model;
mod patch;
mod policy;
mod protocol;
mod sandbox;
mod schema;
mod server;
mod store;
mod thread;
mod threads;
mod tools;
mod transport;
mod util;
mod workspace;

use std::process::ExitCode;

/// The release of the reference whose protocol and files this server speaks; clients look at it.
pub(crate) const COMPATIBLE_VERSION: &str = "0.169.0";

fn main() -> ExitCode {
    cli::main()
}
