//! The commands of a thread's agent that run.

use std::num::ParseIntError;

use super::page;
use crate::protocol::{
    ThreadBackgroundTerminal, ThreadBackgroundTerminalsCleanParams,
    ThreadBackgroundTerminalsCleanResponse, ThreadBackgroundTerminalsListParams,
    ThreadBackgroundTerminalsListResponse, ThreadBackgroundTerminalsTerminateParams,
    ThreadBackgroundTerminalsTerminateResponse,
};
use crate::server::context::{Cx, Later};
use crate::server::error::{Error, Result};
use crate::thread::{Command, Terminal};

pub(crate) async fn list(
    cx: Cx,
    params: ThreadBackgroundTerminalsListParams,
) -> Result<ThreadBackgroundTerminalsListResponse> {
    let thread = cx.thread(&params.thread_id)?;
    let after = params.cursor.as_deref().map(|cursor| number(cursor, "cursor")).transpose()?;
    let mut terminals = thread.terminals().await?;
    terminals.retain(|terminal| after.is_none_or(|after| terminal.session > after));
    let size = params.limit.map_or(usize::MAX, |limit| limit.max(1) as usize);
    let (page, next_cursor) = page::first(terminals, size, |terminal| terminal.session.to_string());
    let data = page.into_iter().map(shown).collect();
    Ok(ThreadBackgroundTerminalsListResponse { data, next_cursor })
}

pub(crate) async fn terminate(
    cx: Cx,
    params: ThreadBackgroundTerminalsTerminateParams,
) -> Result<Later<ThreadBackgroundTerminalsTerminateResponse>> {
    let thread = cx.thread(&params.thread_id)?;
    let session = number(&params.process_id, "background terminal process id")?;
    thread.send(Command::Terminate { session, reply: cx.reply() }).await;
    Ok(Later::by_thread())
}

pub(crate) async fn clean(
    cx: Cx,
    params: ThreadBackgroundTerminalsCleanParams,
) -> Result<Later<ThreadBackgroundTerminalsCleanResponse>> {
    let thread = cx.thread(&params.thread_id)?;
    thread.send(Command::TerminateAll { reply: cx.reply() }).await;
    Ok(Later::by_thread())
}

fn number(text: &str, what: &str) -> Result<u32> {
    text.parse()
        .map_err(|error: ParseIntError| Error::invalid_request(format!("invalid {what}: {error}")))
}

fn shown(terminal: Terminal) -> ThreadBackgroundTerminal {
    ThreadBackgroundTerminal {
        item_id: terminal.item,
        process_id: terminal.session.to_string(),
        command: terminal.script,
        cwd: terminal.cwd,
        os_pid: Some(terminal.pid),
        cpu_percent: None,
        rss_kb: None,
    }
}
