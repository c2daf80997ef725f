//! Asking the user: one question, the states around it, and what the answer means.

use tokio::sync::oneshot;

use super::{Cx, Effect};
use crate::protocol::{Request, ThreadActiveFlag, TimedItem};
use crate::thread::Question;
use crate::util::json::raw;

/// What a thread waits for while it asks whether something may be done.
pub(super) const APPROVAL: ThreadActiveFlag = ThreadActiveFlag::WaitingOnApproval;

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
    let question = Question { method: R::METHOD, params: raw(params) };
    let (sender, ticket) = oneshot::channel();
    cx.apply(Effect::Ask { waits, item, question, ticket: sender }).await;
    let mut ticket = ticket.await.ok()?;
    let answer = ticket.answer().await?;
    let decoded = answer.map_err(|error| format!("the client answered with the error {error}"));
    let decoded = decoded.and_then(|answer| {
        serde_json::from_str(answer.get())
            .map_err(|error| format!("the answer is not understood: {error}"))
    });
    // The client is told by what becomes of the item; why, only its author wants to know.
    decoded
        .inspect_err(|reason| tracing::error!(method = R::METHOD, %reason, "a question has failed"))
        .ok()
}

/// The question is settled, and the thread need not show it any more.
pub(super) async fn answered(cx: &Cx, waits: ThreadActiveFlag) {
    cx.apply(Effect::Asked(waits)).await;
}
