//! Commands that clients run for themselves, each within the connection that started it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Sources;
use crate::config::permission::{self, Access, Asked};
use crate::config::profile::file_rules;
use crate::exec::{Confined, Delta, Source};
use crate::protocol::{
    CommandExecOutputDeltaNotification, CommandExecOutputStream, CommandExecParams,
    CommandExecResizeParams, CommandExecResizeResponse, CommandExecResponse,
    CommandExecTerminalSize, CommandExecTerminateParams, CommandExecTerminateResponse,
    CommandExecWriteParams, CommandExecWriteResponse, SandboxPolicy, method,
};
use crate::server::client_process::{Family, Limit, Size, Wish, encode};
use crate::server::context::{Cx, Later, blocking};
use crate::server::error::{Error, Result};
use crate::tools::confined;

const FAMILY: Family = Family {
    taken: "duplicate active command/exec process id",
    unknown: "no active command/exec for process id",
    subject: "command/exec",
    start: "command/exec",
    write: "command/exec/write",
    sized: "command/exec",
    noun: "command",
};

/// Starts a command before anything else is read, so that what the client says to it finds it.
pub(crate) async fn exec(cx: Cx, params: CommandExecParams) -> Result<Later<CommandExecResponse>> {
    if params.sandbox_policy.is_some() && params.permission_profile.is_some() {
        let refusal = "`permissionProfile` cannot be combined with `sandboxPolicy`";
        return Err(Error::invalid_request(refusal));
    }
    let process_id = params.process_id.clone();
    let (policy, profile) = (params.sandbox_policy.clone(), params.permission_profile.clone());
    let mut wish = wish(&cx, params)?;
    let (sources, cwd) = (Arc::clone(&cx.server.sources), wish.cwd.clone());
    wish.confined = blocking(move || shut_in(&sources, cwd, policy, profile.as_deref())).await??;
    let started = FAMILY.start(&cx.connection.commands, wish)?;
    cx.clone().server.spawn(async move {
        let told = |delta: Delta| CommandExecOutputDeltaNotification {
            process_id: process_id.clone().unwrap_or_default(),
            stream: match delta.source {
                Source::Stdout => CommandExecOutputStream::Stdout,
                Source::Stderr => CommandExecOutputStream::Stderr,
            },
            delta_base64: encode(&delta.bytes),
            cap_reached: delta.cap_reached,
        };
        let end = started.follow::<method::CommandExecOutputDelta>(&cx, told).await;
        let _answered = cx.answer(&CommandExecResponse {
            exit_code: end.exit_code,
            stdout: end.stdout.text,
            stderr: end.stderr.text,
        });
    });
    Ok(Later::elsewhere())
}

fn wish(cx: &Cx, params: CommandExecParams) -> Result<Wish> {
    let streams = params.tty || params.stream_stdin || params.stream_stdout_stderr;
    if streams && params.process_id.is_none() && !params.command.is_empty() {
        let refusal = "command/exec tty or streaming requires a client-supplied processId";
        return Err(Error::invalid_request(refusal));
    }
    let excluded = |member: &str, flag: &str| {
        Error::invalid_params(format!("command/exec cannot set both {member} and {flag}"))
    };
    let timeout = match (params.timeout_ms, params.disable_timeout) {
        (Some(_), true) => return Err(excluded("timeoutMs", "disableTimeout")),
        (Some(ms), false) => Limit::To(ms),
        (None, true) => Limit::Unlimited,
        (None, false) => Limit::Default,
    };
    let cap = match (params.output_bytes_cap, params.disable_output_cap) {
        (Some(_), true) => return Err(excluded("outputBytesCap", "disableOutputCap")),
        (Some(bytes), false) => Limit::To(bytes),
        (None, true) => Limit::Unlimited,
        (None, false) => Limit::Default,
    };
    Ok(Wish {
        name: params.process_id,
        command: params.command,
        cwd: cx.server.threads.shared.cwd.join(params.cwd.map(PathBuf::from).unwrap_or_default()),
        env: params.env,
        confined: None,
        tty: params.tty,
        stream_stdin: params.stream_stdin,
        stream_output: params.stream_stdout_stderr,
        size: params.size.map(Size::from),
        timeout,
        cap,
    })
}

/// How a command is shut in: as the client says, else as the configuration does. Looks at the disk.
fn shut_in(
    sources: &Sources,
    cwd: PathBuf,
    policy: Option<SandboxPolicy>,
    profile: Option<&str>,
) -> Result<Option<Confined>> {
    let (policy, files) = match policy {
        Some(policy) => (policy, Vec::new()),
        None => {
            let config = sources.load(Some(&cwd), None)?.effective;
            let asked = profile.map_or(Asked::Nothing, Asked::Permissions);
            let Access { sandbox, profile, .. } = permission::access(&config, None, asked)?;
            let profile = profile.as_ref().map(|profile| profile.id.as_str());
            let files = file_rules(profile, &config, std::slice::from_ref(&cwd));
            (sandbox, files)
        }
    };
    confined(&policy, &[cwd], &files)
        .map_err(|missing| Error::internal(format!("failed to spawn command: {missing}")))
}

impl From<CommandExecTerminalSize> for Size {
    fn from(CommandExecTerminalSize { rows, cols }: CommandExecTerminalSize) -> Self {
        Self { rows, cols }
    }
}

/// Queues the input before anything else is read, and answers when the command has it.
pub(crate) async fn write(
    cx: Cx,
    params: CommandExecWriteParams,
) -> Result<Later<CommandExecWriteResponse>> {
    let input = FAMILY.input(
        &cx.connection.commands,
        &params.process_id,
        params.delta_base64,
        params.close_stdin,
    )?;
    cx.clone().server.spawn(input.told(cx, CommandExecWriteResponse {}));
    Ok(Later::elsewhere())
}

pub(crate) async fn resize(
    cx: Cx,
    params: CommandExecResizeParams,
) -> Result<CommandExecResizeResponse> {
    FAMILY.resize(&cx.connection.commands, &params.process_id, params.size.into())?;
    Ok(CommandExecResizeResponse {})
}

pub(crate) async fn terminate(
    cx: Cx,
    params: CommandExecTerminateParams,
) -> Result<CommandExecTerminateResponse> {
    FAMILY.kill(&cx.connection.commands, &params.process_id)?;
    Ok(CommandExecTerminateResponse {})
}
