//! Servers over streamable HTTP: clients, headers, tokens.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::Client;
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::service::serve_client;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::auth::{AuthClient, AuthError, AuthorizationManager};
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use super::connection::{Handler, Served};
use super::error::StartError;
use super::grants::Grants;
use super::key::Key;
use crate::config::McpEndpoint;
use crate::util::error::chain;
use crate::util::{net, tls};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest event of a server's that is read.
const MAX_EVENT: usize = 64 << 20;

/// The HTTP clients of the process, each made when it is first needed.
pub(super) struct Clients {
    home: PathBuf,
    local: OnceLock<Client>,
    remote: OnceLock<Client>,
}

impl Clients {
    pub(super) fn new(home: PathBuf) -> Self {
        Self { home, local: OnceLock::new(), remote: OnceLock::new() }
    }

    /// Shakes hands with a server.
    pub(super) async fn serve(
        &self,
        key: &Key,
        endpoint: &McpEndpoint,
        handler: Handler,
    ) -> Result<Served, StartError> {
        let client = self.to(&endpoint.url).await?;
        let mut config = StreamableHttpClientTransportConfig::with_uri(endpoint.url.as_str())
            .custom_headers(headers(endpoint)?)
            .max_sse_event_size(MAX_EVENT);
        if let Some(variable) = &endpoint.bearer_token_env_var {
            let token = env::var(variable).ok().filter(|token| !token.is_empty());
            let token = token.ok_or_else(|| StartError::MissingVariable {
                server: key.name.clone(),
                variable: variable.clone(),
            })?;
            config = config.auth_header(token);
        } else if let Some(manager) = self.signed_in(key, endpoint).await? {
            let client = AuthClient::new(client, manager);
            let transport = StreamableHttpClientTransport::with_client(client, config);
            return Ok(serve_client(handler, transport).await);
        }
        let transport = StreamableHttpClientTransport::with_client(client, config);
        Ok(serve_client(handler, transport).await)
    }

    /// What a server has granted.
    pub(super) fn grants(&self, server: &str, url: &str) -> Grants {
        Grants::of(self.home.clone(), server, url)
    }

    /// What renews the tokens of a server that somebody has signed in to; nothing if nobody has.
    async fn signed_in(
        &self,
        key: &Key,
        endpoint: &McpEndpoint,
    ) -> Result<Option<AuthorizationManager>, StartError> {
        let grants = self.grants(&key.name, &endpoint.url);
        if !grants.any().await {
            return Ok(None);
        }
        let failed = |error: AuthError| {
            let is_over = matches!(
                error,
                AuthError::AuthorizationRequired
                    | AuthError::TokenExpired
                    | AuthError::TokenRefreshFailed(_)
                    | AuthError::TokenRefreshRejected(_)
            );
            match is_over {
                true => StartError::NotLoggedIn(key.name.clone()),
                false => StartError::Failed(format!("the sign-in cannot be used: {error}")),
            }
        };
        let mut manager = self.manager(&endpoint.url, grants).await?;
        if !manager.initialize_from_store().await.map_err(failed)? {
            return Ok(None);
        }
        manager.get_access_token().await.map_err(failed)?;
        Ok(Some(manager))
    }

    /// What signs in to a server, and renews its tokens.
    pub(super) async fn manager(
        &self,
        url: &str,
        grants: Grants,
    ) -> Result<AuthorizationManager, StartError> {
        let failed = |error: AuthError| StartError::Failed(error.to_string());
        let client = self.to(url).await?;
        let made = AuthorizationManager::new_allowing_private_addresses(url).await;
        let mut manager = made.map_err(failed)?;
        if is_local(url) {
            manager.with_client(client).map_err(failed)?;
        }
        manager.set_credential_store(grants);
        Ok(manager)
    }

    async fn to(&self, url: &str) -> Result<Client, StartError> {
        let is_local = is_local(url);
        let slot = if is_local { &self.local } else { &self.remote };
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        // Reads the system's certificates.
        let made = tokio::task::spawn_blocking(move || {
            tls::install_provider();
            let builder = Client::builder().connect_timeout(CONNECT_TIMEOUT);
            // No proxy can know this machine itself.
            if is_local { builder.no_proxy().build() } else { builder.build() }
        });
        let failed = |why: String| StartError::Failed(format!("no connection can be made: {why}"));
        let client = made.await.map_err(|error| failed(error.to_string()))?;
        let client = client.map_err(|error| failed(chain(&error)))?;
        Ok(slot.get_or_init(|| client).clone())
    }
}

fn is_local(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| url.host_str().is_some_and(net::is_loopback))
}

/// The headers that the configuration asks for.
fn headers(endpoint: &McpEndpoint) -> Result<HashMap<HeaderName, HeaderValue>, StartError> {
    let given = endpoint.http_headers.iter().map(|(name, value)| (name, value.clone()));
    let looked_up = endpoint.env_http_headers.iter().filter_map(|(name, variable)| {
        Some((name, env::var(variable).ok().filter(|value| !value.is_empty())?))
    });
    let header = |(name, value): (&String, String)| {
        let wrong = || StartError::Failed(format!("`{name}` is no header that can be sent"));
        let value = HeaderValue::from_str(&value).map_err(|_| wrong())?;
        Ok((HeaderName::try_from(name).map_err(|_| wrong())?, value))
    };
    given.chain(looked_up).map(header).collect()
}
