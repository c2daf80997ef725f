//! What a model is told of `exec_command`.

use serde_json::{Value, json};

use super::{function, may_widen};
use crate::tools::Scene;
use crate::tools::request_permissions;

pub(super) fn definition(scene: &Scene) -> Value {
    let mut properties = properties();
    if may_widen(scene) {
        let mut permissions = request_permissions::schema();
        permissions["description"] = json!(
            "What the command needs beyond the sandbox, with `sandbox_permissions` set to \
             `with_additional_permissions`."
        );
        properties["additional_permissions"] = permissions;
        properties["sandbox_permissions"]["enum"] =
            json!(["use_default", "require_escalated", "with_additional_permissions"]);
    }
    function(
        "exec_command",
        "Runs a script in a new shell. The answer holds what it printed (stdout and stderr \
         together) and either its exit code or, when it has not ended in time, a session ID with \
         which `write_stdin` reaches it while it goes on running.",
        &properties,
        &["cmd"],
    )
}

fn properties() -> Value {
    json!({
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
            },    })
}
