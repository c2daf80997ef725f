//! Servers that are processes: their environment, and what they say besides the protocol.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::ChildStderr;

use super::error::StartError;
use super::key::Key;
use crate::config::McpCommand;
use crate::exec::{Piped, piped};
use crate::util::error::chain;

/// What every server gets of our environment; the rest may hold secrets that are none of its business.
const PASSED_ON: &[&str] = &[
    "HOME",
    "LOGNAME",
    "PATH",
    "SHELL",
    "USER",
    "LANG",
    "LC_ALL",
    "TERM",
    "TMPDIR",
    "TZ",
    "__CF_USER_TEXT_ENCODING",
];
/// How much of one line of a server's diagnostics is kept.
const MAX_LINE: u64 = 4096;

/// Starts a server's process.
pub(super) fn start(key: &Key, command: &McpCommand) -> Result<Piped, StartError> {
    let mut argv = vec![command.command.clone()];
    argv.extend(command.args.iter().cloned());
    piped(&argv, &key.cwd, environment(command)).map_err(|error| {
        StartError::Failed(format!(
            "MCP server `{}` cannot be started: {}",
            key.name,
            chain(&error)
        ))
    })
}

fn environment(command: &McpCommand) -> Vec<(OsString, OsString)> {
    let passed = PASSED_ON.iter().copied().chain(command.env_vars.iter().map(String::as_str));
    let mut all: BTreeMap<OsString, OsString> =
        passed.filter_map(|name| Some((name.into(), env::var_os(name)?))).collect();
    all.extend(command.env.iter().map(|(name, value)| (name.into(), value.into())));
    all.into_iter().collect()
}

/// Logs what a server writes to its standard error, until it ends.
pub(super) async fn log(server: String, stderr: ChildStderr) {
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut stderr).take(MAX_LINE).read_until(b'\n', &mut line).await {
        tracing::debug!(%server, "{}", String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}
