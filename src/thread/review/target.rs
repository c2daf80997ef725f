//! What is reviewed: its name for people, and the request that the reviewer is given.

use std::path::Path;
use std::time::Duration;

use crate::exec::{GitExit, git};
use crate::protocol::ReviewTarget;
use crate::thread::{Error, Result};

/// How long Git may look for a commit; without one the reviewer is told how to find it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The task of a reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// What the client shows.
    pub(super) label: String,
    /// What the reviewer is told.
    pub(super) request: String,
}

impl Task {
    /// Refuses a target that names nothing. `cwd` is where the thread works.
    pub(crate) async fn of(target: &ReviewTarget, cwd: &Path) -> Result<Self> {
        match target {
            ReviewTarget::UncommittedChanges => Ok(Self {
                label: "current changes".to_owned(),
                request: "Review the changes of the work tree that are not committed yet: staged, unstaged and \
                          untracked files."
                    .to_owned(),
            }),
            ReviewTarget::BaseBranch { branch } => {
                let branch = named(branch, "branch")?;
                Ok(Self {
                    label: format!("changes against '{branch}'"),
                    request: against(branch, merge_base(cwd, branch).await),
                })
            }
            ReviewTarget::Commit { sha, title } => {
                let sha = named(sha, "sha")?;
                let title = title.as_deref().map(str::trim).filter(|title| !title.is_empty());
                Ok(Self::of_commit(sha, title))
            }
            ReviewTarget::Custom { instructions } => {
                let text = named(instructions, "instructions")?.to_owned();
                Ok(Self { label: text.clone(), request: text })
            }
        }
    }

    fn of_commit(sha: &str, title: Option<&str>) -> Self {
        let short: String = sha.chars().take(7).collect();
        match title {
            Some(title) => Self {
                label: format!("commit {short}: {title}"),
                request: format!(
                    "Review the changes that commit {sha} (\"{title}\") makes, and nothing else."
                ),
            },
            None => Self {
                label: format!("commit {short}"),
                request: format!("Review the changes that commit {sha} makes, and nothing else."),
            },
        }
    }
}

fn named<'a>(text: &'a str, member: &str) -> Result<&'a str> {
    match text.trim() {
        "" => Err(Error::Refused(format!("{member} must not be empty"))),
        text => Ok(text),
    }
}

/// The newest commit that the work tree has in common with a branch, or with what the branch tracks.
async fn merge_base(cwd: &Path, branch: &str) -> Option<String> {
    let question = ["merge-base", "HEAD", "--end-of-options", branch];
    let commit = git(cwd, &question, GitExit::Clean, PATIENCE).await?.trim().to_owned();
    (!commit.is_empty()).then_some(commit)
}

fn against(branch: &str, merge_base: Option<String>) -> String {
    match merge_base {
        Some(commit) => format!(
            "Review what would be merged into the branch '{branch}'. The two have commit {commit} in common: \
             `git diff {commit}` shows the changes."
        ),
        None => format!(
            "Review what would be merged into the branch '{branch}'. Find the commit that the work tree and \
             '{branch}' (or what it tracks) have in common, for instance with \
             `git merge-base HEAD \"$(git rev-parse --abbrev-ref '{branch}@{{upstream}}')\"`, and look at the \
             changes since it with `git diff`."
        ),
    }
}
