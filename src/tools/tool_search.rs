//! Tools that a model looks for instead of being offered them all at once, and `tool_search`, which finds them.
//!
//! What is put off is what there can be much of: the tools of MCP servers, those that a client marks so, and those for
//! working with agents. A tool that has been found is in the output of the search, and is called like any other.

mod index;

use serde::Deserialize;
use serde_json::{Value, json};

use self::index::Index;
use super::spec::{TOOLS, definitions, namespace};
use super::{Cx, Outcome, Output, Run, Scene, Tool};

/// How many tools a search finds unless the model says it.
const FOUND: usize = 8;

/// The most that a search finds, whatever the model says.
const MOST_FOUND: usize = 100;

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "tool_search",
    is_offered: |scene| !deferred(scene).is_empty(),
    definition: |_| {
        json!({
            "type": "tool_search",
            "execution": "client",
            "description":
                "Finds tools that you have but have not been shown. Use it as soon as a task could be done with a tool \
                 of one of the namespaces that your context lists as to be searched for. What is found can be called \
                 from then on. To learn which tools an MCP server has, search; its lists of resources do not say it.",
            "parameters": {
                "type": "object",
                "properties": {
                    "query": {
                        "type": "string",
                        "description": "What the tool is to do, what it works on, or its name, in a few words.",
                    },
                    "limit": {
                        "type": "number",
                        "description": "The most tools to be found. Default: 8.",
                    },
                },
                "required": ["query"],
                "additionalProperties": false,
            },
        })
    },
    run: Run::Search(|cx, text| Box::pin(async move { run(cx, &text) })),
};

/// Whether the model of a scene looks for tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deferral {
    /// Nothing is put off: the model or its provider knows nothing of it.
    Unsupported,
    Supported,
}

/// A namespace with those of its tools that are to be searched for.
pub(super) struct Deferred {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) tools: Vec<Value>,
}

/// Everything that the model of this scene can search for, by name.
pub(super) fn deferred(scene: &Scene) -> Vec<Deferred> {
    if scene.deferral == Deferral::Unsupported {
        return Vec::new();
    }
    let own = TOOLS.iter().copied().filter(|tool| tool.is_deferred(scene));
    let own = definitions(own, scene);
    let servers = super::spec::of_servers(scene);
    let mut all: Vec<Deferred> = own
        .into_iter()
        .chain(servers)
        .chain(scene.dynamic_tools.deferred())
        .filter_map(Deferred::of)
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// What the model is told of what it can search for; `None` when there is nothing.
pub(crate) fn listing(scene: &Scene) -> Option<String> {
    let all = deferred(scene);
    let line = |namespace: &Deferred| match namespace.description.trim() {
        "" => format!("- {}", namespace.name),
        // One line each, however the description is laid out.
        text => format!(
            "- {}: {}",
            namespace.name,
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        ),
    };
    let lines: Vec<String> = all.iter().map(line).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

impl Deferred {
    /// Takes apart the definition of a namespace.
    fn of(mut definition: Value) -> Option<Self> {
        let text = |definition: &Value, key: &str| Some(definition.get(key)?.as_str()?.to_owned());
        let name = text(&definition, "name")?;
        let description = text(&definition, "description").unwrap_or_default();
        let Value::Array(mut tools) = definition.get_mut("tools")?.take() else { return None };
        for tool in &mut tools {
            tool["defer_loading"] = json!(true);
        }
        Some(Self { name, description, tools })
    }
}

#[derive(Deserialize)]
struct Arguments {
    query: String,
    limit: Option<f64>,
}

/// A search that cannot be understood finds nothing: its output has no place for words.
fn run(cx: &Cx, text: &str) -> Outcome {
    let found = match serde_json::from_str::<Arguments>(text) {
        Ok(Arguments { query, limit }) => search(&cx.scene, &query, most(limit)),
        Err(error) => {
            tracing::debug!(%error, "a search for tools has arguments that mean nothing");
            Vec::new()
        }
    };
    Outcome::Output(Output::Tools(found))
}

fn most(limit: Option<f64>) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "casts of floats saturate, and there are bounds"
    )]
    limit.map_or(FOUND, |limit| (limit as usize).min(MOST_FOUND))
}

/// The tools that fit best, in the order of their fitness, each in its namespace.
fn search(scene: &Scene, query: &str, most: usize) -> Vec<Value> {
    let all = deferred(scene);
    let mut index = Index::default();
    let mut places = Vec::new();
    for (at, namespace) in all.iter().enumerate() {
        for (tool, definition) in namespace.tools.iter().enumerate() {
            index.add(&description(namespace, definition));
            places.push((at, tool));
        }
    }
    let mut found: Vec<(usize, Vec<Value>)> = Vec::new();
    for hit in index.search(query, most) {
        let (at, tool) = places[hit];
        let definition = all[at].tools[tool].clone();
        match found.iter_mut().find(|(namespace, _)| *namespace == at) {
            Some((_, tools)) => tools.push(definition),
            None => found.push((at, vec![definition])),
        }
    }
    let shown =
        |(at, tools): (usize, Vec<Value>)| namespace(&all[at].name, &all[at].description, &tools);
    found.into_iter().map(shown).collect()
}

/// Everything that tells what a tool is for.
fn description(namespace: &Deferred, definition: &Value) -> String {
    let mut words = vec![namespace.name.as_str(), &namespace.description];
    words.extend(["name", "description"].iter().filter_map(|key| definition.get(key)?.as_str()));
    let parameters = definition.pointer("/parameters/properties").and_then(Value::as_object);
    for (name, parameter) in parameters.into_iter().flatten() {
        words.push(name);
        words.extend(parameter.get("description").and_then(Value::as_str));
    }
    words.join(" ")
}
