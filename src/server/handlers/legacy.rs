//! What is left of the generation of the protocol before this one.

use std::path::Path;
use std::time::Duration;

use crate::exec::{GitExit, git};
use crate::protocol::{
    ConversationGitInfo, ConversationSummary, GetConversationSummaryParams,
    GetConversationSummaryResponse, GitDiffToRemoteParams, GitDiffToRemoteResponse, GitInfo,
    GitSha,
};
use crate::server::context::{Cx, check_thread_id};
use crate::server::error::{Error, Result};
use crate::store::Summary;
use crate::util::path::absolute;
use crate::util::time::rfc3339_millis;

pub(crate) async fn summary(
    cx: Cx,
    params: GetConversationSummaryParams,
) -> Result<GetConversationSummaryResponse> {
    let threads = &cx.server.threads;
    let summary = match params {
        GetConversationSummaryParams::ByThread { conversation_id: id } => {
            check_thread_id(&id)?;
            threads.summary(&id).await?.ok_or_else(|| {
                Error::invalid_request(format!("no rollout found for conversation id {id}"))
            })?
        }
        GetConversationSummaryParams::ByPath { rollout_path } => {
            threads.summary_at(absolute(cx.server.home(), &rollout_path)).await?
        }
    };
    Ok(GetConversationSummaryResponse { summary: shown(summary) })
}

fn shown(summary: Summary) -> ConversationSummary {
    let git_info = summary
        .git_info
        .map(|GitInfo { sha, branch, origin_url }| ConversationGitInfo { sha, branch, origin_url });
    ConversationSummary {
        conversation_id: summary.id,
        path: summary.path,
        preview: summary.preview,
        timestamp: Some(rfc3339_millis(summary.created_at_ms)),
        updated_at: Some(rfc3339_millis(summary.updated_at_ms)),
        model_provider: summary.model_provider.unwrap_or_default(),
        cwd: summary.cwd,
        cli_version: summary.cli_version,
        source: summary.source,
        git_info,
    }
}

pub(crate) async fn diff_to_remote(
    cx: Cx,
    params: GitDiffToRemoteParams,
) -> Result<GitDiffToRemoteResponse> {
    let cwd = absolute(&cx.server.threads.shared.cwd, &params.cwd);
    compare(&cwd).await.ok_or_else(|| {
        let cwd = params.cwd.to_string_lossy();
        Error::invalid_request(format!("failed to compute git diff to remote for cwd: {cwd:?}"))
    })
}

/// Compares the work tree around `cwd` with the newest of its commits that a remote knows. `None` when there is no
/// such commit.
async fn compare(cwd: &Path) -> Option<GitDiffToRemoteResponse> {
    let all = ["for-each-ref", "--count=1000", "--format=%(objectname)", "refs/remotes"];
    let tips = ask(cwd, &all, GitExit::Clean).await?;
    let tips: Vec<&str> = tips.lines().collect();
    if tips.is_empty() {
        return None;
    }
    let base = ask(cwd, &[&["merge-base", "HEAD"], &*tips].concat(), GitExit::Clean).await?;
    let base = base.trim();
    let mut diff = ask(cwd, &[&DIFF, &[base][..]].concat(), GitExit::Clean).await?;
    let untracked = ["ls-files", "--others", "--exclude-standard", "-z"];
    let untracked = ask(cwd, &untracked, GitExit::Clean).await?;
    for file in untracked.split_terminator('\0') {
        let new = ["--no-index", "--", "/dev/null", file];
        diff += &ask(cwd, &[&DIFF, &new[..]].concat(), GitExit::Differing).await?;
        if diff.len() > LARGEST_DIFF {
            return None;
        }
    }
    Some(GitDiffToRemoteResponse { sha: GitSha(base.to_owned()), diff })
}

/// Whatever a repository's configuration says, no program of its choice is run.
const DIFF: [&str; 3] = ["diff", "--no-ext-diff", "--no-textconv"];
const LARGEST_DIFF: usize = 16 * 1024 * 1024;

/// How long git may take for each question.
const PATIENCE: Duration = Duration::from_secs(30);

async fn ask(cwd: &Path, arguments: &[&str], exit: GitExit) -> Option<String> {
    git(cwd, arguments, exit, PATIENCE).await
}
