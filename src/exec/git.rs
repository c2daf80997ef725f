//! Asking git, of a repository that may not be trusted: whatever its configuration says, no program of its choice is
//! run, and nothing in it is changed.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::filter::{Filter, Filtered, KEPT, filter};

/// The exit code with which git has done its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Clean = 0,
    Differing = 1,
}

/// What git answers; `None` when it fails, takes longer than `patience` or has more to say than is kept.
pub(crate) async fn git(
    cwd: &Path,
    arguments: &[&str],
    exit: Exit,
    patience: Duration,
) -> Option<String> {
    let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    env.push(("GIT_OPTIONAL_LOCKS".into(), "0".into()));
    let program = ["git", "-c", "core.fsmonitor=false"];
    let request = Filter {
        argv: program.iter().chain(arguments).map(|&word| word.to_owned()).collect(),
        cwd: cwd.to_owned(),
        env,
        input: Vec::new(),
        timeout: patience,
    };
    match filter(request).await.ok()? {
        Filtered::Ended { code, stdout, .. } if code == exit as i32 => {
            (stdout.len() < KEPT).then_some(stdout)
        }
        Filtered::Ended { .. } | Filtered::TimedOut => None,
    }
}
