//! Turns: their thread decides, and answers.

use std::time::Duration;

use crate::protocol::{
    Request as _, ReviewStartParams, ReviewStartResponse, ThreadApproveGuardianDeniedActionParams,
    ThreadApproveGuardianDeniedActionResponse, ThreadCompactStartParams,
    ThreadCompactStartResponse, ThreadShellCommandParams, ThreadShellCommandResponse,
    TurnInterruptParams, TurnInterruptResponse, TurnSettingsUpdateParams,
    TurnSettingsUpdateResponse, TurnStartParams, TurnStartResponse, TurnSteerParams,
    TurnSteerResponse, method,
};
use crate::server::context::{Cx, Later};
use crate::server::error::{Error, Result};
use crate::thread::{Command, DeniedAction, ReviewTask};

pub(crate) async fn start(cx: Cx, params: TurnStartParams) -> Result<Later<TurnStartResponse>> {
    let thread = cx.thread(&params.thread_id)?;
    thread.start_turn(params, cx.reply()).await;
    Ok(Later::by_thread())
}

pub(crate) async fn compact(
    cx: Cx,
    params: ThreadCompactStartParams,
) -> Result<Later<ThreadCompactStartResponse>> {
    let thread = cx.thread(&params.thread_id)?;
    thread.send(Command::Compact { reply: cx.reply() }).await;
    Ok(Later::by_thread())
}

pub(crate) async fn approve_denied(
    cx: Cx,
    params: ThreadApproveGuardianDeniedActionParams,
) -> Result<Later<ThreadApproveGuardianDeniedActionResponse>> {
    let denied = DeniedAction::parse(params.event).map_err(|error| {
        Error::invalid_request(format!("invalid Guardian denial event: {error}"))
    })?;
    let thread = cx.thread(&params.thread_id)?;
    thread.send(Command::AllowDenied { denied, reply: cx.reply() }).await;
    Ok(Later::by_thread())
}

pub(crate) async fn shell_command(
    cx: Cx,
    params: ThreadShellCommandParams,
) -> Result<Later<ThreadShellCommandResponse>> {
    let limit = match params.timeout_ms {
        None => None,
        Some(limit) => Some(u64::try_from(limit).map(Duration::from_millis).map_err(|_| {
            let method = method::ThreadShellCommand::METHOD;
            Error::invalid_params(format!("{method} timeoutMs must be non-negative, got {limit}"))
        })?),
    };
    let thread = cx.thread(&params.thread_id)?;
    let script = params.command.trim().to_owned();
    if script.is_empty() {
        return Err(Error::invalid_request("command must not be empty"));
    }
    thread.send(Command::Shell { script, limit, reply: cx.reply() }).await;
    Ok(Later::by_thread())
}

pub(crate) async fn review(
    cx: Cx,
    params: ReviewStartParams,
) -> Result<Later<ReviewStartResponse>> {
    let thread = cx.thread(&params.thread_id)?;
    let cwd = thread.snapshot().await?.settings.cwd;
    let task = ReviewTask::of(&params.target, cwd.as_path()).await?;
    thread.send(Command::Review { task, reply: cx.reply() }).await;
    Ok(Later::by_thread())
}

pub(crate) async fn steer(cx: Cx, params: TurnSteerParams) -> Result<Later<TurnSteerResponse>> {
    let thread = cx.thread(&params.thread_id)?;
    thread.steer(params, cx.reply()).await;
    Ok(Later::by_thread())
}

pub(crate) async fn update_settings(
    cx: Cx,
    params: TurnSettingsUpdateParams,
) -> Result<Later<TurnSettingsUpdateResponse>> {
    let thread = cx.thread(&params.thread_id)?;
    thread.send(Command::UpdateTurn { params: Box::new(params), reply: cx.reply() }).await;
    Ok(Later::by_thread())
}

pub(crate) async fn interrupt(
    cx: Cx,
    params: TurnInterruptParams,
) -> Result<Later<TurnInterruptResponse>> {
    let thread = cx.thread(&params.thread_id)?;
    thread.send(Command::Interrupt { turn: params.turn_id, reply: cx.reply() }).await;
    Ok(Later::by_thread())
}
