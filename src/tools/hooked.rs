//! A call between the hooks of its thread: they are told of it, may stop it or give it other input, and may replace
//! what the model is told of it. Without hooks it is a call and nothing else.

use serde_json::{Value, json};

use super::{Call, CallInput, Cx, Effect, Outcome, run_alone};
use crate::extension::hooks::{self, Occasion, Permission, ToolUse};
use crate::patch::{self, Script};
use crate::protocol::HookEventName;

/// The name of commands, which is older than the tool that runs them.
pub(super) const COMMAND: &str = "Bash";
/// Names by which matchers know edits, whichever way they come.
pub(super) const EDITS: &[&str] = &["Edit", "Write"];
const EDITS_BY_COMMAND: &[&str] = &["apply_patch", "Edit", "Write"];

/// Runs a call to its end.
pub(crate) async fn run(cx: &Cx, mut call: Call) -> Outcome {
    if cx.scene.hooks.is_none() || !call.is_known(&cx.scene) {
        return run_alone(cx, call).await;
    }
    let before = consult(cx, HookEventName::PreToolUse, || Occasion::PreToolUse(used(&call))).await;
    inform(cx, &before).await;
    if let Some(reason) = before.objection() {
        return Outcome::text(format!("This call was stopped by a hook of the user's: {reason}"));
    }
    if let Some(input) = before.input
        && let Err(told) = replace(&mut call, &input)
    {
        return Outcome::text(told);
    }
    let used = used(&call);
    let is_command = used.name == COMMAND;
    let outcome = run_alone(cx, call).await;
    let Some(response) = response(&outcome, is_command) else { return outcome };
    let after =
        consult(cx, HookEventName::PostToolUse, || Occasion::PostToolUse { used, response });
    let after = after.await;
    inform(cx, &after).await;
    match after.objection() {
        Some(reason) => Outcome::text(reason),
        None => outcome,
    }
}

/// What hooks answer in the user's place; `None` leaves the question to the user.
pub(super) async fn permission(
    cx: &Cx,
    name: &str,
    aliases: &'static [&'static str],
    input: impl FnOnce() -> Value,
) -> Option<Permission> {
    let occasion = || {
        let (id, name) = (cx.id.clone(), name.to_owned());
        Occasion::PermissionRequest(ToolUse { id, name, aliases, input: input() })
    };
    consult(cx, HookEventName::PermissionRequest, occasion).await.permission
}

/// Runs the hooks of an event, if there are any.
async fn consult(
    cx: &Cx,
    event: HookEventName,
    occasion: impl FnOnce() -> Occasion,
) -> hooks::Outcome {
    let hooks = cx.scene.hooks.as_ref().filter(|hooks| hooks.all.has(event));
    let Some(hooks) = hooks else { return hooks::Outcome::default() };
    match hooks.all.begin(&occasion(), &hooks.situation, &cx.events) {
        Some(round) => {
            round.announce(&cx.events).await;
            round.run(&cx.events).await
        }
        None => hooks::Outcome::default(),
    }
}

async fn inform(cx: &Cx, outcome: &hooks::Outcome) {
    for context in &outcome.contexts {
        cx.apply(Effect::Inform(context.clone())).await;
    }
}

/// The call as hooks know it.
fn used(call: &Call) -> ToolUse {
    let id = call.id.clone();
    let (name, aliases, input): (_, &'static [&'static str], _) =
        match (call.name.as_str(), &call.input) {
            (_, CallInput::Function(arguments)) if is_command(call) => {
                let command = command(arguments);
                let aliases: &[&str] = match command.as_str().map(patch::intercept) {
                    Some(Script::Patch { .. }) => EDITS_BY_COMMAND,
                    _ => &[],
                };
                (COMMAND.to_owned(), aliases, json!({ "command": command }))
            }
            (name, CallInput::Function(arguments) | CallInput::Search(arguments)) => {
                (qualified(call.namespace.as_deref(), name), &[], parsed(arguments))
            }
            (name @ "apply_patch", CallInput::Custom(text)) => {
                (name.to_owned(), EDITS, json!({ "command": text }))
            }
            (name, CallInput::Custom(text)) => {
                (qualified(call.namespace.as_deref(), name), &[], json!({ "command": text }))
            }
        };
    ToolUse { id, name, aliases, input }
}

