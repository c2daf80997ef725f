//! Having a model decide what would be asked of the user, where the thread is set up so.

use tokio::sync::oneshot;

use super::{Cx, Effect};
use crate::protocol::{ApprovalsReviewer, GuardianApprovalReviewAction, TimedItem};

/// What the reviewer says.
pub(super) enum Review {
    Allowed,
    /// With what the model is told.
    Denied(String),
}

/// Shows the item and has the action reviewed; `None` when that is the user's business.
pub(super) async fn review(
    cx: &Cx,
    item: Option<&TimedItem>,
    action: impl FnOnce() -> GuardianApprovalReviewAction,
) -> Option<Review> {
    match cx.scene.reviewer {
        ApprovalsReviewer::User => return None,
        ApprovalsReviewer::AutoReview | ApprovalsReviewer::GuardianSubagent => {}
    }
    let (reply, answer) = oneshot::channel();
    cx.apply(Effect::Review { item: item.cloned(), action: action(), reply }).await;
    let Ok(assessment) = answer.await else {
        // The turn has ended, and this call with it.
        return std::future::pending().await;
    };
    if assessment.is_allowed() {
        return Some(Review::Allowed);
    }
    let why = assessment.rationale.as_deref().unwrap_or("it gave no reason");
    Some(Review::Denied(format!(
        "the automatic review of this action refused it: {why}. Do not reach the same by other means; do without it, \
         or tell the user what you would need"
    )))
}
