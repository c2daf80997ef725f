//! What a sandbox policy lets commands write, as folders.

use std::path::{Path, PathBuf};

use super::writable::PROTECTED;
use crate::protocol::SandboxPolicy;

/// A folder that commands may write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WritableRoot {
    Workspace(PathBuf),
    SlashTmp,
    /// What `$TMPDIR` names.
    TmpDir,
}

impl WritableRoot {
    /// Where it is, if anywhere.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Workspace(path) => Some(path.clone()),
            Self::SlashTmp => Some(PathBuf::from("/tmp")),
            Self::TmpDir => {
                std::env::var_os("TMPDIR").map(PathBuf::from).filter(|path| path.is_absolute())
            }
        }
    }

    /// What stays read-only within it.
    pub(crate) fn protected(&self) -> Vec<PathBuf> {
        match self {
            Self::Workspace(path) => protected(path),
            Self::SlashTmp | Self::TmpDir => Vec::new(),
        }
    }
}

/// The places at the top of a workspace folder that stay as they are.
fn protected(folder: &Path) -> Vec<PathBuf> {
    PROTECTED.iter().map(|name| folder.join(name)).collect()
}

/// What a policy lets commands write in a workspace of these folders, protected places excepted.
pub(crate) fn writable_roots(policy: &SandboxPolicy, workspace: &[PathBuf]) -> Vec<WritableRoot> {
    let SandboxPolicy::WorkspaceWrite {
        writable_roots,
        exclude_tmpdir_env_var,
        exclude_slash_tmp,
        ..
    } = policy
    else {
        return Vec::new();
    };
    let more = writable_roots.iter().map(|root| root.as_path().to_owned());
    let more = more.filter(|root| !workspace.contains(root));
    let mut roots: Vec<WritableRoot> =
        workspace.iter().cloned().chain(more).map(WritableRoot::Workspace).collect();
    if !exclude_slash_tmp {
        roots.push(WritableRoot::SlashTmp);
    }
    if !exclude_tmpdir_env_var {
        roots.push(WritableRoot::TmpDir);
    }
    roots
}
