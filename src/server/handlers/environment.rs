//! Environments: the places where commands run. There is one, the machine of the server.

use crate::protocol::{
    EnvironmentInfoParams, EnvironmentInfoResponse, EnvironmentShellInfo, EnvironmentStatusKind,
    EnvironmentStatusParams, EnvironmentStatusResponse, PathUri,
};
use crate::server::context::Cx;
use crate::server::error::{Error, Result};
use crate::store::uri;
use crate::thread::LOCAL;

pub(crate) async fn info(cx: Cx, params: EnvironmentInfoParams) -> Result<EnvironmentInfoResponse> {
    if params.environment_id != LOCAL {
        return Err(Error::invalid_request(unknown(&params.environment_id)));
    }
    let shared = &cx.server.threads.shared;
    let (shell, cwd) = (shared.shell(), PathUri(uri::of(&shared.cwd)));
    let shell = EnvironmentShellInfo {
        name: shell.name().to_owned(),
        path: shell.path().to_string_lossy().into_owned(),
    };
    Ok(EnvironmentInfoResponse { shell, cwd: Some(cwd) })
}

pub(crate) async fn status(
    _cx: Cx,
    params: EnvironmentStatusParams,
) -> Result<EnvironmentStatusResponse> {
    Ok(match params.environment_id.as_str() {
        LOCAL => EnvironmentStatusResponse { status: EnvironmentStatusKind::Ready, error: None },
        other => EnvironmentStatusResponse {
            status: EnvironmentStatusKind::Unknown,
            error: Some(unknown(other)),
        },
    })
}

fn unknown(id: &str) -> String {
    format!("unknown environment id `{id}`")
}
