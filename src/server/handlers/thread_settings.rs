//! The settings of a loaded thread: its task decides, and answers.

use crate::protocol::{ThreadSettingsUpdateParams, ThreadSettingsUpdateResponse};
use crate::server::context::{Cx, Later};
use crate::server::error::Result;
use crate::thread::Command;

pub(crate) async fn update(
    cx: Cx,
    params: ThreadSettingsUpdateParams,
) -> Result<Later<ThreadSettingsUpdateResponse>> {
    let thread = cx.thread(&params.thread_id)?;
    thread.send(Command::UpdateSettings { params: Box::new(params), reply: cx.reply() }).await;
    Ok(Later::by_thread())
}
