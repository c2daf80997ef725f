//! What is left of the generation of the protocol before this one.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use crate::exec::{FILTER_KEPT, Filter, Filtered, filter};
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
    let tips = git(cwd, &all, Exit::Clean).await?;
    let tips: Vec<&str> = tips.lines().collect();
    if tips.is_empty() {
        return None;
    }
    let base = git(cwd, &[&["merge-base", "HEAD"], &*tips].concat(), Exit::Clean).await?;
    let base = base.trim();
    let mut diff = git(cwd, &[&DIFF, &[base][..]].concat(), Exit::Clean).await?;
    let untracked = ["ls-files", "--others", "--exclude-standard", "-z"];
    let untracked = git(cwd, &untracked, Exit::Clean).await?;
    for file in untracked.split_terminator('\0') {
        let new = ["--no-index", "--", "/dev/null", file];
        diff += &git(cwd, &[&DIFF, &new[..]].concat(), Exit::Differing).await?;
        if diff.len() > LARGEST_DIFF {
            return None;
        }
    }
    Some(GitDiffToRemoteResponse { sha: GitSha(base.to_owned()), diff })
}

/// Whatever a repository's configuration says, no program of its choice is run.
const DIFF: [&str; 3] = ["diff", "--no-ext-diff", "--no-textconv"];
const LARGEST_DIFF: usize = 16 * 1024 * 1024;

/// The exit code with which git has done its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    Clean = 0,
    Differing = 1,
}

/// What git answers; `None` when it fails, takes too long or has more to say than is kept.
async fn git(cwd: &Path, arguments: &[&str], exit: Exit) -> Option<String> {
    let mut env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    env.push(("GIT_OPTIONAL_LOCKS".into(), "0".into()));
    let program = ["git", "-c", "core.fsmonitor=false"];
    let request = Filter {
        argv: program.iter().chain(arguments).map(|&word| word.to_owned()).collect(),
        cwd: cwd.to_owned(),
        env,
        input: Vec::new(),
        timeout: Duration::from_secs(30),
    };
    match filter(request).await.ok()? {
        Filtered::Ended { code, stdout, .. } if code == exit as i32 => {
            (stdout.len() < FILTER_KEPT).then_some(stdout)
        }
        Filtered::Ended { .. } | Filtered::TimedOut => None,
    }
}
