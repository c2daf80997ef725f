//! Signing in to servers of the Model Context Protocol.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::mcp_status::servers;
use crate::config::{CredentialStore, McpTransport};
use crate::mcp::{SignIn, Wish};
use crate::protocol::{
    McpServerOauthLoginCompletedNotification, McpServerOauthLoginParams,
    McpServerOauthLoginResponse, method,
};
use crate::server::Server;
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later};
use crate::server::error::{Error, Result};
use crate::util::error::chain;

/// How long a user may take who is given no time.
const PATIENCE: Duration = Duration::from_secs(300);

/// Begins a sign-in; how it ends is told to everybody.
pub(crate) async fn login(
    cx: Cx,
    params: McpServerOauthLoginParams,
) -> Result<Later<McpServerOauthLoginResponse>> {
    let servers = servers(&cx, params.thread_id.as_ref()).await?;
    let name = params.name.as_str();
    let Some(config) = servers.config(name) else {
        return Err(Error::invalid_request(format!("No MCP server named '{name}' found.")));
    };
    let McpTransport::Http(endpoint) = &config.transport else {
        let refusal = "OAuth login is only supported for streamable HTTP servers.";
        return Err(Error::invalid_request(refusal));
    };
    let shared = &cx.server.threads.shared;
    let settings = shared.auth.settings().await;
    if settings.mcp_store == CredentialStore::Keyring {
        let refusal = "The keyring is not supported; set mcp_oauth_credentials_store to \"file\".";
        return Err(Error::internal(refusal));
    }
    let id = Uuid::new_v4().to_string();
    let wish = Wish {
        server: name,
        endpoint,
        scopes: params.scopes.unwrap_or_else(|| endpoint.scopes.clone()),
        id: &id,
        port: settings.mcp_callback_port,
    };
    let sign_in = shared.servers.sign_in(wish).await;
    let sign_in = sign_in.map_err(|error| {
        Error::internal(format!("failed to login to MCP server '{name}': {}", chain(&error)))
    })?;
    let answered = cx.answer(&McpServerOauthLoginResponse {
        authorization_url: sign_in.url().to_owned(),
        login_id: Some(id.clone()),
    });
    let patience = params.timeout_secs.and_then(|secs| u64::try_from(secs).ok());
    let patience = patience.map_or(PATIENCE, Duration::from_secs);
    let done = McpServerOauthLoginCompletedNotification {
        name: params.name,
        thread_id: params.thread_id,
        login_id: Some(id),
        success: true,
        error: None,
    };
    let server = Arc::clone(&cx.server);
    cx.server.spawn(async move { finish(&server, sign_in, patience, done).await });
    Ok(answered)
}

async fn finish(
    server: &Server,
    sign_in: SignIn,
    patience: Duration,
    mut done: McpServerOauthLoginCompletedNotification,
) {
    if let Err(error) = sign_in.finish(patience).await {
        done.success = false;
        done.error = Some(error.to_string());
    }
    server.audience.notify::<method::McpServerOauthLoginCompleted>(Reach::All, &done);
    if done.success {
        server.threads.start_refused_server(&done.name).await;
    }
}
