//! `exec_command`: runs a script in the user's shell, and leaves it running when it takes longer than the model
//! wants to wait.

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::approval::{APPROVAL, answered, ask};
use super::confinement::confined;
use super::scene::AllowLogin;
use super::spec::{function, shell_is_offered};
use super::{Announced, Cx, Effect, Outcome, Run, Tool, apply_patch, arguments, hooked};
use crate::exec::{
    Collected, Confined, Identity, Io, Session, Shell, Spawn, Startup, base_set, shell_environment,
    tokens, truncate_for_model,
};
use crate::extension::hooks::Permission;
use crate::patch::{self, Script};
use crate::policy::action::command_actions;
use crate::policy::decide::{self, CommandQuestion, Decision, Place, Request, SandboxKind};
use crate::policy::grant::{CommandKey, Terminal};
use crate::policy::redact::redact;
use crate::policy::{amendment, shell};
use crate::protocol::{
    CommandAction, CommandExecutionApprovalDecision as Answer, CommandExecutionApprovalKind,
    CommandExecutionRequestApprovalParams, CommandExecutionSource, CommandExecutionStatus,
    NetworkPolicyRuleAction, ThreadItem, TimedItem, method,
};
use crate::sandbox::Missing;
use crate::thread::{LOCAL, item};
use crate::util::path::absolute;
use crate::util::time::now_ms;

/// Bounds of `yield_time_ms`, in milliseconds.
pub(super) const YIELD: RangeInclusive<u64> = 250..=30_000;
const DEFAULT_YIELD: u64 = 10_000;
/// Commands that end within this time show their output with their end, and not before.
const QUIET: Duration = Duration::from_millis(150);
/// Tokens of output that a model is shown unless it says otherwise.
pub(super) const DEFAULT_OUTPUT_TOKENS: usize = 10_000;

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "exec_command",
    is_offered: shell_is_offered,
    definition: |_| definition(),
    run: Run::Function(|cx, arguments| Box::pin(run(cx, arguments))),
};

#[derive(Debug, Deserialize)]
struct Arguments {
    cmd: String,
    workdir: Option<String>,
    #[serde(default)]
    tty: bool,
    yield_time_ms: Option<u64>,
    max_output_tokens: Option<usize>,
    shell: Option<String>,
    login: Option<bool>,
    sandbox_permissions: Option<SandboxPermissions>,
    justification: Option<String>,
    prefix_rule: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SandboxPermissions {
    UseDefault,
    RequireEscalated,
    WithAdditionalPermissions,
}

/// A command that is about to run.
struct Command {
    argv: Vec<String>,
    cwd: PathBuf,
    io: Io,
    actions: Vec<CommandAction>,
    started_at_ms: i64,
}

/// How the question about a command came out.
enum Verdict {
    Run(Announced, Place),
    /// It does not run; the model is told why.
    Refused(Outcome),
}

async fn run(cx: &Cx, text: String) -> Outcome {
    let arguments: Arguments = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    let scene = &cx.scene;
    let cwd = absolute(&scene.cwd, Path::new(arguments.workdir.as_deref().unwrap_or_default()));
    match patch::intercept(&arguments.cmd) {
        Script::Patch { text, cd } => {
            let cwd = absolute(&cwd, Path::new(cd.as_deref().unwrap_or_default()));
            return apply_patch::run_script(cx, &text, &cwd).await;
        }
        Script::BarePatch => return Outcome::text(apply_patch::BARE_PATCH),
        Script::Other => {}
    }
    if arguments.login == Some(true) && scene.allow_login_shell == AllowLogin::No {
        return Outcome::text(
            "login shells are disabled by the configuration; call again with login set to false",
        );
    }
    if arguments.justification.is_some() && arguments.sandbox_permissions.is_none() {
        return Outcome::text(
            "`justification` requires an explicit `sandbox_permissions`; say what the command needs",
        );
    }
    let shell = arguments
        .shell
        .as_deref()
        .map_or_else(|| scene.shell.clone(), |asked| Shell::resolve(asked, &scene.shell));
    let startup = match arguments.login.unwrap_or(scene.allow_login_shell == AllowLogin::Yes) {
        true => Startup::Login,
        false => Startup::Plain,
    };
    let argv = shell.argv(startup, &arguments.cmd);
    let command = Command {
        actions: command_actions(&argv, &cwd),
        argv,
        cwd,
        io: if arguments.tty { Io::TERMINAL } else { Io::Pipes },
        started_at_ms: now_ms(),
    };
    let sandbox = Sandbox::of(cx).await;
    let (announced, place) = match approve(cx, &command, &arguments, &sandbox).await {
        Verdict::Run(announced, place) => (announced, place),
        Verdict::Refused(told) => return told,
    };
    let wait = arguments.yield_time_ms.unwrap_or(DEFAULT_YIELD).clamp(*YIELD.start(), *YIELD.end());
    let max_tokens = arguments.max_output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS);
    let confined = sandbox.at(place);
    start(cx, &command, confined, announced, Duration::from_millis(wait), max_tokens).await
}

