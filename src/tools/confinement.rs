//! Which confinement a sandbox policy calls for, and whether this machine can enforce it.
//!
//! For every command that is run for a model or a client.

use std::path::PathBuf;

use crate::config::profile::FileRule;
use crate::policy::roots::WritableRoot;
use crate::policy::writable::{PROTECTED, git_folder};
use crate::protocol::{FileSystemAccessMode, SandboxPolicy};
use crate::sandbox::{self, Access, Confinement, Method, Missing, Network, Rule};

/// The confinement of commands, or `None` where the policy calls for none. Looks at the disk.
pub(crate) fn confinement(
    policy: &SandboxPolicy,
    roots: &[WritableRoot],
    files: &[FileRule],
) -> Option<Confinement> {
    let network = match policy {
        SandboxPolicy::DangerFullAccess | SandboxPolicy::ExternalSandbox { .. } => return None,
        SandboxPolicy::ReadOnly { network_access }
        | SandboxPolicy::WorkspaceWrite { network_access, .. } => match network_access {
            true => Network::Open,
            false => Network::Closed,
        },
    };
    let mut rules: Vec<Rule> = roots.iter().flat_map(guards).collect();
    // After the guards: a root that is itself a guarded place is meant to be written.
    rules.extend(roots.iter().filter_map(WritableRoot::path).map(writable));
    rules.extend(files.iter().map(|rule| Rule {
        path: rule.path.clone(),
        access: match rule.access {
            FileSystemAccessMode::Read => Access::Read,
            FileSystemAccessMode::Write => Access::Write,
            FileSystemAccessMode::Deny => Access::Deny,
        },
    }));
    Some(Confinement { rules, network })
}

fn writable(path: PathBuf) -> Rule {
    Rule { path, access: Access::Write }
}

/// What stays read-only within a writable root. Nothing is kept from being made in temporary folders, which belong to
/// everybody.
fn guards(root: &WritableRoot) -> Vec<Rule> {
    let Some(folder) = root.path() else { return Vec::new() };
    let access = match root {
        WritableRoot::Workspace(_) => Access::Guard,
        WritableRoot::SlashTmp | WritableRoot::TmpDir => Access::Read,
    };
    PROTECTED
        .iter()
        .map(|name| folder.join(name))
        .chain(git_folder(&folder))
        .map(|path| Rule { path, access })
        .collect()
}

/// How a confinement is enforced here.
pub(crate) async fn enforceable(confinement: &Confinement) -> Result<Method, Missing> {
    let confinement = confinement.clone();
    tokio::task::spawn_blocking(move || sandbox::enforceable(&confinement))
        .await
        .unwrap_or_else(|error| Err(Missing::Everything(error.to_string())))
}
