//! Confinement of commands: from what a command may touch to a process that can touch no more.
//!
//! A command is confined by starting this program again in a hidden mode, which shuts itself in and then becomes the
//! command; nothing of it runs in the server. Three ways of shutting in are known, the first that works here is taken:
//! `bwrap` where it is installed, namespaces of our own making, and Landlock for policies without exceptions. Where
//! none can enforce a policy, [`enforceable`] says what is missing, and nothing runs.
//!
//! Knows paths and processes; which command gets which confinement is decided by others.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

#[cfg(target_os = "linux")]
mod bubblewrap;
#[cfg(target_os = "linux")]
mod helper;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod namespace;
#[cfg(target_os = "linux")]
mod placeholder;
#[cfg(target_os = "linux")]
mod probe;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(not(target_os = "linux"))]
mod unsupported;

#[cfg(target_os = "linux")]
pub(crate) use helper::run as run_helper;
#[cfg(target_os = "linux")]
pub(crate) use probe::enforceable;
#[cfg(not(target_os = "linux"))]
pub(crate) use unsupported::{enforceable, run as run_helper};

/// The hidden command of this program that confines itself and then becomes a command.
pub(crate) const HELPER: &str = "confined";

/// What a command may touch. What no rule names may be read and not written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Confinement {
    /// Of two rules about a path, the one about the longer path counts.
    pub(crate) rules: Vec<Rule>,
    pub(crate) network: Network,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// Absolute. A path that does not exist is skipped, unless it is guarded.
    pub(crate) path: PathBuf,
    pub(crate) access: Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Access {
    Write,
    /// Only to be read.
    Read,
    /// Only to be read, and not to be made when it does not exist.
    Guard,
    /// Not even to be read.
    Deny,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum Network {
    Open,
    #[default]
    Closed,
}

/// How a command is shut in on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Method {
    /// By this `bwrap`.
    Bubblewrap(PathBuf),
    Namespaces,
    /// Cannot make exceptions below what may be written, nor hide what may be read.
    Landlock,
    /// Only the filter of system calls, for what is confined otherwise.
    Filter,
}

/// Why a confinement cannot be enforced on this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Missing {
    #[error(
        "this machine lets no program make namespaces, has no working bwrap, and no Landlock ({0})"
    )]
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "for Linux"))]
    Everything(String),
    #[error(
        "this machine has Landlock but lets no program make namespaces and has no working bwrap, so exceptions such as \
         a protected .git folder cannot be enforced ({0})"
    )]
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "for Linux"))]
    Exceptions(String),
    #[error("confining commands is not supported on this system")]
    #[cfg_attr(target_os = "linux", expect(dead_code, reason = "for other systems"))]
    System,
}

impl Confinement {
    /// The rules about anything but everything, those about shorter paths first.
    #[cfg(target_os = "linux")]
    fn by_depth(&self) -> Vec<&Rule> {
        let mut rules: Vec<&Rule> =
            self.rules.iter().filter(|rule| rule.path.parent().is_some()).collect();
        rules.sort_by_key(|rule| rule.path.components().count());
        rules
    }

    /// Whether everything may be written but for what other rules say.
    #[cfg(target_os = "linux")]
    fn writes_everywhere(&self) -> bool {
        self.rules.iter().any(|rule| rule.access == Access::Write && rule.path.parent().is_none())
    }

    /// Whether something below a writable path is not writable, or something may not be read.
    #[cfg(target_os = "linux")]
    fn has_exceptions(&self) -> bool {
        let writable = |path: &std::path::Path| {
            self.rules
                .iter()
                .any(|rule| rule.access == Access::Write && path.starts_with(&rule.path))
        };
        self.rules.iter().any(|rule| match rule.access {
            Access::Write => false,
            Access::Deny => true,
            Access::Read | Access::Guard => writable(&rule.path),
        })
    }
}

/// The command line that runs `argv` in `cwd` under a confinement.
pub(crate) fn confined(
    confinement: Confinement,
    method: Method,
    cwd: PathBuf,
    argv: Vec<String>,
) -> Vec<String> {
    let request = Request { confinement, method, cwd };
    let request = serde_json::to_string(&request).unwrap_or_default();
    let head = ["/proc/self/exe".to_owned(), HELPER.to_owned(), request, "--".to_owned()];
    head.into_iter().chain(argv).collect()
}

/// What the helper is told by its command line.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    confinement: Confinement,
    method: Method,
    cwd: PathBuf,
}