/// Whether a call runs a command; a server's tool may have the same name.
fn is_command(call: &Call) -> bool {
    call.namespace().is_empty() && call.name == "exec_command"
}

/// `mcp__server__tool` for the tools of MCP servers; others are known by their own names.
fn qualified(namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(server) if server.starts_with("mcp__") => {
            format!("{}__{name}", server.trim_end_matches('_'))
        }
        _ => name.to_owned(),
    }
}

fn parsed(arguments: &str) -> Value {
    serde_json::from_str(arguments).unwrap_or_else(|_| Value::from(arguments))
}

fn command(arguments: &str) -> Value {
    parsed(arguments).get("cmd").cloned().unwrap_or_default()
}

/// Gives the call another input; the error is what the model is told.
fn replace(call: &mut Call, input: &Value) -> Result<(), String> {
    let command = input.get("command").and_then(Value::as_str).map(str::to_owned);
    let missing = || "a hook changed the input of this call to one without a `command`".to_owned();
    let is_command = is_command(call);
    match &mut call.input {
        CallInput::Function(arguments) if is_command => {
            let command = command.ok_or_else(missing)?;
            let mut changed = parsed(arguments);
            if let Some(changed) = changed.as_object_mut() {
                changed.insert("cmd".to_owned(), command.into());
            }
            *arguments = changed.to_string();
        }
        CallInput::Function(arguments) | CallInput::Search(arguments) => {
            *arguments = input.to_string();
        }
        CallInput::Custom(text) => *text = command.ok_or_else(missing)?,
    }
    Ok(())
}

/// What hooks are told of the result; `None` when there is none yet, or nothing has run.
fn response(outcome: &Outcome, is_command: bool) -> Option<Value> {
    match outcome {
        Outcome::Ran { printed, .. } => Some(Value::from(printed.as_str())),
        Outcome::Output(output) if !is_command => serde_json::to_value(output).ok(),
        Outcome::Output(_) | Outcome::Cancelled => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, input: CallInput) -> Call {
        Call { id: "c".to_owned().into(), namespace: None, name: name.to_owned(), input }
    }

    #[track_caller]
    fn check(call: &Call, name: &str, aliases: &[&str], input: Value) {
        let used = used(call);
        assert_eq!((used.name.as_str(), used.aliases, used.input), (name, aliases, input));
    }

    #[test]
    fn names_and_inputs() {
        let function = |text: &str| CallInput::Function(text.to_owned());
        check(
            &call("exec_command", function(r#"{"cmd":"ls"}"#)),
            "Bash",
            &[],
            json!({"command": "ls"}),
        );
        check(
            &call("view_image", function(r#"{"path":"x"}"#)),
            "view_image",
            &[],
            json!({"path": "x"}),
        );
        let patch =
            "apply_patch <<'EOF'\n*** Begin Patch\n*** Delete File: x\n*** End Patch\nEOF\n";
        let other = Call {
            namespace: Some("mcp__files".to_owned()),
            ..call("exec_command", function("{}"))
        };
        assert_eq!(used(&other).name, "mcp__files__exec_command");
        let by_command = call("exec_command", function(&json!({"cmd": patch}).to_string()));
        check(&by_command, "Bash", EDITS_BY_COMMAND, json!({"command": patch}));
        let tool = call("apply_patch", CallInput::Custom("text".to_owned()));
        check(&tool, "apply_patch", EDITS, json!({"command": "text"}));
        let mut mcp = call("read", function("{}"));
        mcp.namespace = Some("mcp__files".to_owned());
        check(&mcp, "mcp__files__read", &[], json!({}));
    }

    #[test]
    fn other_input() {
        let mut changed =
            call("exec_command", CallInput::Function(r#"{"cmd":"a","tty":true}"#.to_owned()));
        replace(&mut changed, &json!({"command": "b"})).unwrap();
        check(&changed, "Bash", &[], json!({"command": "b"}));
        let CallInput::Function(arguments) = &changed.input else { panic!() };
        assert!(arguments.contains("\"tty\":true"), "the rest stays: {arguments}");
        assert!(replace(&mut changed, &json!({"cmd": "b"})).is_err());
    }
}
