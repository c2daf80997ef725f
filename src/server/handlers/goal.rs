//! The goals of threads. A loaded thread decides itself; one that is not loaded stays so.

use crate::config::Feature;
use crate::protocol::{
    ThreadGoalClearParams, ThreadGoalClearResponse, ThreadGoalClearedNotification,
    ThreadGoalGetParams, ThreadGoalGetResponse, ThreadGoalSetParams, ThreadGoalSetResponse,
    ThreadGoalUpdatedNotification, ThreadId, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, blocking, check_thread_id};
use crate::server::error::{Error, Result};
use crate::thread::Command;

pub(crate) async fn set(
    cx: Cx,
    params: ThreadGoalSetParams,
) -> Result<Later<ThreadGoalSetResponse>> {
    check_thread_id(&params.thread_id)?;
    if let Some(thread) = cx.server.threads.get(&params.thread_id) {
        thread.send(Command::SetGoal { params: Box::new(params), reply: cx.reply() }).await;
        return Ok(Later::by_thread());
    }
    check_stored(&cx, &params.thread_id).await?;
    let goal = cx.server.threads.set_stored_goal(params).await?;
    let answered = cx.answer(&ThreadGoalSetResponse { goal: goal.clone() });
    let thread_id = goal.thread_id.clone();
    let params = ThreadGoalUpdatedNotification { thread_id, turn_id: None, goal };
    cx.server.audience.notify::<method::ThreadGoalUpdated>(Reach::All, &params);
    Ok(answered)
}

pub(crate) async fn get(cx: Cx, params: ThreadGoalGetParams) -> Result<ThreadGoalGetResponse> {
    let id = &params.thread_id;
    check_thread_id(id)?;
    match cx.server.threads.get(id) {
        Some(thread) => {
            let snapshot = thread.snapshot().await?;
            if snapshot.thread.ephemeral {
                let refusal = format!("ephemeral thread does not support goals: {id}");
                return Err(Error::invalid_request(refusal));
            }
            check_feature(snapshot.goals_enabled)?;
            Ok(ThreadGoalGetResponse { goal: snapshot.goal })
        }
        None => {
            check_stored(&cx, id).await?;
            Ok(ThreadGoalGetResponse { goal: cx.server.threads.stored_goal(id).await? })
        }
    }
}

pub(crate) async fn clear(
    cx: Cx,
    params: ThreadGoalClearParams,
) -> Result<Later<ThreadGoalClearResponse>> {
    let thread_id = params.thread_id;
    check_thread_id(&thread_id)?;
    if let Some(thread) = cx.server.threads.get(&thread_id) {
        thread.send(Command::ClearGoal { reply: cx.reply() }).await;
        return Ok(Later::by_thread());
    }
    check_stored(&cx, &thread_id).await?;
    let cleared = cx.server.threads.clear_stored_goal(&thread_id).await?;
    let answered = cx.answer(&ThreadGoalClearResponse { cleared });
    if cleared {
        let params = ThreadGoalClearedNotification { thread_id };
        cx.server.audience.notify::<method::ThreadGoalCleared>(Reach::All, &params);
    }
    Ok(answered)
}

/// Refuses where there are no goals, or no such thread.
async fn check_stored(cx: &Cx, id: &ThreadId) -> Result<()> {
    let (sources, cwd) = (cx.server.sources.clone(), cx.server.threads.shared.cwd.clone());
    let loaded = blocking(move || sources.load_or_default(&cwd)).await?;
    check_feature(loaded.effective.features.on(Feature::Goals))?;
    match cx.server.threads.summary(id).await? {
        Some(_) => Ok(()),
        None => Err(Error::invalid_request(format!("thread not found: {id}"))),
    }
}

fn check_feature(is_on: bool) -> Result<()> {
    match is_on {
        true => Ok(()),
        false => Err(Error::invalid_request("goals feature is disabled")),
    }
}