/// The sandbox of commands, and whether there is one to be had.
enum Sandbox {
    NotWanted,
    Ready(Confined),
    Missing(Missing),
}

impl Sandbox {
    async fn of(cx: &Cx) -> Self {
        let scene = Arc::clone(&cx.scene);
        let shut_in = move || confined(&scene.sandbox, &scene.workspace, &scene.files);
        match tokio::task::spawn_blocking(shut_in).await {
            Ok(Ok(Some(confined))) => Self::Ready(confined),
            Ok(Ok(None)) => Self::NotWanted,
            Ok(Err(missing)) => Self::Missing(missing),
            Err(panicked) => Self::Missing(Missing::Everything(panicked.to_string())),
        }
    }

    /// What confines a command in this place.
    fn at(self, place: Place) -> Option<Confined> {
        match (self, place) {
            (Self::Ready(confined), Place::Inside) => Some(confined),
            (Self::Ready(_), Place::Outside) | (Self::NotWanted | Self::Missing(_), _) => None,
        }
    }
}

/// Decides whether the command runs, asking the user where the policy says so.
async fn approve(cx: &Cx, command: &Command, arguments: &Arguments, sandbox: &Sandbox) -> Verdict {
    let scene = &cx.scene;
    let request = match arguments.sandbox_permissions {
        Some(SandboxPermissions::RequireEscalated) => Request::Escalated,
        Some(SandboxPermissions::WithAdditionalPermissions) => Request::Widened,
        Some(SandboxPermissions::UseDefault) | None => Request::Default,
    };
    let terminal = if arguments.tty { Terminal::With } else { Terminal::Without };
    let key = CommandKey::new(&command.argv, &command.cwd, terminal, request, None);
    let decision = {
        let rules = scene.rules.lock().unwrap_or_else(PoisonError::into_inner);
        decide::command(&CommandQuestion {
            argv: &command.argv,
            policy: &scene.approval_policy,
            sandbox: SandboxKind::from(&scene.sandbox),
            missing: match sandbox {
                Sandbox::Missing(missing) => Some(missing),
                Sandbox::NotWanted | Sandbox::Ready(_) => None,
            },
            request,
            justification: arguments.justification.as_deref(),
            suggested_prefix: arguments.prefix_rule.as_deref().unwrap_or_default(),
            rules: &rules,
        })
    };
    let (reason, amendment, place) = match decision {
        Decision::Run(place) => return Verdict::Run(Announced::No, place),
        Decision::Refuse { told } => return Verdict::Refused(Outcome::text(told)),
        Decision::Ask { place, .. } if scene.grants().allows_command(&key) => {
            return Verdict::Run(Announced::No, place);
        }
        Decision::Ask { reason, amendment, place } => (reason, amendment, place),
    };
    match hooked::permission(cx, hooked::COMMAND, &[], || as_hooks_know(arguments)).await {
        Some(Permission::Allow) => return Verdict::Run(Announced::No, place),
        Some(Permission::Deny(reason)) => {
            return Verdict::Refused(Outcome::text(rejected(&reason)));
        }
        None => {}
    }
    let item = command.item(cx, CommandExecutionSource::Agent, None);
    let params = command.approval_request(cx, reason, amendment);
    let answer =
        ask::<method::CommandExecutionRequestApproval>(cx, APPROVAL, Some(item.clone()), &params)
            .await;
    match answer.map(|answer| answer.decision) {
        Some(Answer::Accept) => {}
        Some(Answer::AcceptForSession) => scene.grants().allow_command(key),
        Some(Answer::AcceptWithExecpolicyAmendment { execpolicy_amendment }) => {
            amend(cx, &execpolicy_amendment).await;
        }
        Some(Answer::ApplyNetworkPolicyAmendment { network_policy_amendment })
            if network_policy_amendment.action == NetworkPolicyRuleAction::Allow => {}
        Some(Answer::Cancel) => {
            not_run(cx, item, CommandExecutionStatus::Declined).await;
            return Verdict::Refused(Outcome::Cancelled);
        }
        Some(Answer::Decline | Answer::ApplyNetworkPolicyAmendment { .. }) => {
            not_run(cx, item, CommandExecutionStatus::Declined).await;
            return Verdict::Refused(Outcome::text(rejected("rejected by user")));
        }
        None => {
            not_run(cx, item, CommandExecutionStatus::Failed).await;
            return Verdict::Refused(Outcome::text(rejected("the approval request failed")));
        }
    }
    answered(cx, APPROVAL).await;
    Verdict::Run(Announced::Yes, place)
}

