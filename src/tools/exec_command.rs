//! `exec_command`: runs a script in the user's shell, and leaves it running when it takes longer than the model
//! wants to wait.

mod definition;
mod retry;

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::approval::{APPROVAL, answered, ask};
use super::auto_review::{self, Review};
use super::command::{self, Command};
use super::confinement::widened;
use super::request_permissions::Asked;
use super::scene::{AllowLogin, Scene};
use super::spec::{function, shell_is_offered};
use super::{Announced, Cx, Effect, Outcome, Run, Tool, apply_patch, arguments, hooked};
use crate::config::Feature;
use crate::exec::{Collected, Confined, Io, Session, Shell, Startup, tokens, truncate_for_model};
use crate::extension::hooks::Permission;
use crate::patch::{self, Script};
use crate::policy::amendment;
use crate::policy::decide::{self, CommandQuestion, Decision, Place, Request, SandboxKind};
use crate::policy::grant::Escaped;
use crate::policy::widening::Widening;
use crate::protocol::{
    AdditionalPermissionProfile, CommandExecutionApprovalDecision as Answer,
    CommandExecutionSource, NetworkPolicyRuleAction, TimedItem, method,
};
use crate::sandbox::Missing;
use crate::thread::item;
use crate::util::path::absolute;

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
    definition: definition::definition,
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
    additional_permissions: Option<Asked>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SandboxPermissions {
    UseDefault,
    RequireEscalated,
    WithAdditionalPermissions,
}

/// What the model wants a command to do beyond the sandbox.
struct Wish {
    request: Request,
    widening: Widening,
}

impl Wish {
    /// Takes it out of the arguments; the error is what the model is told.
    fn of(cx: &Cx, arguments: &mut Arguments, cwd: &Path) -> Result<Self, &'static str> {
        use SandboxPermissions::{RequireEscalated, UseDefault, WithAdditionalPermissions};

        let widening = arguments.additional_permissions.take();
        let widening = widening.map(|asked| asked.widening(cwd)).filter(|wish| !wish.is_empty());
        let request = match (arguments.sandbox_permissions, &widening) {
            (Some(UseDefault) | None, None) => Request::Default,
            (Some(RequireEscalated), None) => Request::Escalated,
            (Some(WithAdditionalPermissions), None) => {
                return Err(
                    "`with_additional_permissions` needs `additional_permissions` that are not empty",
                );
            }
            (Some(UseDefault | RequireEscalated), Some(_)) => {
                return Err(
                    "`additional_permissions` need `sandbox_permissions` to be `with_additional_permissions`",
                );
            }
            (Some(WithAdditionalPermissions) | None, Some(_)) => Request::Widened,
        };
        if request == Request::Widened && !may_widen(&cx.scene) {
            return Err("additional permissions are switched off; do without them");
        }
        Ok(Self { request, widening: widening.unwrap_or_default() })
    }

    fn wire(&self) -> Option<AdditionalPermissionProfile> {
        let (network, file_system) = (self.widening.wire_network(), self.widening.wire_files());
        (self.request == Request::Widened)
            .then_some(AdditionalPermissionProfile { network, file_system })
    }
}

/// Whether a model may ask for more for single commands.
fn may_widen(scene: &Scene) -> bool {
    scene.config.features.on(Feature::ExecPermissionApprovals)
}

/// How the question about a command came out.
enum Verdict {
    Run(Announced, Place),
    /// It does not run; the model is told why.
    Refused(Outcome),
}

