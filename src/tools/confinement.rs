//! How commands are shut in: from what a sandbox policy and a permission profile say to what this machine enforces.
//!
//! For every command that is run for a model, a client or the user. Blocks.

use std::path::PathBuf;

use crate::config::profile::FileRule;
use crate::exec::Confined;
use crate::policy::roots::{WritableRoot, writable_roots};
use crate::policy::widening::Widening;
use crate::policy::writable::{PROTECTED, git_folder};
use crate::protocol::{FileSystemAccessMode, SandboxPolicy};
use crate::sandbox::{self, Access, Confinement, Missing, Network, Rule};
use crate::workspace::pattern::matches;

/// How commands in a workspace of these folders are shut in; `None` where the policy calls for nothing. Looks at the
/// disk, and the first time tries what works here.
pub(crate) fn confined(
    policy: &SandboxPolicy,
    workspace: &[PathBuf],
    files: &[FileRule],
) -> Result<Option<Confined>, Missing> {
    widened(policy, workspace, files, &Widening::default())
}

/// The same for commands that may do more than that.
pub(super) fn widened(
    policy: &SandboxPolicy,
    workspace: &[PathBuf],
    files: &[FileRule],
    widening: &Widening,
) -> Result<Option<Confined>, Missing> {
    let roots = writable_roots(policy, workspace);
    let Some(mut confinement) = confinement(policy, &roots, files) else { return Ok(None) };
    for FileRule { path, pattern, .. } in files {
        let Some(pattern) = pattern else { continue };
        let matches =
            matches(path, pattern).map_err(|error| Missing::Everything(error.to_string()))?;
        let denied = matches.into_iter().map(|path| Rule { path, access: Access::Deny });
        confinement.rules.extend(denied);
    }
    if widening.network {
        confinement.network = Network::Open;
    }
    let readable = |path: &PathBuf| Rule { path: path.clone(), access: Access::Read };
    confinement.rules.extend(widening.read.difference(&widening.write).map(readable));
    confinement.rules.extend(widening.write.iter().cloned().map(writable));
    let method = sandbox::enforceable(&confinement)?;
    Ok(Some(Confined { confinement, method }))
}

fn confinement(
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
    let plain = files.iter().filter(|rule| rule.pattern.is_none());
    rules.extend(plain.map(|rule| Rule {
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
