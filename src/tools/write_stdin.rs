//! `write_stdin`: types into a running command, or looks at what it has printed since.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::approval::{APPROVAL, answered, ask};
use super::auto_review::{self, Review};
use super::command::Command;
use super::exec_command::{DEFAULT_OUTPUT_TOKENS, YIELD, report};
use super::spec::{function, shell_is_offered};
use super::{Cx, Effect, Outcome, Run, Tool, arguments};
use crate::config::Feature;
use crate::exec::{Io, WriteError};
use crate::policy::decide::SandboxKind;
use crate::protocol::{
    AskForApproval, CommandExecutionApprovalDecision as Answer, CommandExecutionApprovalKind,
    CommandExecutionRequestApprovalParams, GuardianApprovalReviewAction, method,
};

/// What to wait after typing, and at least when only looking, in milliseconds.
const DEFAULT_YIELD: u64 = 250;
const MIN_POLL: u64 = 5_000;

const NO_TERMINAL: &str =
    "stdin is closed for this session; rerun exec_command with tty=true to keep stdin open";

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "write_stdin",
    is_offered: shell_is_offered,
    definition: |_| definition(),
    run: Run::Function(|cx, arguments| Box::pin(run(cx, arguments))),
};

#[derive(Debug, Deserialize)]
struct Arguments {
    session_id: i64,
    #[serde(default)]
    chars: String,
    yield_time_ms: Option<u64>,
    max_output_tokens: Option<usize>,
}

async fn run(cx: &Cx, text: String) -> Outcome {
    let arguments: Arguments = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    let id = u32::try_from(arguments.session_id).ok();
    let Some(session) = id.and_then(|id| cx.scene.terminals.get(id)) else {
        id.into_iter().for_each(|id| cx.scene.grants().forget_escaped(id));
        return failed(&format!("Unknown process id {}", arguments.session_id));
    };
    let wait = arguments.yield_time_ms.unwrap_or(DEFAULT_YIELD);
    let wait = match arguments.chars.is_empty() {
        true => wait.clamp(MIN_POLL, cx.scene.max_poll_ms.max(MIN_POLL)),
        false => wait.clamp(*YIELD.start(), *YIELD.end()),
    };
    let chars = arguments.chars;
    if !chars.is_empty() && !session.takes(chars.as_bytes()) {
        return failed(NO_TERMINAL);
    }
    if !chars.is_empty()
        && let Some(refusal) = refused(cx, session.id(), &chars).await
    {
        return refusal;
    }
    // Told before it is typed: what is typed may end the command, and then there is nothing left to tell it of.
    if !(chars.is_empty() && session.finished().is_some()) {
        cx.apply(Effect::Interaction { session: session.id(), stdin: chars.clone() }).await;
    }
    if !chars.is_empty() {
        match session.write(chars.as_bytes()).await {
            // What a command printed before it ended is handed out below.
            Ok(()) | Err(WriteError::Ended) => {}
            Err(WriteError::StdinClosed) => return failed(NO_TERMINAL),
            Err(WriteError::Io(error)) => return failed(&error.to_string()),
        }
    }
    let collected = session.collect(Duration::from_millis(wait)).await;
    if collected.exit.is_some() {
        drop(cx.scene.terminals.remove(session.id()));
    }
    let max_tokens = arguments.max_output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS);
    Outcome::text(report(cx, &collected, session.id(), max_tokens))
}

/// Asks about input to a terminal that nothing shuts in; `None` when it may be typed.
async fn refused(cx: &Cx, session: u32, chars: &str) -> Option<Outcome> {
    let scene = &cx.scene;
    let asks = scene.config.features.on(Feature::WriteStdinApproval)
        && SandboxKind::from(&scene.sandbox).restricts()
        && scene.approval_policy != AskForApproval::Never;
    let terminal = scene.grants().escaped(session).filter(|_| asks)?;
    let session = session.to_string();
    let action = || GuardianApprovalReviewAction::WriteStdin {
        approval_id: cx.id.to_string(),
        process_id: session.clone(),
        stdin: chars.to_owned(),
        cwd: terminal.cwd.as_path().into(),
    };
    match auto_review::review(cx, None, action).await {
        Some(Review::Allowed) => return None,
        Some(Review::Denied(told)) => {
            return Some(Outcome::text(format!("write_stdin rejected: {told}")));
        }
        None => {}
    }
    let argv = ["write_stdin", "--session-id", &session, chars].map(str::to_owned).to_vec();
    let reason = "This is typed into a terminal outside the sandbox, which may do whatever you may. Its folder is the \
                  one that it was started in; it may be somewhere else by now.";
    let params = CommandExecutionRequestApprovalParams {
        kind: CommandExecutionApprovalKind::WriteStdin,
        item_id: terminal.item,
        approval_id: Some(cx.id.to_string()),
        ..Command::new(argv, terminal.cwd, Io::Pipes).approval_request(
            cx,
            Some(reason.to_owned()),
            None,
        )
    };
    let answer = ask::<method::CommandExecutionRequestApproval>(cx, APPROVAL, None, &params).await;
    answered(cx, APPROVAL).await;
    match answer.map(|answer| answer.decision) {
        Some(
            Answer::Accept
            | Answer::AcceptForSession
            | Answer::AcceptWithExecpolicyAmendment { .. },
        ) => None,
        Some(Answer::Cancel) => Some(Outcome::Cancelled),
        Some(Answer::Decline | Answer::ApplyNetworkPolicyAmendment { .. }) => {
            Some(Outcome::text("write_stdin rejected: rejected by user"))
        }
        None => Some(Outcome::text("write_stdin rejected: the approval request failed")),
    }
}

fn failed(reason: &str) -> Outcome {
    Outcome::text(format!("write_stdin failed: {reason}"))
}

fn definition() -> Value {
    function(
        "write_stdin",
        "Types into a running session of `exec_command`, or only waits for it, and returns what \
         it has printed since the last answer, with the exit code once it has ended.",
        &json!({
            "session_id": {
                "type": "number",
                "description": "The session ID from the answer of `exec_command`.",
            },
            "chars": {
                "type": "string",
                "description": "What to type, as it stands; a line ends with \\n. \\u0003 \
                                interrupts; anything else needs a session with `tty`. Empty, the \
                                default: only wait.",
            },
            "yield_time_ms": {
                "type": "number",
                "description": "How long to wait for output, in whole milliseconds. After typing \
                                250 to 30000, default 250; when only waiting at least 5000, \
                                usually up to 300000, returning early when the session ends.",
            },
            "max_output_tokens": {
                "type": "number",
                "description": "As for `exec_command`. Default: 10000.",
            },
        }),
        &["session_id"],
    )
}
