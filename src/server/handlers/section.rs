//! Sections, and the threads in them.

use super::page::{first, page_size};
use super::thread::find;
use crate::protocol::{
    ThreadSectionChangedNotification, ThreadSectionCreateParams, ThreadSectionCreateResponse,
    ThreadSectionDeleteParams, ThreadSectionDeleteResponse, ThreadSectionListParams,
    ThreadSectionListResponse, ThreadSectionMoveParams, ThreadSectionMoveResponse,
    ThreadSectionUpdateParams, ThreadSectionUpdateResponse, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, check_thread_id};
use crate::server::error::{Error, Result};

pub(crate) async fn list(
    cx: Cx,
    params: ThreadSectionListParams,
) -> Result<ThreadSectionListResponse> {
    let mut sections = cx.server.threads.state(crate::store::State::sections).await?;
    if let Some(cursor) = &params.cursor {
        let at = sections.iter().position(|section| section.id == *cursor);
        let at = at.ok_or_else(|| Error::invalid_params(format!("invalid cursor: {cursor}")))?;
        sections.drain(..=at);
    }
    let (data, next_cursor) =
        first(sections, page_size(params.limit), |section| section.id.clone());
    Ok(ThreadSectionListResponse { data, next_cursor })
}

pub(crate) async fn create(
    cx: Cx,
    params: ThreadSectionCreateParams,
) -> Result<ThreadSectionCreateResponse> {
    let ThreadSectionCreateParams { name, appearance } = params;
    let made = cx.server.threads.state(move |state| state.create_section(&name, appearance));
    Ok(ThreadSectionCreateResponse { section: made.await? })
}

pub(crate) async fn update(
    cx: Cx,
    params: ThreadSectionUpdateParams,
) -> Result<ThreadSectionUpdateResponse> {
    let ThreadSectionUpdateParams { section_id, name, appearance } = params;
    let updated =
        cx.server.threads.state(move |state| state.update_section(&section_id, &name, appearance));
    Ok(ThreadSectionUpdateResponse { section: updated.await? })
}

pub(crate) async fn delete(
    cx: Cx,
    params: ThreadSectionDeleteParams,
) -> Result<ThreadSectionDeleteResponse> {
    cx.server.threads.state(move |state| state.delete_section(&params.section_id)).await?;
    Ok(ThreadSectionDeleteResponse {})
}

pub(crate) async fn r#move(
    cx: Cx,
    params: ThreadSectionMoveParams,
) -> Result<Later<ThreadSectionMoveResponse>> {
    let ThreadSectionMoveParams { thread_id, section_id, before_thread_id } = params;
    check_thread_id(&thread_id)?;
    let Some(known) = find(&cx, &thread_id).await? else {
        return Err(Error::invalid_request(format!("thread not found: {thread_id}")));
    };
    if known.thread.ephemeral {
        let refusal = format!("ephemeral thread does not support section moves: {thread_id}");
        return Err(Error::invalid_request(refusal));
    }
    let (id, section) = (thread_id.clone(), section_id.clone());
    let moved = cx
        .server
        .threads
        .state(move |state| state.move_thread(&id, section.as_deref(), before_thread_id.as_ref()));
    moved.await?;
    // Who sorts a thread in wants to keep it.
    if let Some(handle) = cx.server.threads.get(&thread_id) {
        handle.materialize().await?;
    }
    let answered = cx.answer(&ThreadSectionMoveResponse {});
    let params = ThreadSectionChangedNotification { thread_id, section_id };
    cx.server.audience.notify::<method::ThreadSectionChanged>(Reach::All, &params);
    Ok(answered)
}