/// Ends the item of a command that does not run, and its question.
async fn not_run(cx: &Cx, mut item: TimedItem, became: CommandExecutionStatus) {
    if let ThreadItem::CommandExecution { status, .. } = &mut item.item {
        *status = became;
    }
    cx.apply(Effect::ItemCompleted(item)).await;
    answered(cx, APPROVAL).await;
}

fn as_hooks_know(arguments: &Arguments) -> Value {
    json!({ "command": arguments.cmd, "description": arguments.justification })
}

/// What a command that has ended has printed, out of what the model is told of it.
pub(super) fn plain_output(told: &str) -> Option<&str> {
    let (heading, output) = told.split_once("Output:\n")?;
    (!heading.contains("Process running with session ID")).then_some(output)
}

/// Models know this frame of a refusal.
fn rejected(reason: &str) -> String {
    format!("exec_command failed: CreateProcess {{ message: \"Rejected(\\\"{reason}\\\")\" }}")
}

/// Saves the rule that the user has accepted; the command runs whether or not that works.
async fn amend(cx: &Cx, prefix: &[String]) {
    let told = match amendment::save(&cx.scene.home, prefix) {
        Ok(()) => {
            cx.scene.rules.lock().unwrap_or_else(PoisonError::into_inner).allow(prefix);
            Effect::Tell(prompt_for_amendment(prefix))
        }
        Err(error) => Effect::Warn(format!("The rule could not be applied: {error}")),
    };
    cx.apply(told).await;
}

fn prompt_for_amendment(prefix: &[String]) -> String {
    let words = prefix.join(" ");
    format!(
        "The user has approved commands that start with `{words}`. They will not be asked about again."
    )
}

/// Runs the command and waits for it, but not for longer than `wait`.
async fn start(
    cx: &Cx,
    command: &Command,
    confined: Option<Confined>,
    announced: Announced,
    wait: Duration,
    max_tokens: usize,
) -> Outcome {
    let scene = &cx.scene;
    let id = scene.terminals.free_id();
    let item = command.item(cx, CommandExecutionSource::UnifiedExecStartup, Some(id));
    cx.apply(Effect::CommandStarted { session: id, item: item.clone(), announced }).await;
    let spawn = Spawn {
        argv: command.argv.clone(),
        cwd: command.cwd.clone(),
        env: environment(cx),
        io: command.io,
        confined,
        quiet: QUIET,
    };
    let session = match Session::start(id, spawn, cx.events.clone()) {
        Ok(session) => session,
        Err(error) => {
            let message = format!("Failed to create unified exec process: {}", root_cause(&error));
            cx.apply(Effect::CommandFailed { session: id, message: message.clone() }).await;
            return Outcome::text(format!(
                "exec_command failed: CreateProcess {{ message: {message:?} }}"
            ));
        }
    };
    // The one that had to make room ends by itself; its item is completed when it does.
    drop(scene.terminals.insert(session.clone()));
    let collected = session.collect(wait).await;
    if collected.exit.is_some() {
        drop(scene.terminals.remove(id));
    }
    Outcome::text(report(cx, &collected, id, max_tokens))
}

/// What the model is told of a command that has run, or still runs.
pub(super) fn report(cx: &Cx, collected: &Collected, session: u32, max_tokens: usize) -> String {
    let chunk: String = Uuid::new_v4().simple().to_string().chars().take(6).collect();
    let state = match collected.exit {
        Some(code) => format!("Process exited with code {code}"),
        None => format!("Process running with session ID {session}"),
    };
    let heading = format!(
        "Chunk ID: {chunk}\nWall time: {:.4} seconds\n{state}\nOriginal token count: {}\nOutput:\n",
        collected.wall.as_secs_f64(),
        tokens(collected.output.bytes),
    );
    truncate_for_model(&heading, &collected.output, cx.scene.truncation, max_tokens)
}

fn environment(cx: &Cx) -> Vec<(OsString, OsString)> {
    let thread = cx.scene.thread.as_str();
    let identity = Identity {
        thread,
        session: thread,
        call: cx.id.as_str(),
        version: crate::COMPATIBLE_VERSION,
    };
    let mut base = base_set(identity);
    if cx.scene.network_is_restricted() {
        base.push(("CODEX_SANDBOX_NETWORK_DISABLED".into(), "1".into()));
    }
    if let Some(profile) = &cx.scene.profile {
        base.push(("CODEX_PERMISSION_PROFILE".into(), profile.into()));
    }
    shell_environment(&cx.scene.environment, std::env::vars_os(), base)
}

