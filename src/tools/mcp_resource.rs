//! Resources of MCP servers: listing them, and reading one.

use serde::Deserialize;
use serde_json::{Value, json};

use super::mcp::Shown;
use super::spec::function;
use super::{Cx, Outcome, Run, Scene, Tool, arguments};
use crate::exec::cut_middle;
use crate::mcp::{CallError, List};
use crate::protocol::{McpToolCallResult, McpToolCallStatus};

pub(super) static LIST: Tool = Tool {
    namespace: None,
    name: "list_mcp_resources",
    is_offered,
    definition: |_| {
        listing(
            "list_mcp_resources",
            "Lists what MCP servers have to read: documents, tables, whatever they call a resource. Better than a \
             search of the web where a server has the answer.",
        )
    },
    run: Run::Function(|cx, text| Box::pin(list(cx, text, List::Resources, "list_mcp_resources"))),
};

pub(super) static TEMPLATES: Tool = Tool {
    namespace: None,
    name: "list_mcp_resource_templates",
    is_offered,
    definition: |_| {
        listing(
            "list_mcp_resource_templates",
            "Lists patterns of addresses of resources that MCP servers make when they are asked for.",
        )
    },
    run: Run::Function(|cx, text| {
        Box::pin(list(cx, text, List::Templates, "list_mcp_resource_templates"))
    }),
};

pub(super) static READ: Tool = Tool {
    namespace: None,
    name: "read_mcp_resource",
    is_offered,
    definition: |_| {
        function(
            "read_mcp_resource",
            "Reads a resource of an MCP server.",
            &json!({
                "server": { "type": "string", "description": "The server, as a list of resources names it." },
                "uri": { "type": "string", "description": "The resource's address, from such a list." },
            }),
            &["server", "uri"],
        )
    },
    run: Run::Function(|cx, text| Box::pin(read(cx, text))),
};

fn is_offered(scene: &Scene) -> bool {
    scene.servers.any()
}

fn listing(name: &str, description: &str) -> Value {
    function(
        name,
        description,
        &json!({
            "server": { "type": "string", "description": "Only this server's; without it those of all." },
            "cursor": { "type": "string", "description": "Where to go on, from the answer of the last call; needs `server`." },
        }),
        &[],
    )
}

#[derive(Deserialize)]
struct ListArguments {
    server: Option<String>,
    cursor: Option<String>,
}

async fn list(cx: &Cx, text: String, list: List, tool: &str) -> Outcome {
    let text = if text.trim().is_empty() { "{}" } else { &text };
    let (asked, shown_arguments) = match (arguments(text), arguments::<Value>(text)) {
        (Ok(asked), Ok(shown)) => (asked, shown),
        (Err(told), _) | (_, Err(told)) => return told,
    };
    let ListArguments { server, cursor } = asked;
    let shown = Shown::new(cx, server.as_deref().unwrap_or("codex"), tool, shown_arguments, None);
    shown.begin().await;
    let member = list.member();
    let listed = match server {
        Some(server) => cx.scene.servers.page(&server, list, cursor).await.map(|(items, next)| {
            let items = of_server(&server, items);
            match next {
                Some(next) => json!({ "server": server, member: items, "nextCursor": next }),
                None => json!({ "server": server, member: items }),
            }
        }),
        None if cursor.is_some() => {
            Err(CallError::Other("a `cursor` needs the `server` that it is from".to_owned()))
        }
        None => {
            let all = cx.scene.servers.list(list).await.into_iter();
            let all: Vec<Value> =
                all.flat_map(|(server, items)| of_server(&server, items)).collect();
            Ok(json!({ member: all }))
        }
    };
    finish(cx, &shown, listed).await
}

fn of_server(server: &str, mut items: Vec<Value>) -> Vec<Value> {
    for item in items.iter_mut().filter_map(Value::as_object_mut) {
        item.insert("server".to_owned(), server.into());
    }
    items
}

#[derive(Deserialize)]
struct ReadArguments {
    server: String,
    uri: String,
}

async fn read(cx: &Cx, text: String) -> Outcome {
    let ReadArguments { server, uri } = match arguments(&text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    let shown_arguments = json!({ "server": server, "uri": uri });
    let shown = Shown::new(cx, &server, "read_mcp_resource", shown_arguments, None);
    shown.begin().await;
    let read = cx.scene.servers.read(&server, &uri).await;
    let read = read.map(|contents| json!({ "server": server, "uri": uri, "contents": contents }));
    finish(cx, &shown, read).await
}

async fn finish(cx: &Cx, shown: &Shown, done: Result<Value, CallError>) -> Outcome {
    match done {
        Ok(value) => {
            let text = value.to_string();
            let content = vec![json!({ "type": "text", "text": text })];
            let result = McpToolCallResult { content, structured_content: None, meta: None };
            shown.ended(McpToolCallStatus::Completed, result).await;
            Outcome::text(cut_middle(&text, cx.scene.truncation))
        }
        Err(error) => {
            let text = error.to_string();
            shown.failed(&text).await;
            Outcome::text(text)
        }
    }
}
