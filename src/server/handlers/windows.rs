//! The sandbox of Windows, which no other system has.

use crate::protocol::{
    NoParams, WindowsSandboxReadiness, WindowsSandboxReadinessResponse,
    WindowsSandboxSetupCompletedNotification, WindowsSandboxSetupStartParams,
    WindowsSandboxSetupStartResponse, method,
};
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later};
use crate::server::error::Result;

pub(crate) async fn readiness(
    _cx: Cx,
    _params: NoParams,
) -> Result<WindowsSandboxReadinessResponse> {
    Ok(WindowsSandboxReadinessResponse { status: WindowsSandboxReadiness::NotConfigured })
}

pub(crate) async fn start_setup(
    cx: Cx,
    params: WindowsSandboxSetupStartParams,
) -> Result<Later<WindowsSandboxSetupStartResponse>> {
    let answered = cx.answer(&WindowsSandboxSetupStartResponse { started: true });
    let completed = WindowsSandboxSetupCompletedNotification {
        mode: params.mode,
        success: false,
        error: Some("the Windows sandbox can only be set up on Windows".to_owned()),
    };
    cx.server.audience.notify::<method::WindowsSandboxSetupCompleted>(Reach::All, &completed);
    Ok(answered)
}
