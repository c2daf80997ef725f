//! What is noted of a thread beside its history.

use super::thread::find;
use crate::protocol::{
    Thread, ThreadId, ThreadMemoryModeSetParams, ThreadMemoryModeSetResponse,
    ThreadMetadataGitInfoUpdateParams, ThreadMetadataUpdateParams, ThreadMetadataUpdateResponse,
    ThreadProjectUpdatedNotification, ThreadStartParams, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, check_thread_id};
use crate::server::error::{Error, Result};
use crate::store::Metadata;

pub(crate) async fn update(
    cx: Cx,
    params: ThreadMetadataUpdateParams,
) -> Result<Later<ThreadMetadataUpdateResponse>> {
    let ThreadMetadataUpdateParams { thread_id, git_info, project_id, daybreak_enabled } = params;
    check_thread_id(&thread_id)?;
    if git_info.is_none() && project_id.is_none() && daybreak_enabled.is_none() {
        return Err(Error::invalid_request(
            "thread metadata update must include at least one field",
        ));
    }
    let git_info = git_info.map(checked).transpose()?;
    let mut thread = noted(&cx, &thread_id).await?;
    let git = git_info.map(|change| {
        let mut git = thread.git_info.clone().unwrap_or_default();
        git.sha = change.sha.unwrap_or(git.sha);
        git.branch = change.branch.unwrap_or(git.branch);
        git.origin_url = change.origin_url.unwrap_or(git.origin_url);
        git
    });
    let change = Metadata { git, project_id: project_id.clone(), daybreak: daybreak_enabled };
    note(&cx, &mut thread, change).await?;
    let answered = cx.answer(&ThreadMetadataUpdateResponse { thread });
    if let Some(project_id) = project_id {
        let params = ThreadProjectUpdatedNotification { thread_id, project_id };
        cx.server.audience.notify::<method::ThreadProjectUpdated>(Reach::All, &params);
    }
    Ok(answered)
}

pub(crate) async fn set_memory_mode(
    cx: Cx,
    params: ThreadMemoryModeSetParams,
) -> Result<ThreadMemoryModeSetResponse> {
    let ThreadMemoryModeSetParams { thread_id, mode } = params;
    check_thread_id(&thread_id)?;
    noted(&cx, &thread_id).await?;
    cx.server.threads.state(move |state| state.set_memory_mode(&thread_id, mode)).await?;
    Ok(ThreadMemoryModeSetResponse {})
}

/// Refuses a new thread in a project that there is not.
pub(super) async fn check_start(cx: &Cx, params: &ThreadStartParams) -> Result<()> {
    let Some(project) = params.project_id.clone() else { return Ok(()) };
    let found = cx.server.threads.state(move |state| state.project(&project)).await;
    found.map(drop).map_err(|error| Error::invalid_request(error.to_string()))
}

/// Notes what a new thread has been given.
pub(super) async fn note_start(
    cx: &Cx,
    params: ThreadStartParams,
    thread: &mut Thread,
) -> Result<()> {
    let ThreadStartParams { project_id, daybreak_enabled, .. } = params;
    if thread.ephemeral {
        thread.project_id = project_id;
        thread.daybreak_enabled = daybreak_enabled;
    } else if project_id.is_some() || daybreak_enabled.is_some() {
        let project_id = project_id.map(Some);
        note(cx, thread, Metadata { git: None, project_id, daybreak: daybreak_enabled }).await?;
    }
    Ok(())
}

async fn note(cx: &Cx, thread: &mut Thread, change: Metadata) -> Result<()> {
    let id = thread.id.clone();
    cx.server.threads.state(move |state| state.set_metadata(&id, &change)).await?;
    Ok(cx.server.threads.adorn(std::slice::from_mut(thread)).await?)
}

/// A thread that something can be noted of.
async fn noted(cx: &Cx, id: &ThreadId) -> Result<Thread> {
    let Some(known) = find(cx, id).await? else {
        return Err(Error::invalid_request(format!("no rollout found for thread id {id}")));
    };
    if known.thread.ephemeral {
        let refusal = format!("ephemeral thread does not support metadata updates: {id}");
        return Err(Error::invalid_request(refusal));
    }
    Ok(known.thread)
}

/// The change with its values trimmed.
fn checked(
    mut change: ThreadMetadataGitInfoUpdateParams,
) -> Result<ThreadMetadataGitInfoUpdateParams> {
    let members = [
        ("sha", &mut change.sha),
        ("branch", &mut change.branch),
        ("originUrl", &mut change.origin_url),
    ];
    let mut given = false;
    for (name, member) in members {
        given |= member.is_some();
        if let Some(Some(value)) = member {
            *value = value.trim().to_owned();
            if value.is_empty() {
                let refusal = format!("gitInfo.{name} must not be empty");
                return Err(Error::invalid_request(refusal));
            }
        }
    }
    if given {
        Ok(change)
    } else {
        Err(Error::invalid_request("gitInfo must include at least one field"))
    }
}
