//! What a model is told of the tools for working with agents.

use serde_json::{Value, json};

use crate::tools::Scene;
use crate::tools::spec::{Namespace, Shown, function};

pub(super) static NAMESPACE: Namespace = Namespace {
    name: "multi_agent_v1",
    description: "Agents that work for you, each on a task of its own, beside you and in the same \
                  workspace. Use them when the user asks for agents, delegation or parallel work.",
    shown: Shown::WhenSearched,
};

pub(super) fn spawn_agent(scene: &Scene) -> Value {
    let mut properties = json!({
        "message": {
            "type": "string",
            "description": "The task, with everything that the agent must know: it has not seen \
                            this conversation. Either this or `items`.",
        },
        "items": parts(),
        "model": {
            "type": "string",
            "description": "The model of the agent. Default: yours.",
        },
        "reasoning_effort": {
            "type": "string",
            "description": "How much the agent's model is to reason. Default: as you.",
        },
        "fork_context": {
            "type": "boolean",
            "description": "Whether the agent is to know what the user and you have said so far. \
                            Default: false.",
        },
    });
    if let Some(roles) = roles(scene) {
        properties["agent_type"] = roles;
    }
    function(
        "spawn_agent",
        "Starts an agent on a task and returns at once, with its ID and the name by which the user \
         knows it. Give each agent a task that can be done without the others, and go on with your \
         own work meanwhile. Agents change the same files as you: say which are theirs.",
        &properties,
        &[],
    )
}

pub(super) fn send_input(_: &Scene) -> Value {
    function(
        "send_input",
        "Tells an agent something: further work when it has finished, or a correction while it \
         works.",
        &json!({
            "target": agent(),
            "message": {
                "type": "string",
                "description": "What the agent is told. Either this or `items`.",
            },
            "items": parts(),
            "interrupt": {
                "type": "boolean",
                "description": "Whether the agent is to drop what it is doing. Default: false.",
            },
        }),
        &["target"],
    )
}

pub(super) fn wait_agent(_: &Scene) -> Value {
    function(
        "wait_agent",
        "Waits until one of the agents has finished, and returns the results of all that have. \
         Call it when you cannot go on without a result.",
        &json!({
            "targets": {
                "type": "array",
                "items": { "type": "string" },
                "description": "IDs of the agents to wait for.",
            },
            "timeout_ms": {
                "type": "number",
                "description": "How long to wait at most, in milliseconds, 10000 to 3600000. \
                                Default: 30000. Prefer one long wait to many short ones.",
            },
        }),
        &["targets"],
    )
}

pub(super) fn close_agent(_: &Scene) -> Value {
    function(
        "close_agent",
        "Ends an agent that is not needed any more, and makes room for another one. Returns how it \
         was.",
        &json!({ "target": agent() }),
        &["target"],
    )
}

pub(super) fn resume_agent(_: &Scene) -> Value {
    function(
        "resume_agent",
        "Brings back an agent that has been closed, with all that it knew.",
        &json!({ "id": agent() }),
        &["id"],
    )
}

/// The parameter by which a role is chosen, if there are any.
pub(in crate::tools) fn roles(scene: &Scene) -> Option<Value> {
    let roles = &scene.config.agents.roles;
    let listed: Vec<String> = roles
        .iter()
        .map(|(name, role)| match &role.description {
            Some(description) => format!("`{name}`: {description}"),
            None => format!("`{name}`"),
        })
        .collect();
    (!listed.is_empty()).then(|| {
        json!({
            "type": "string",
            "description": format!("What kind of agent. {}.", listed.join("; ").trim_end_matches('.')),
        })
    })
}

fn agent() -> Value {
    json!({ "type": "string", "description": "The agent's ID, from `spawn_agent`." })
}

fn parts() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "array",
        "description": "The task in parts, where it is more than text.",
        "items": {
            "type": "object",
            "properties": {
                "type": text("`text`, `image`, `local_image`, `audio`, `local_audio`, `skill` or `mention`."),
                "text": text("The text of a `text`."),
                "image_url": text("The data URL of an `image`."),
                "audio_url": text("The data URL of an `audio`."),
                "path": text("The path of a file, or of what is mentioned."),
                "name": text("The name of a `skill` or a `mention`."),
            },
            "additionalProperties": false,
        },
    })
}
