//! Turns: their thread decides, and answers.

use crate::protocol::{
    ReviewStartParams, ReviewStartResponse, ThreadCompactStartParams, ThreadCompactStartResponse,
    TurnInterruptParams, TurnInterruptResponse, TurnSettingsUpdateParams,
    TurnSettingsUpdateResponse, TurnStartParams, TurnStartResponse, TurnSteerParams,
    TurnSteerResponse,
};
use crate::server::context::{Cx, Later};
use crate::server::error::Result;
use crate::thread::{Command, ReviewTask};

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
