//! What goes wrong with servers.

use std::time::Duration;

use serde_json::Value;

/// Why a server is not there. The same failure may be told to several threads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StartError {
    #[error("{0}")]
    Failed(String),
    #[error("the server did not answer within {}", seconds(*.0))]
    TimedOut(Duration),
    #[error("The {0} MCP server is not logged in. Run `codex mcp login {0}`.")]
    NotLoggedIn(String),
    #[error("Environment variable {variable} for MCP server '{server}' is not set")]
    MissingVariable { server: String, variable: String },
}

/// Why a call brought no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The server's own error.
    #[error("{message}")]
    Refused { code: i64, message: String, data: Option<Value> },
    #[error("timed out awaiting {method} after {}", seconds(*.after))]
    TimedOut { method: &'static str, after: Duration },
    #[error("Transport closed")]
    Closed,
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("unknown MCP server '{0}'")]
    UnknownServer(String),
    #[error("tool '{tool}' is disabled for MCP server '{server}'")]
    Disabled { server: String, tool: String },
    #[error("the server's answer is not understood")]
    Odd,
    #[error("{0}")]
    Other(String),
}

fn seconds(duration: Duration) -> String {
    match duration.as_millis() {
        exact if exact % 1000 == 0 => format!("{}s", exact / 1000),
        exact => format!("{exact}ms"),
    }
}
