//! How a tool is declared, and what the model of a scene is offered of those that there are.
//!
//! Names and parameters are those that models are trained on; the descriptions are ours. Each tool stands in a module
//! of its own, with its definition and the code that runs its calls, and in [`TOOLS`].

#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::tool_search::Deferral;
use super::{
    Cx, Outcome, Scene, agents, apply_patch, clock, collaboration, exec_command, goal,
    mcp_resource, request_permissions, tool_search, update_plan, user_input, user_input_async,
    view_image, web_search, write_stdin,
};
use crate::config::Feature;
use crate::util::json::raw;

/// Every tool, in the order in which a model is offered them.
pub(super) static TOOLS: &[&Tool] = &[
    &exec_command::TOOL,
    &write_stdin::TOOL,
    &update_plan::TOOL,
    &user_input::TOOL,
    &user_input_async::TOOL,
    &request_permissions::TOOL,
    &clock::CURR_TIME,
    &clock::SLEEP,
    &apply_patch::TOOL,
    &mcp_resource::LIST,
    &mcp_resource::TEMPLATES,
    &mcp_resource::READ,
    &view_image::TOOL,
    &agents::SPAWN,
    &agents::SEND,
    &agents::WAIT_FOR,
    &agents::CLOSE,
    &agents::RESUME,
    &collaboration::SPAWN,
    &collaboration::SEND,
    &collaboration::FOLLOW_UP,
    &collaboration::WAIT_FOR,
    &collaboration::INTERRUPT,
    &collaboration::LIST,
    &goal::GET,
    &goal::CREATE,
    &goal::UPDATE,
    &tool_search::TOOL,
    &web_search::TOOL,
];

/// The tools whose calls work on the environment of a thread, and so only where there is one.
static HANDS: &[&Tool] =
    &[&exec_command::TOOL, &write_stdin::TOOL, &apply_patch::TOOL, &view_image::TOOL];

/// One tool: what a model is told of it and when, and how a call of it runs.
pub(super) struct Tool {
    pub(super) namespace: Option<&'static Namespace>,
    pub(super) name: &'static str,
    pub(super) is_offered: fn(&Scene) -> bool,
    /// The definition as the model is sent it.
    pub(super) definition: fn(&Scene) -> Value,
    pub(super) run: Run,
}

/// Tools that belong together. Its members stand where the first of them does, sorted by name.
pub(super) struct Namespace {
    pub(super) name: &'static str,
    pub(super) description: &'static str,
    pub(super) shown: Shown,
}

/// When a model sees the tools of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Always,
    /// When it searches for them, if it can.
    WhenSearched,
}

/// Who runs the calls of a tool, and what they take.
pub(super) enum Run {
    /// A function: arguments, JSON as text.
    Function(for<'a> fn(&'a Cx, String) -> BoxFuture<'a, Outcome>),
    /// A function whose calls run one after the other, in the order in which the model has made them.
    InOrder(for<'a> fn(&'a Cx, String) -> BoxFuture<'a, Outcome>),
    /// A custom tool: its input as it stands.
    Custom(for<'a> fn(&'a Cx, String) -> BoxFuture<'a, Outcome>),
    /// A search for tools: its arguments, JSON as text.
    Search(for<'a> fn(&'a Cx, String) -> BoxFuture<'a, Outcome>),
    /// The provider runs it; the model does not call it.
    Hosted,
}

impl Tool {
    fn is_called(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace.map_or("", |own| own.name) == namespace
    }

    /// Whether the model of this scene sees it only when it searches for it.
    pub(super) fn is_deferred(&self, scene: &Scene) -> bool {
        scene.deferral == Deferral::Supported
            && self.namespace.is_some_and(|own| own.shown == Shown::WhenSearched)
    }
}

/// Whether calls of a tool need an environment to work on.
pub(super) fn needs_environment(tool: &'static Tool) -> bool {
    HANDS.iter().any(|hand| std::ptr::eq(*hand, tool))
}

/// The tool that a call names, if the model of this scene is offered it.
pub(super) fn find(scene: &Scene, namespace: &str, name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.is_called(namespace, name) && (tool.is_offered)(scene)).copied()
}

/// What the model of this scene is shown of what it may call: a JSON array.
pub(crate) fn offered(scene: &Scene) -> Box<RawValue> {
    let shown = TOOLS.iter().copied().filter(|tool| !tool.is_deferred(scene));
    let mut all = definitions(shown, scene);
    all.extend(scene.dynamic_tools.shown(scene.deferral));
    if scene.deferral == Deferral::Unsupported {
        all.extend(of_servers(scene));
    }
    raw(&all)
}

/// The namespaces of the MCP servers.
pub(super) fn of_servers(scene: &Scene) -> Vec<Value> {
    let catalogue = scene.servers.catalogue();
    let offers = catalogue.offers().map(|offer| {
        let tools: Vec<Value> = offer
            .tools
            .map(|tool| with_schema(tool.name, tool.description, &tool.schema))
            .collect();
        namespace(offer.name, offer.description, &tools)
    });
    offers.collect()
}

/// The definitions of those of some tools that the model of this scene has.
pub(super) fn definitions(tools: impl Iterator<Item = &'static Tool>, scene: &Scene) -> Vec<Value> {
    let offered: Vec<_> = tools.filter(|tool| (tool.is_offered)(scene)).collect();
    let mut defined = Vec::new();
    for (index, tool) in offered.iter().enumerate() {
        let Some(namespace) = tool.namespace else {
            defined.push((tool.definition)(scene));
            continue;
        };
        let is_member =
            |other: &Tool| other.namespace.is_some_and(|own| own.name == namespace.name);
        if offered[..index].iter().any(|other| is_member(other)) {
            continue;
        }
        let mut members: Vec<_> =
            offered[index..].iter().filter(|other| is_member(other)).collect();
        members.sort_unstable_by_key(|member| member.name);
        let members: Vec<Value> =
            members.into_iter().map(|member| (member.definition)(scene)).collect();
        defined.push(self::namespace(namespace.name, namespace.description, &members));
    }
    defined
}

/// The definition of a namespace with the definitions of its tools.
pub(super) fn namespace(name: &str, description: &str, tools: &[Value]) -> Value {
    json!({ "type": "namespace", "name": name, "description": description, "tools": tools })
}

/// The definition of a function.
pub(super) fn function(
    name: &str,
    description: &str,
    properties: &Value,
    required: &[&str],
) -> Value {
    let parameters = json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    with_schema(name, description, &parameters)
}

/// The definition of a function whose parameters somebody else describes.
pub(super) fn with_schema(name: &str, description: &str, parameters: &Value) -> Value {
    json!({
        "type": "function",
        "name": name,
        "description": description,
        "strict": false,
        "parameters": parameters,
    })
}

/// Whether the model may run commands.
pub(super) fn shell_is_offered(scene: &Scene) -> bool {
    scene.config.features.on(Feature::ShellTool) && scene.model_info.runs_commands()
}
