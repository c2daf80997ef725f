//! Values that clients hang on threads.

use super::page::{first, page_size};
use super::thread::find;
use crate::protocol::{
    ThreadAttachmentAddOutcome, ThreadAttachmentAddParams, ThreadAttachmentAddResponse,
    ThreadAttachmentListParams, ThreadAttachmentListResponse, ThreadAttachmentOperation,
    ThreadAttachmentOwner, ThreadAttachmentOwnerListParams, ThreadAttachmentOwnerListResponse,
    ThreadAttachmentRemoveParams, ThreadAttachmentRemoveResponse,
    ThreadAttachmentUpdatedNotification, ThreadId, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, check_thread_id};
use crate::server::error::{Error, Result};

pub(crate) async fn add(
    cx: Cx,
    params: ThreadAttachmentAddParams,
) -> Result<Later<ThreadAttachmentAddResponse>> {
    let ThreadAttachmentAddParams { thread_id, attachment_type, identity_key, payload } = params;
    check_stored(&cx, &thread_id).await?;
    let id = thread_id.clone();
    let added = cx
        .server
        .threads
        .state(move |state| state.attach(&id, &attachment_type, &identity_key, &payload));
    let (attachment, is_new) = added.await?;
    let told = ThreadAttachmentUpdatedNotification {
        thread_id,
        attachment_type: attachment.attachment_type.clone(),
        identity_key: attachment.identity_key.clone(),
        attachment_id: attachment.id.clone(),
        operation: ThreadAttachmentOperation::Created,
    };
    let outcome = match is_new {
        true => ThreadAttachmentAddOutcome::Created,
        false => ThreadAttachmentAddOutcome::Existing,
    };
    let answered = cx.answer(&ThreadAttachmentAddResponse { outcome, attachment });
    if is_new {
        cx.server.audience.notify::<method::ThreadAttachmentUpdated>(Reach::All, &told);
    }
    Ok(answered)
}

pub(crate) async fn remove(
    cx: Cx,
    params: ThreadAttachmentRemoveParams,
) -> Result<Later<ThreadAttachmentRemoveResponse>> {
    let ThreadAttachmentRemoveParams { thread_id, attachment_type, identity_key } = params;
    check_stored(&cx, &thread_id).await?;
    let (id, kind, key) = (thread_id.clone(), attachment_type.clone(), identity_key.clone());
    let removed = cx.server.threads.state(move |state| state.detach(&id, &kind, &key)).await?;
    let answered = cx.answer(&ThreadAttachmentRemoveResponse {});
    if let Some(attachment_id) = removed {
        let told = ThreadAttachmentUpdatedNotification {
            thread_id,
            attachment_type,
            identity_key,
            attachment_id,
            operation: ThreadAttachmentOperation::Deleted,
        };
        cx.server.audience.notify::<method::ThreadAttachmentUpdated>(Reach::All, &told);
    }
    Ok(answered)
}

pub(crate) async fn list(
    cx: Cx,
    params: ThreadAttachmentListParams,
) -> Result<ThreadAttachmentListResponse> {
    check_thread_id(&params.thread_id)?;
    let mut all =
        cx.server.threads.state(move |state| state.attachments(&params.thread_id)).await?;
    if let Some(cursor) = &params.cursor {
        let at = all.iter().position(|attachment| attachment.id == *cursor);
        all.drain(..=at.ok_or_else(bad_cursor)?);
    }
    let (data, next_cursor) =
        first(all, page_size(params.limit), |attachment| attachment.id.clone());
    Ok(ThreadAttachmentListResponse { data, next_cursor })
}

pub(crate) async fn owners(
    cx: Cx,
    params: ThreadAttachmentOwnerListParams,
) -> Result<ThreadAttachmentOwnerListResponse> {
    let ThreadAttachmentOwnerListParams { attachment_type, identity_key, archived, cursor, limit } =
        params;
    if cursor.as_ref().is_some_and(|cursor| uuid::Uuid::parse_str(cursor).is_err()) {
        return Err(bad_cursor());
    }
    let owners = cx
        .server
        .threads
        .state(move |state| state.attachment_owners(&attachment_type, &identity_key));
    let owners = owners.await?;
    let places = cx.server.threads.archived(owners.clone()).await?;
    let data: Vec<ThreadAttachmentOwner> = owners
        .into_iter()
        .filter(|id| cursor.as_ref().is_none_or(|cursor| id.as_str() > cursor.as_str()))
        .filter_map(|id| {
            let archived = *places.get(&id)?;
            Some(ThreadAttachmentOwner { thread_id: id, archived })
        })
        .filter(|owner| archived.is_none_or(|archived| owner.archived == archived))
        .collect();
    let (data, next_cursor) = first(data, page_size(limit), |owner| owner.thread_id.to_string());
    Ok(ThreadAttachmentOwnerListResponse { data, next_cursor })
}

/// Only a thread that has a file can have something hung on it.
async fn check_stored(cx: &Cx, id: &ThreadId) -> Result<()> {
    check_thread_id(id)?;
    match find(cx, id).await? {
        Some(known) if known.materialized => Ok(()),
        Some(_) | None => Err(Error::invalid_params(format!("thread not found: {id}"))),
    }
}

fn bad_cursor() -> Error {
    Error::invalid_params("invalid pagination cursor")
}