async fn run(cx: &Cx, text: String) -> Outcome {
    let mut arguments: Arguments = match arguments(&text) {
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
    let startup = match arguments.login {
        Some(true) => Startup::Login,
        Some(false) => Startup::Plain,
        None => scene.startup(),
    };
    let argv = shell.argv(startup, &arguments.cmd);
    let io = if arguments.tty { Io::TERMINAL } else { Io::Pipes };
    let command = Command::new(argv, cwd, io);
    let wish = match Wish::of(cx, &mut arguments, &command.cwd) {
        Ok(wish) => wish,
        Err(told) => return Outcome::text(told),
    };
    let sandbox = Sandbox::of(cx, wish.widening.clone()).await;
    let (announced, place) = match approve(cx, &command, &arguments, &wish, &sandbox).await {
        Verdict::Run(announced, place) => (announced, place),
        Verdict::Refused(told) => return told,
    };
    let wait = arguments.yield_time_ms.unwrap_or(DEFAULT_YIELD).clamp(*YIELD.start(), *YIELD.end());
    let max_tokens = arguments.max_output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS);
    let escaped = wish.request == Request::Escalated
        && place == Place::Outside
        && SandboxKind::from(&scene.sandbox).restricts();
    let escaped = escaped.then(|| Escaped { item: cx.id.clone(), cwd: command.cwd.clone() });
    let confined = sandbox.at(place);
    let may_retry = confined.is_some() && retry::is_offered(&scene.approval_policy);
    let begin =
        Begin { script: arguments.cmd, command, confined, announced, escaped, denied: None };
    let wait = Wait { time: Duration::from_millis(wait), max_tokens };
    match may_retry {
        true => start_or_retry(cx, begin, wait).await,
        false => start(cx, begin, wait).await.1,
    }
}

/// The sandbox of commands, and whether there is one to be had.
enum Sandbox {
    NotWanted,
    Ready(Confined),
    Missing(Missing),
}

impl Sandbox {
    /// The sandbox of a command that may do this beside what has been granted.
    async fn of(cx: &Cx, mut widening: Widening) -> Self {
        let scene = Arc::clone(&cx.scene);
        widening.add(scene.grants().widening(&cx.turn));
        let shut_in = move || widened(&scene.sandbox, &scene.workspace, &scene.files, &widening);
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
async fn approve(
    cx: &Cx,
    command: &Command,
    arguments: &Arguments,
    wish: &Wish,
    sandbox: &Sandbox,
) -> Verdict {
    let scene = &cx.scene;
    let key = command.key(wish.request, &wish.widening);
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
            request: wish.request,
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
    let item = command.item(&cx.id, CommandExecutionSource::Agent, None);
    match auto_review::review(cx, Some(&item), || command.action()).await {
        Some(Review::Allowed) => return Verdict::Run(Announced::Yes, place),
        Some(Review::Denied(told)) => {
            not_run(cx, item::declined(item)).await;
            return Verdict::Refused(Outcome::text(rejected(&told)));
        }
        None => {}
    }
    let mut params = command.approval_request(cx, reason, amendment);
    params.additional_permissions = wish.wire();
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
            not_run(cx, item::declined(item)).await;
            return Verdict::Refused(Outcome::Cancelled);
        }
        Some(Answer::Decline | Answer::ApplyNetworkPolicyAmendment { .. }) => {
            not_run(cx, item::declined(item)).await;
            return Verdict::Refused(Outcome::text(rejected("rejected by user")));
        }
        None => {
            not_run(cx, item::failed(item)).await;
            return Verdict::Refused(Outcome::text(rejected("the approval request failed")));
        }
    }
    answered(cx, APPROVAL).await;
    Verdict::Run(Announced::Yes, place)
}

/// Ends the item of a command that does not run, and its question.
async fn not_run(cx: &Cx, item: TimedItem) {
    cx.apply(Effect::ItemCompleted(item)).await;
    answered(cx, APPROVAL).await;
}

