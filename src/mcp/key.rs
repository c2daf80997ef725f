//! What makes two servers the same, so that they share a connection.

use std::path::{Path, PathBuf};

use crate::config::{McpServer, McpTransport};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) transport: McpTransport,
    /// Where a command runs.
    pub(super) cwd: PathBuf,
}

impl Key {
    pub(super) fn new(name: &str, server: &McpServer, cwd: &Path) -> Self {
        let cwd = match &server.transport {
            McpTransport::Stdio(command) => {
                crate::util::path::absolute(cwd, command.cwd.as_deref().unwrap_or(Path::new("")))
            }
            // An address is the same from everywhere.
            McpTransport::Http(_) => PathBuf::new(),
        };
        Self { name: name.to_owned(), transport: server.transport.clone(), cwd }
    }
}
