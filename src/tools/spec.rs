//! The definitions of the tools, as a model is offered them.
//!
//! Names and parameters are those that models are trained on; the descriptions are ours. How the calls run is in the
//! tools' own modules, and what they accept beyond what is described here too.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Scene;
use crate::util::json::raw;

/// The definitions as bytes, for each selection of tools: they go into every request unchanged.
static NOTHING: LazyLock<Box<RawValue>> = LazyLock::new(|| definitions(&[]));
static PATCH: LazyLock<Box<RawValue>> = LazyLock::new(|| definitions(&[apply_patch()]));
static SHELL: LazyLock<Box<RawValue>> =
    LazyLock::new(|| definitions(&[exec_command(), write_stdin()]));
static SHELL_AND_PATCH: LazyLock<Box<RawValue>> =
    LazyLock::new(|| definitions(&[exec_command(), write_stdin(), apply_patch()]));

/// What the model of this scene may call: a JSON array.
pub(crate) fn offered(scene: &Scene) -> &'static RawValue {
    match (scene.offers_shell(), scene.offers_patch_tool()) {
        (true, true) => &SHELL_AND_PATCH,
        (true, false) => &SHELL,
        (false, true) => &PATCH,
        (false, false) => &NOTHING,
    }
}

fn definitions(tools: &[Value]) -> Box<RawValue> {
    raw(&tools)
}

fn exec_command() -> Value {
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

fn write_stdin() -> Value {
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

fn apply_patch() -> Value {
    json!({
        "type": "custom",
        "name": "apply_patch",
        "description": "Edits files: adds, changes, moves and deletes any number of them by one \
                        patch, which is applied only if all of it fits. The input is the patch \
                        itself, neither JSON nor quoted. Paths are relative to the working \
                        directory.",
        "format": { "type": "grammar", "syntax": "lark", "definition": include_str!("apply_patch.lark") },
    })
}

fn function(name: &str, description: &str, properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "function",
        "name": name,
        "description": description,
        "strict": false,
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        },
    })
}
