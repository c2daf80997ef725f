//! Processes that clients run for themselves without a sandbox, each within the connection that started it.

use crate::exec::{Delta, Source};
use crate::protocol::{
    ProcessExitedNotification, ProcessKillParams, ProcessKillResponse,
    ProcessOutputDeltaNotification, ProcessOutputStream, ProcessResizePtyParams,
    ProcessResizePtyResponse, ProcessSpawnParams, ProcessSpawnResponse, ProcessTerminalSize,
    ProcessWriteStdinParams, ProcessWriteStdinResponse, method,
};
use crate::server::audience::Reach;
use crate::server::client_process::{Family, Size, Wish, encode};
use crate::server::context::{Cx, Later};
use crate::server::error::Result;

const FAMILY: Family = Family {
    taken: "duplicate active process handle",
    unknown: "no active process for process handle",
    subject: "process",
    start: "process/spawn",
    write: "process/writeStdin",
    sized: "process",
    noun: "process",
};

/// Starts a process before anything else is read, so that what the client says to it finds it.
pub(crate) async fn spawn(
    cx: Cx,
    params: ProcessSpawnParams,
) -> Result<Later<ProcessSpawnResponse>> {
    let process_handle = params.process_handle.clone();
    let wish = Wish {
        name: Some(params.process_handle),
        command: params.command,
        cwd: params.cwd.as_path().to_owned(),
        env: params.env,
        confined: None,
        tty: params.tty,
        stream_stdin: params.stream_stdin,
        stream_output: params.stream_stdout_stderr,
        size: params.size.map(Size::from),
        timeout: params.timeout_ms.into(),
        cap: params.output_bytes_cap.into(),
    };
    let started = FAMILY.start(&cx.connection.processes, wish)?;
    let answered = cx.answer(&ProcessSpawnResponse {});
    cx.clone().server.spawn(async move {
        let told = |delta: Delta| ProcessOutputDeltaNotification {
            process_handle: process_handle.clone(),
            stream: match delta.source {
                Source::Stdout => ProcessOutputStream::Stdout,
                Source::Stderr => ProcessOutputStream::Stderr,
            },
            delta_base64: encode(&delta.bytes),
            cap_reached: delta.cap_reached,
        };
        let end = started.follow::<method::ProcessOutputDelta>(&cx, told).await;
        let exited = ProcessExitedNotification {
            process_handle,
            exit_code: end.exit_code,
            output_drain_timed_out: Some(end.drain_timed_out),
            stdout: end.stdout.text,
            stdout_cap_reached: end.stdout.cap_reached,
            stderr: end.stderr.text,
            stderr_cap_reached: end.stderr.cap_reached,
        };
        cx.server.audience.notify::<method::ProcessExited>(Reach::Only(cx.connection.id), &exited);
    });
    Ok(answered)
}

impl From<ProcessTerminalSize> for Size {
    fn from(ProcessTerminalSize { rows, cols }: ProcessTerminalSize) -> Self {
        Self { rows, cols }
    }
}

/// Queues the input before anything else is read, and answers when the process has it.
pub(crate) async fn write_stdin(
    cx: Cx,
    params: ProcessWriteStdinParams,
) -> Result<Later<ProcessWriteStdinResponse>> {
    let input = FAMILY.input(
        &cx.connection.processes,
        &params.process_handle,
        params.delta_base64,
        params.close_stdin,
    )?;
    cx.clone().server.spawn(input.told(cx, ProcessWriteStdinResponse {}));
    Ok(Later::elsewhere())
}

pub(crate) async fn resize(
    cx: Cx,
    params: ProcessResizePtyParams,
) -> Result<ProcessResizePtyResponse> {
    FAMILY.resize(&cx.connection.processes, &params.process_handle, params.size.into())?;
    Ok(ProcessResizePtyResponse {})
}

pub(crate) async fn kill(cx: Cx, params: ProcessKillParams) -> Result<ProcessKillResponse> {
    FAMILY.kill(&cx.connection.processes, &params.process_handle)?;
    Ok(ProcessKillResponse {})
}
