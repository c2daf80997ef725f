//! What users have to say about the agent.

use crate::protocol::{FeedbackUploadParams, FeedbackUploadResponse, ThreadId};
use crate::server::context::{Cx, check_thread_id};
use crate::server::error::{Error, Result};

/// There is nobody whom this server would send reports to.
pub(crate) async fn upload(
    _cx: Cx,
    params: FeedbackUploadParams,
) -> Result<FeedbackUploadResponse> {
    if let Some(id) = params.thread_id {
        check_thread_id(&ThreadId::from(id))?;
    }
    Err(Error::invalid_request("sending feedback is not supported: this server reports to nobody"))
}
