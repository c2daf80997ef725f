//! What a model may call of a thread's servers, under the names that it knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::connection::{Connection, Tool};
use super::name;
use crate::config::McpServer;

/// The tools of a thread's servers, in the order in which they are offered.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    namespaces: Vec<Namespace>,
}

#[derive(Debug)]
struct Namespace {
    name: String,
    server: String,
    description: String,
    parallel: bool,
    /// By the names that the model knows, sorted.
    tools: BTreeMap<String, Tool>,
}

/// The tools of one server, as a model is offered them.
pub(crate) struct Offer<'a, T> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    pub(crate) tools: T,
}

pub(crate) struct OfferedTool<'a> {
    pub(crate) name: &'a str,
    pub(crate) description: &'a str,
    /// What its arguments are like.
    pub(crate) schema: Value,
}

/// A tool that a call names.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) server: String,
    /// Its own name.
    pub(crate) tool: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) annotations: Option<Value>,
    /// Whether its calls may run beside others.
    pub(crate) parallel: bool,
}

impl Target {
    pub(crate) fn hint(&self, name: &str) -> Option<bool> {
        self.annotations.as_ref()?.get(name)?.as_bool()
    }
}

impl Catalogue {
    pub(super) fn of<'a>(
        ready: impl Iterator<Item = (&'a String, &'a McpServer, Arc<Connection>)>,
    ) -> Self {
        let ready: Vec<_> =
            ready.filter(|(_, _, connection)| !connection.tools.is_empty()).collect();
        let servers: Vec<&str> = ready.iter().map(|(server, ..)| server.as_str()).collect();
        let names = name::namespaces(&servers);
        let namespaces = ready.iter().zip(names).map(|((server, config, connection), name)| {
            let tools: Vec<&Tool> =
                connection.tools.iter().filter(|tool| config.has_tool(&tool.name)).collect();
            let raw: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
            let known = name::tools(server, &name, &raw);
            Namespace {
                tools: known.into_iter().zip(tools.into_iter().cloned()).collect(),
                name,
                description: connection
                    .instructions
                    .clone()
                    .unwrap_or_else(|| format!("Tools of the MCP server {server}.")),
                parallel: config.parallel,
                server: (*server).clone(),
            }
        });
        let mut namespaces: Vec<_> =
            namespaces.filter(|namespace| !namespace.tools.is_empty()).collect();
        namespaces.sort_by(|a, b| a.name.cmp(&b.name));
        Self { namespaces }
    }

    /// What the model is offered.
    pub(crate) fn offers(
        &self,
    ) -> impl Iterator<Item = Offer<'_, impl Iterator<Item = OfferedTool<'_>>>> {
        self.namespaces.iter().map(|namespace| Offer {
            name: &namespace.name,
            description: &namespace.description,
            tools: namespace.tools.iter().map(|(name, tool)| offered(name, tool)),
        })
    }

    /// The tool that a call names.
    pub(crate) fn find(&self, namespace: &str, name: &str) -> Option<Target> {
        let namespace = self.namespaces.iter().find(|known| known.name == namespace)?;
        let tool = namespace.tools.get(name)?;
        let text = |name: &str| tool.definition.get(name)?.as_str().map(str::to_owned);
        let annotations = tool.definition.get("annotations").filter(|value| value.is_object());
        let titled = annotations.and_then(|all| Some(all.get("title")?.as_str()?.to_owned()));
        Some(Target {
            server: namespace.server.clone(),
            tool: tool.name.clone(),
            title: text("title").or(titled),
            description: text("description"),
            annotations: annotations.cloned(),
            parallel: namespace.parallel,
        })
    }
}

fn offered<'a>(name: &'a str, tool: &'a Tool) -> OfferedTool<'a> {
    let schema = tool.definition.get("inputSchema").and_then(Value::as_object);
    let mut schema = schema.cloned().unwrap_or_default();
    // Providers refuse an object without these, which servers may leave out.
    schema.entry("type").or_insert_with(|| "object".into());
    schema.entry("properties").or_insert_with(|| Map::new().into());
    let description = tool.definition.get("description").and_then(Value::as_str);
    OfferedTool { name, description: description.unwrap_or_default(), schema: schema.into() }
}
