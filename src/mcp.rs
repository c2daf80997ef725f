//! Servers of the Model Context Protocol: reaching them, and what their tools and resources give.
//!
//! # Who shares what
//!
//! A server is a process (or an HTTP session) per *transport*: the same name, the same command or address, and for a
//! command the same working directory. All threads for which these are the same share one [`Connection`], so fifty
//! threads in one folder with the same three servers run three processes, not a hundred and fifty. What threads may
//! differ in is kept apart from the connection, per thread: which tools count, timeouts, approvals, and what the user
//! has been asked. Two things follow, both on purpose:
//!
//! * a server's own state is shared by the threads of one folder, as the folder itself is;
//! * over stdio a question of the server's does not say which call it is about. It goes to the thread whose call is
//!   open; when calls of several threads are, it is declined rather than put to the wrong user.
//!
//! A connection ends when the last thread that uses it is gone; one that broke is made anew at its next use.
//!
//! `connection`, `http`, `grants` and `sign_in` speak to the SDK; nothing else in the crate names it. This module knows neither
//! threads nor clients: what happens is told by [`Report`]s, and whoever calls a tool is a [`Caller`].

mod caller;
mod catalogue;
mod connection;
mod error;
mod grants;
mod http;
mod key;
mod name;
mod pool;
mod servers;
mod sign_in;
mod stdio;

pub(crate) use caller::{Caller, Elicitation, Reply, ReplyAction};
pub(crate) use catalogue::{Catalogue, Target};
pub(crate) use connection::{CallResult, List, ToolCall};
pub(crate) use error::{CallError, StartError};
pub(crate) use pool::Pool;
pub(crate) use servers::{Report, ReportStatus, Servers, Standing};
pub(crate) use sign_in::{SignIn, Wish};
