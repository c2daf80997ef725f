//! Threads that are put away: the archive, the way back, and deleting. The agents that worked for a thread go along.

use super::thread::{find, tell_status};
use crate::protocol::{
    ThreadArchiveParams, ThreadArchiveResponse, ThreadArchivedNotification, ThreadDeleteParams,
    ThreadDeleteResponse, ThreadDeletedNotification, ThreadId, ThreadStatus, ThreadUnarchiveParams,
    ThreadUnarchiveResponse, ThreadUnarchivedNotification, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, check_session_id, check_thread_id};
use crate::server::error::{Error, Result};
use crate::thread::stored_thread;

pub(crate) async fn archive(
    cx: Cx,
    params: ThreadArchiveParams,
) -> Result<Later<ThreadArchiveResponse>> {
    let id = params.thread_id;
    check_session_id(&id)?;
    if let Some(handle) = cx.server.threads.get(&id) {
        handle.materialize().await?;
    }
    let agents = agents(&cx, &id, false).await?;
    close(&cx, &id, &agents).await;
    cx.server.threads.archive(&id).await?;
    let mut archived = vec![id];
    for agent in agents {
        match cx.server.threads.archive(&agent).await {
            Ok(()) => archived.push(agent),
            Err(error) => tracing::warn!(thread = %agent, %error, "an agent stays where it is"),
        }
    }
    let answered = cx.answer(&ThreadArchiveResponse {});
    for thread_id in archived {
        let params = ThreadArchivedNotification { thread_id };
        cx.server.audience.notify::<method::ThreadArchived>(Reach::All, &params);
    }
    Ok(answered)
}

pub(crate) async fn unarchive(
    cx: Cx,
    params: ThreadUnarchiveParams,
) -> Result<Later<ThreadUnarchiveResponse>> {
    let id = params.thread_id;
    check_session_id(&id)?;
    let mut thread = stored_thread(&cx.server.threads.unarchive(&id).await?);
    cx.server.threads.adorn(std::slice::from_mut(&mut thread)).await?;
    let mut back = vec![id.clone()];
    for agent in agents(&cx, &id, true).await? {
        match cx.server.threads.unarchive(&agent).await {
            Ok(_) => back.push(agent),
            Err(error) => tracing::warn!(thread = %agent, %error, "an agent stays where it is"),
        }
    }
    let answered = cx.answer(&ThreadUnarchiveResponse { thread });
    for thread_id in back {
        let params = ThreadUnarchivedNotification { thread_id };
        cx.server.audience.notify::<method::ThreadUnarchived>(Reach::All, &params);
    }
    Ok(answered)
}

pub(crate) async fn delete(
    cx: Cx,
    params: ThreadDeleteParams,
) -> Result<Later<ThreadDeleteResponse>> {
    let id = params.thread_id;
    check_thread_id(&id)?;
    let Some(known) = find(&cx, &id).await? else {
        return Err(Error::invalid_request(format!("no rollout found for thread id {id}")));
    };
    if known.thread.ephemeral {
        let refusal = format!("thread is not persisted and cannot be deleted: {id}");
        return Err(Error::invalid_request(refusal));
    }
    let agents = cx.server.threads.descendants(&id).await?;
    // Who works for another goes before it.
    let family: Vec<ThreadId> = agents.iter().rev().chain([&id]).cloned().collect();
    cx.server.threads.check_delete(family.clone()).await?;
    close(&cx, &id, &agents).await;
    for member in &family {
        if known.materialized || *member != id {
            cx.server.threads.delete(member).await?;
        } else {
            cx.server.threads.forget(member).await?;
        }
    }
    let answered = cx.answer(&ThreadDeleteResponse {});
    for thread_id in family {
        let params = ThreadDeletedNotification { thread_id };
        cx.server.audience.notify::<method::ThreadDeleted>(Reach::All, &params);
    }
    Ok(answered)
}

/// The agents below a thread that are archived, or that are not; parents first.
async fn agents(cx: &Cx, id: &ThreadId, archived: bool) -> Result<Vec<ThreadId>> {
    let agents = cx.server.threads.descendants(id).await?;
    let places = cx.server.threads.archived(agents.clone()).await?;
    Ok(agents.into_iter().filter(|agent| places.get(agent) == Some(&archived)).collect())
}

/// Unloads a thread and its agents, as far as they are loaded.
async fn close(cx: &Cx, id: &ThreadId, agents: &[ThreadId]) {
    for id in [id].into_iter().chain(agents) {
        // Agents that end with their parent have told so themselves.
        if cx.server.threads.close(id).await {
            tell_status(&cx.server, id, ThreadStatus::NotLoaded);
        }
    }
}
