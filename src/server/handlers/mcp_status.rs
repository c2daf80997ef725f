//! How the servers of the Model Context Protocol stand, and what they have to read.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::McpTransport;
use crate::mcp::{List, Servers, Standing, StartError};
use crate::protocol::{
    ListMcpServerStatusParams, ListMcpServerStatusResponse, McpAuthStatus, McpResourceReadParams,
    McpResourceReadResponse, McpServerConnectionStatus, McpServerRefreshResponse, McpServerStatus,
    McpServerStatusDetail, NoParams, ThreadId,
};
use crate::server::context::Cx;
use crate::server::error::{Error, Result};

/// Lists servers, after starting those that have not been started.
pub(crate) async fn list(
    cx: Cx,
    params: ListMcpServerStatusParams,
) -> Result<ListMcpServerStatusResponse> {
    let start: usize = match &params.cursor {
        None => 0,
        Some(cursor) => cursor
            .parse()
            .map_err(|_| Error::invalid_request(format!("invalid cursor: {cursor}")))?,
    };
    let servers = servers(&cx, params.thread_id.as_ref()).await?;
    let mut all = servers.standings().await;
    if let Some(only) = &params.server_name {
        all.retain(|standing| standing.name == *only);
    }
    let limit = params.limit.map_or(usize::MAX, |limit| limit.max(1) as usize);
    let end = start.saturating_add(limit);
    let next_cursor = (end < all.len()).then(|| end.to_string());
    let detail = params.detail.unwrap_or_default();
    let page = all.into_iter().skip(start).take(limit);
    let data = page.map(|standing| row(&servers, standing, detail));
    Ok(ListMcpServerStatusResponse {
        data: futures_util::future::join_all(data).await,
        next_cursor,
    })
}

/// The servers of a thread, or those of the configuration, which live as long as they are asked.
pub(super) async fn servers(cx: &Cx, thread: Option<&ThreadId>) -> Result<Arc<Servers>> {
    match thread {
        Some(thread) => Ok(cx.thread(thread)?.servers().await?),
        None => Ok(Arc::new(cx.server.threads.configured_servers()?)),
    }
}

async fn row(
    servers: &Servers,
    standing: Standing,
    detail: McpServerStatusDetail,
) -> McpServerStatus {
    let Standing { name, config, connection, failure, is_signed_in } = standing;
    let reads =
        connection.as_ref().is_some_and(|there| there.capabilities.get("resources").is_some());
    let (resources, resource_templates) = match detail {
        McpServerStatusDetail::Full if reads => (
            listed(servers, &name, List::Resources).await,
            listed(servers, &name, List::Templates).await,
        ),
        McpServerStatusDetail::Full | McpServerStatusDetail::ToolsAndAuthOnly => {
            (Vec::new(), Vec::new())
        }
    };
    let tools = connection.iter().flat_map(|connection| &connection.tools);
    let tools = tools.filter(|tool| config.has_tool(&tool.name)).filter_map(|tool| {
        Some((tool.name.clone(), serde_json::from_value(tool.definition.clone()).ok()?))
    });
    let tools = tools.collect();
    let needs_login = matches!(failure, Some(StartError::NotLoggedIn(_)));
    McpServerStatus {
        plugin_id: None,
        http_origin: match &config.transport {
            McpTransport::Stdio(_) => None,
            McpTransport::Http(endpoint) => origin(&endpoint.url),
        },
        runtime_status: Some(match &failure {
            None if connection.is_some() => McpServerConnectionStatus::Connected,
            None => McpServerConnectionStatus::Disabled,
            Some(_) if needs_login => McpServerConnectionStatus::AuthenticationRequired,
            Some(_) => McpServerConnectionStatus::Failed,
        }),
        server_info: connection
            .as_ref()
            .and_then(|connection| serde_json::from_value(connection.info.clone()).ok()),
        server_capabilities: connection.as_ref().map(|there| there.capabilities.clone()),
        tools,
        tool_list_meta: None,
        tools_error: failure.map(|error| error.to_string()),
        resources,
        resource_templates,
        auth_status: match &config.transport {
            McpTransport::Http(endpoint) if endpoint.bearer_token_env_var.is_some() => {
                McpAuthStatus::BearerToken
            }
            McpTransport::Http(_) if needs_login => McpAuthStatus::NotLoggedIn,
            McpTransport::Http(_) if is_signed_in => McpAuthStatus::OAuth,
            McpTransport::Http(_) | McpTransport::Stdio(_) => McpAuthStatus::Unsupported,
        },
        name,
    }
}

/// What a server lists, without what is not understood; nothing when it does not answer.
async fn listed<T: DeserializeOwned>(servers: &Servers, server: &str, list: List) -> Vec<T> {
    let listed = servers.list_of(server, list).await.unwrap_or_default();
    listed.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect()
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{}", host.rsplit('@').next()?))
}

/// Reads a resource.
pub(crate) async fn read(cx: Cx, params: McpResourceReadParams) -> Result<McpResourceReadResponse> {
    let servers = servers(&cx, params.thread_id.as_ref()).await?;
    let contents = servers.read(&params.server, &params.uri).await?;
    let contents = serde_json::from_value(Value::Array(contents)).map_err(|error| {
        Error::internal(format!("the server's answer is not understood: {error}"))
    })?;
    Ok(McpResourceReadResponse { contents, origin_call_id: None })
}

/// Has loaded threads take the servers that the configuration names now, from their next turns on.
pub(crate) async fn reload(cx: Cx, _: NoParams) -> Result<McpServerRefreshResponse> {
    let changed = cx.server.threads.reload_servers().await;
    changed.map_err(|error| Error::internal(format!("failed to refresh MCP servers: {error}")))?;
    Ok(McpServerRefreshResponse {})
}