/// An action whose command shows no secrets.
fn redacted(mut action: CommandAction) -> CommandAction {
    let (CommandAction::Read { command, .. }
    | CommandAction::ListFiles { command, .. }
    | CommandAction::Search { command, .. }
    | CommandAction::Unknown { command }) = &mut action;
    *command = redact(command).into_owned();
    action
}

/// What an error comes down to.
fn root_cause(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.last().map_or_else(|| error.to_string(), ToString::to_string)
}

impl Command {
    fn item(&self, cx: &Cx, source: CommandExecutionSource, session: Option<u32>) -> TimedItem {
        let item = ThreadItem::CommandExecution {
            id: cx.id.clone(),
            plugin_id: None,
            script_path: None,
            command: redact(&shell::display(&self.argv)).into_owned(),
            cwd: self.cwd.as_path().into(),
            process_id: session.map(|id| id.to_string()),
            source,
            status: CommandExecutionStatus::InProgress,
            command_actions: self.actions.iter().cloned().map(redacted).collect(),
            aggregated_output: None,
            exit_code: None,
            duration_ms: None,
        };
        item::started(item, self.started_at_ms)
    }

    fn approval_request(
        &self,
        cx: &Cx,
        reason: Option<String>,
        amendment: Option<Vec<String>>,
    ) -> CommandExecutionRequestApprovalParams {
        let mut decisions = vec![Answer::Accept];
        decisions.extend(
            amendment.clone().map(|prefix| Answer::AcceptWithExecpolicyAmendment {
                execpolicy_amendment: prefix,
            }),
        );
        decisions.push(Answer::Cancel);
        CommandExecutionRequestApprovalParams {
            kind: CommandExecutionApprovalKind::Command,
            thread_id: cx.scene.thread.clone(),
            turn_id: cx.turn.clone(),
            item_id: cx.id.clone(),
            started_at_ms: self.started_at_ms,
            approval_id: None,
            environment_id: Some(LOCAL.to_owned()),
            reason,
            network_approval_context: None,
            command: Some(shell::display(&self.argv)),
            cwd: Some(self.cwd.as_path().into()),
            command_actions: Some(self.actions.iter().cloned().map(redacted).collect()),
            additional_permissions: None,
            proposed_execpolicy_amendment: amendment,
            proposed_network_policy_amendments: None,
            available_decisions: Some(decisions),
        }
    }
}

fn definition() -> Value {
    function(
        "exec_command",
        "Runs a script in a new shell. The answer holds what it printed (stdout and stderr \
         together) and either its exit code or, when it has not ended in time, a session ID with \
         which `write_stdin` reaches it while it goes on running.",
        &json!({
            "cmd": {
                "type": "string",
                "description": "The script. A script that consists of one `apply_patch` call with \
                                a here-document edits files.",
            },
            "workdir": {
                "type": "string",
                "description": "Directory to run in, absolute or relative to the working \
                                directory of the conversation, which is the default.",
            },
            "shell": {
                "type": "string",
                "description": "Name or path of the shell to use, such as `bash`. Default: the \
                                user's shell.",
            },
            "login": {
                "type": "boolean",
                "description": "Whether to start it as a login shell. Default: true, where the \
                                configuration allows it.",
            },
            "tty": {
                "type": "boolean",
                "description": "Whether to give the script a terminal (24 rows, 80 columns) \
                                instead of pipes. Needed for typing into it later; without one \
                                its stdin is closed. Default: false.",
            },
            "yield_time_ms": {
                "type": "number",
                "description": "How long to wait for the end, in whole milliseconds, 250 to \
                                30000. The answer comes earlier when the script ends earlier. \
                                Default: 10000.",
            },
            "max_output_tokens": {
                "type": "number",
                "description": "How much output to return at most, in tokens of about four bytes; \
                                the middle of longer output is left out. Default: 10000, which \
                                the model's own limit may lower.",
            },
            "sandbox_permissions": {
                "type": "string",
                "enum": ["use_default", "require_escalated"],
                "description": "`require_escalated` asks to run outside the sandbox, where the \
                                approval policy lets you ask. Default: `use_default`.",
            },
            "justification": {
                "type": "string",
                "description": "What the user is shown when asked about this command: a short \
                                question that names its purpose. Give it with \
                                `require_escalated`.",
            },
            "prefix_rule": {
                "type": "array",
                "items": { "type": "string" },
                "description": "First words of the command that the user may allow for good \
                                together with it, such as [\"cargo\", \"fetch\"]. Keep it narrow. \
                                Only with `require_escalated`.",
            },
        }),
        &["cmd"],
    )
}
