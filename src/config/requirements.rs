//! Requirements: what an administrator allows on this machine, whatever users configure. This server does not know how
//! to hold them, so it does not run where there are some.

use std::path::Path;

/// Where administrators write them.
const FILE: &str = "/etc/codex/requirements.toml";

/// There are requirements, and going on would be ignoring them.
#[derive(Debug, thiserror::Error)]
#[error("{FILE} has requirements, which this server cannot hold yet")]
pub(crate) struct Unheld;

/// Refuses to go on where there are requirements.
pub(crate) fn check() -> Result<(), Unheld> {
    if Path::new(FILE).exists() { Err(Unheld) } else { Ok(()) }
}
