//! Remote control: being reached from elsewhere by way of the hosted offer. There is none here, which clients want to
//! know.

use crate::protocol::{
    NoParams, RemoteControlClientsListParams, RemoteControlClientsListResponse,
    RemoteControlClientsRevokeParams, RemoteControlClientsRevokeResponse,
    RemoteControlConnectionStatus, RemoteControlDisableParams, RemoteControlDisableResponse,
    RemoteControlEnableParams, RemoteControlEnableResponse, RemoteControlPairingStartParams,
    RemoteControlPairingStartResponse, RemoteControlPairingStatusParams,
    RemoteControlPairingStatusResponse, RemoteControlStatusChangedNotification,
    RemoteControlStatusReadResponse,
};
use crate::server::context::Cx;
use crate::server::error::{Error, Result};

pub(super) fn status(installation: &str) -> RemoteControlStatusChangedNotification {
    RemoteControlStatusChangedNotification {
        status: RemoteControlConnectionStatus::Disabled,
        server_name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        installation_id: installation.to_owned(),
        environment_id: None,
    }
}

pub(crate) async fn read_status(
    cx: Cx,
    _params: NoParams,
) -> Result<RemoteControlStatusReadResponse> {
    let RemoteControlStatusChangedNotification {
        status,
        server_name,
        installation_id,
        environment_id,
    } = status(cx.server.threads.shared.installation());
    Ok(RemoteControlStatusReadResponse { status, server_name, installation_id, environment_id })
}

pub(crate) async fn enable(
    _cx: Cx,
    _params: Option<RemoteControlEnableParams>,
) -> Result<RemoteControlEnableResponse> {
    Err(needs_account())
}

pub(crate) async fn disable(
    _cx: Cx,
    _params: Option<RemoteControlDisableParams>,
) -> Result<RemoteControlDisableResponse> {
    Err(needs_account())
}

pub(crate) async fn start_pairing(
    _cx: Cx,
    _params: RemoteControlPairingStartParams,
) -> Result<RemoteControlPairingStartResponse> {
    Err(not_enabled())
}

pub(crate) async fn pairing_status(
    _cx: Cx,
    params: RemoteControlPairingStatusParams,
) -> Result<RemoteControlPairingStatusResponse> {
    if params.pairing_code.is_none() && params.manual_pairing_code.is_none() {
        return Err(Error::invalid_request(
            "remoteControl/pairing/status requires pairingCode or manualPairingCode",
        ));
    }
    Err(not_enabled())
}

pub(crate) async fn clients(
    _cx: Cx,
    _params: RemoteControlClientsListParams,
) -> Result<RemoteControlClientsListResponse> {
    Err(needs_account())
}

pub(crate) async fn revoke(
    _cx: Cx,
    _params: RemoteControlClientsRevokeParams,
) -> Result<RemoteControlClientsRevokeResponse> {
    Err(needs_account())
}

fn needs_account() -> Error {
    Error::invalid_request("remote control requires ChatGPT authentication")
}

fn not_enabled() -> Error {
    Error::invalid_request("remote control pairing requires remote control to be enabled")
}
