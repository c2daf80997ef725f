//! Asking the user: one question, the states around it, and what the answer means.

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::{Cx, Effect};
use crate::protocol::{Request, ThreadActiveFlag, TimedItem};
use crate::thread::Question;
use crate::util::json::raw;

/// What a thread waits for while it asks whether something may be done.
pub(super) const APPROVAL: ThreadActiveFlag = ThreadActiveFlag::WaitingOnApproval;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unanswered {
    #[error("nobody can answer any more")]
    Gone,
    #[error("the client answered with the error {0}")]
    Refused(Box<RawValue>),
    #[error("the answer is not understood: {0}")]
    Garbled(serde_json::Error),
}

/// Shows the item in question, puts the question to the clients and waits for an answer, however long it takes. `None` stands for an answer that
/// is an error, or that is not of the expected shape.
///
/// The thread shows that it waits until [`answered`] is called.
pub(super) async fn ask<R: Request>(
    cx: &Cx,
    waits: ThreadActiveFlag,
    item: Option<TimedItem>,
    params: &R::Params,
) -> Option<R::Response> {
    put::<R>(cx, Some(waits), item, params).await.ok()
}

/// Asks the client for something that is not its user's business, so that the thread shows no wait.
pub(super) async fn request<R: Request>(
    cx: &Cx,
    params: &R::Params,
) -> Result<R::Response, Unanswered> {
    put::<R>(cx, None, None, params).await
}

async fn put<R: Request>(
    cx: &Cx,
    waits: Option<ThreadActiveFlag>,
    item: Option<TimedItem>,
    params: &R::Params,
) -> Result<R::Response, Unanswered> {
    let question = Question { method: R::METHOD, params: raw(params) };
    let (sender, ticket) = oneshot::channel();
    cx.apply(Effect::Ask { waits, item, question, ticket: sender }).await;
    let mut ticket = ticket.await.map_err(|_| Unanswered::Gone)?;
    let answer = ticket.answer().await.ok_or(Unanswered::Gone)?;
    let decoded = answer
        .map_err(Unanswered::Refused)
        .and_then(|answer| serde_json::from_str(answer.get()).map_err(Unanswered::Garbled));
    // The client is told by what becomes of the item; why, only its author wants to know.
    decoded
        .inspect_err(|reason| tracing::error!(method = R::METHOD, %reason, "a question has failed"))
}

/// The question is settled, and the thread need not show it any more.
pub(super) async fn answered(cx: &Cx, waits: ThreadActiveFlag) {
    cx.apply(Effect::Asked(waits)).await;
}
