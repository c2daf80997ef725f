//! What of threads the user has read.

use std::collections::BTreeMap;

use super::thread::find;
use crate::protocol::{
    Thread, ThreadId, ThreadReadState, ThreadReadStateChangedNotification,
    ThreadReadStateUpdateParams, ThreadReadStateUpdateResponse, method,
};
use crate::server::Server;
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, check_thread_id};
use crate::server::error::{Error, Result};
use crate::thread::{Command, is_for_readers};

pub(crate) async fn update(
    cx: Cx,
    params: ThreadReadStateUpdateParams,
) -> Result<Later<ThreadReadStateUpdateResponse>> {
    let ThreadReadStateUpdateParams { thread_id, expected_revision, operation } = params;
    check_thread_id(&thread_id)?;
    let Some(known) = find(&cx, &thread_id).await? else {
        return Err(Error::invalid_request(format!("thread not loaded: {thread_id}")));
    };
    if !known.materialized || !is_for_readers(&known.thread) {
        return Err(Error::invalid_request("thread read state unavailable"));
    }
    let id = thread_id.clone();
    let threads = &cx.server.threads;
    let updated = threads
        .state(move |state| state.update_read_state(&id, &expected_revision, operation))
        .await?;
    let read_state = updated.map_err(|current| {
        Error::invalid_request("read state changed")
            .with_data(serde_json::json!({ "reason": "readStateConflict", "readState": current }))
    })?;
    if let Some(handle) = threads.get(&thread_id) {
        handle.send(Command::Read { first_unread: read_state.first_unread.clone() }).await;
    }
    let answered = cx.answer(&ThreadReadStateUpdateResponse { read_state: read_state.clone() });
    tell_read_state(&cx.server, &thread_id, read_state);
    Ok(answered)
}

pub(super) fn tell_read_state(server: &Server, id: &ThreadId, read_state: ThreadReadState) {
    let told = ThreadReadStateChangedNotification { thread_id: id.clone(), read_state };
    server.audience.notify::<method::ThreadReadStateChanged>(Reach::Subscribers(id), &told);
}

/// The states of these threads, as far as anybody is expected to read them.
pub(super) async fn of(cx: &Cx, threads: &[Thread]) -> Result<BTreeMap<String, ThreadReadState>> {
    let ids: Vec<ThreadId> = threads
        .iter()
        .filter(|thread| is_for_readers(thread))
        .map(|thread| thread.id.clone())
        .collect();
    let states = cx.server.threads.state(move |state| state.read_states(&ids)).await?;
    Ok(states.into_iter().map(|(id, state)| (id.to_string(), state)).collect())
}