fn as_hooks_know(arguments: &Arguments) -> Value {
    json!({ "command": arguments.cmd, "description": arguments.justification })
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

/// How much of a command a call wants to see.
#[derive(Debug, Clone, Copy)]
struct Wait {
    time: Duration,
    max_tokens: usize,
}

/// As [`start`], but when the sandbox seems to have stopped the command at once, asks to run it outside.
async fn start_or_retry(cx: &Cx, mut begin: Begin, wait: Wait) -> Outcome {
    let (denied, was_denied) = oneshot::channel();
    let outside = Begin {
        script: begin.script.clone(),
        command: begin.command.clone(),
        confined: None,
        announced: Announced::Yes,
        escaped: None,
        denied: None,
    };
    begin.denied = Some(denied);
    let (ended, told) = start(cx, begin, wait).await;
    if ended == Ended::No {
        return told;
    }
    let Ok(item) = was_denied.await else { return told };
    match retry::refused(cx, &outside.command, item, told).await {
        Some(refused) => refused,
        None => start(cx, outside, wait).await.1,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Yes,
    No,
}

/// Runs the command and waits for it, but not for too long.
async fn start(cx: &Cx, begin: Begin, wait: Wait) -> (Ended, Outcome) {
    let context = cx.clone();
    // Not a part of the call, which may be ended at any moment: what has been shown to begin does begin.
    let begun = tokio::spawn(async move { begin.run(&context).await }).await;
    let session = match begun {
        Ok(Ok(session)) => session,
        Ok(Err(told)) => return (Ended::No, told),
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    };
    let collected = session.collect(wait.time).await;
    let ended = match collected.exit {
        Some(_) => Ended::Yes,
        None => Ended::No,
    };
    let told = report(cx, &collected, session.id(), wait.max_tokens);
    if ended == Ended::No {
        return (ended, Outcome::text(told));
    }
    drop(cx.scene.terminals.remove(session.id()));
    (ended, Outcome::Ran { told, printed: collected.output.text })
}

/// A command that may run.
struct Begin {
    script: String,
    command: Command,
    confined: Option<Confined>,
    announced: Announced,
    /// What to note of it when it runs outside because the model has asked for that.
    escaped: Option<Escaped>,
    /// Is given the item when the sandbox seems to have stopped it at once.
    denied: Option<oneshot::Sender<TimedItem>>,
}

impl Begin {
    /// Shows and starts the command.
    async fn run(self, cx: &Cx) -> Result<Session, Outcome> {
        let Self { script, command, confined, announced, escaped, denied } = self;
        let terminals = &cx.scene.terminals;
        let id = terminals.reserve();
        let item = command.item(&cx.id, CommandExecutionSource::UnifiedExecStartup, Some(id));
        if let Some(escaped) = escaped {
            cx.scene.grants().note_escaped(id, escaped);
        }
        let started = Effect::CommandStarted { session: id, script, item, announced, denied };
        if cx.try_apply(started).await.is_err() {
            return Err(Outcome::Cancelled);
        }
        let spawn = command.spawn(environment(cx), confined, QUIET);
        let session = match Session::start(id, spawn, cx.events.clone()) {
            Ok(session) => session,
            Err(error) => {
                terminals.release(id);
                let message = command::not_started(&error);
                let failed = Effect::CommandFailed { session: id, message: message.clone() };
                let _ended = cx.try_apply(failed).await;
                return Err(Outcome::text(format!(
                    "exec_command failed: CreateProcess {{ message: {message:?} }}"
                )));
            }
        };
        // The one that had to make room ends by itself; its item is completed when it does.
        drop(terminals.insert(session.clone()));
        Ok(session)
    }
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

/// The environment of a model's command, which says how it is shut in.
fn environment(cx: &Cx) -> Vec<(OsString, OsString)> {
    let mut extra = Vec::new();
    if cx.scene.network_is_restricted() {
        extra.push(("CODEX_SANDBOX_NETWORK_DISABLED".into(), "1".into()));
    }
    if let Some(profile) = &cx.scene.profile {
        extra.push(("CODEX_PERMISSION_PROFILE".into(), profile.into()));
    }
    cx.scene.command_environment(&cx.id, extra)
}
