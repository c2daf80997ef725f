//! What a model is told of the tools for working with agents that know each other.

use serde_json::{Value, json};

use crate::tools::Scene;
use crate::tools::agents::definition::roles;
use crate::tools::spec::{Namespace, Shown, function};

pub(super) static NAMESPACE: Namespace = Namespace {
    name: "collaboration",
    description: "Agents that work beside you in the same workspace, and write to you and to each \
                  other. Each has a path, such as `/root/tests`.",
    shown: Shown::Always,
};

pub(super) fn spawn_agent(scene: &Scene) -> Value {
    let mut properties = json!({
        "task_name": {
            "type": "string",
            "description": "What the agent is called, below your own path: lowercase letters, \
                            digits and underscores.",
        },
        "message": message("The task, and what is to come of it."),
        "fork_turns": {
            "type": "string",
            "description": "`all` (default): the agent knows everything that you know. `none`: it \
                            knows the task alone, which then must say everything.",
        },
        "model": {
            "type": "string",
            "description": "The model of the agent. Default: yours.",
        },
        "reasoning_effort": {
            "type": "string",
            "description": "How much the agent's model is to reason. Default: as you.",
        },
    });
    if let Some(roles) = roles(scene) {
        properties["agent_type"] = roles;
    }
    let mut description =
        "Starts an agent on a task and returns its path at once. Give each agent a task that can be \
         done without the others, and go on with your own work meanwhile; its answer is sent to you \
         when it has one. Agents change the same files as you: say which are theirs."
            .to_owned();
    if let Some(hint) = &scene.config.agents.collaboration.usage_hint_text {
        description.push('\n');
        description.push_str(hint);
    }
    function("spawn_agent", &description, &properties, &["task_name", "message"])
}

pub(super) fn send_message(_: &Scene) -> Value {
    function(
        "send_message",
        "Tells an agent something that it is to know. One that works reads it soon; one that does \
         not is left idle, and reads it with its next task.",
        &json!({ "target": target(), "message": message("What the agent is told.") }),
        &["target", "message"],
    )
}

pub(super) fn followup_task(_: &Scene) -> Value {
    function(
        "followup_task",
        "Gives an agent that you have started before something further to do. It knows all that it \
         has done so far. One that works does it after what it is doing.",
        &json!({ "target": target(), "message": message("The task.") }),
        &["target", "message"],
    )
}

pub(super) fn wait_agent(scene: &Scene) -> Value {
    let config = &scene.config.agents.collaboration;
    let (shortest, longest) = (config.min_wait_timeout_ms, config.max_wait_timeout_ms);
    let usual = config.default_wait_timeout_ms;
    function(
        "wait_agent",
        "Waits until something is sent to you: an agent's answer or a message. You are shown it \
         after this call. Call it when you have nothing to do until then.",
        &json!({
            "timeout_ms": {
                "type": "number",
                "description": format!(
                    "How long to wait at most, in milliseconds, {shortest} to {longest}. \
                     Default: {usual}. Prefer one long wait to many short ones."
                ),
            },
        }),
        &[],
    )
}

pub(super) fn interrupt_agent(_: &Scene) -> Value {
    function(
        "interrupt_agent",
        "Makes an agent drop what it is doing, and returns how it was. It can be given another \
         task.",
        &json!({ "target": target() }),
        &["target"],
    )
}

pub(super) fn list_agents(_: &Scene) -> Value {
    function(
        "list_agents",
        "Lists the agents that are there, and how they are.",
        &json!({
            "path_prefix": {
                "type": "string",
                "description": "Lists this agent and those below it alone.",
            },
        }),
        &[],
    )
}

/// What agents write to each other, which a provider may keep to itself.
fn message(description: &str) -> Value {
    json!({ "type": "string", "description": description, "encrypted": true })
}

fn target() -> Value {
    json!({
        "type": "string",
        "description": "The agent: its name if you have started it, else its path from `/root`.",
    })
}
