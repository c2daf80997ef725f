//! Apps: services of the hosted offer, which only those can use who are signed in to it. Without it there are none.

use crate::protocol::{
    AppsInstalledParams, AppsInstalledResponse, AppsListParams, AppsListResponse, AppsReadParams,
    AppsReadResponse, ThreadId,
};
use crate::server::context::{Cx, check_thread_id};
use crate::server::error::Result;

pub(crate) async fn list(_cx: Cx, params: AppsListParams) -> Result<AppsListResponse> {
    check(params.thread_id)?;
    Ok(AppsListResponse { data: Vec::new(), next_cursor: None })
}

pub(crate) async fn installed(
    _cx: Cx,
    params: AppsInstalledParams,
) -> Result<AppsInstalledResponse> {
    check(params.thread_id)?;
    Ok(AppsInstalledResponse { apps: Vec::new() })
}

pub(crate) async fn read(_cx: Cx, params: AppsReadParams) -> Result<AppsReadResponse> {
    check(params.thread_id)?;
    let mut missing_app_ids: Vec<String> = Vec::new();
    for id in params.app_ids {
        if !missing_app_ids.contains(&id) {
            missing_app_ids.push(id);
        }
    }
    Ok(AppsReadResponse { apps: Vec::new(), missing_app_ids })
}

fn check(thread_id: Option<String>) -> Result<()> {
    thread_id.map_or(Ok(()), |id| check_thread_id(&ThreadId::from(id)))
}
