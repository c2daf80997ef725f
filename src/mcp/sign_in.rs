//! Signing in to a server: the user's browser grants what the server asks for, and comes back to a port of ours.

use std::time::Duration;

use hyper::StatusCode;
use reqwest::Url;
use rmcp::transport::auth::{AuthError, AuthorizationRequest, AuthorizationSession};
use tokio::time::timeout;

use super::error::StartError;
use super::pool::Pool;
use crate::auth::callback::{Callback, Page, Visit};
use crate::config::McpEndpoint;

/// How the program is called where it registers.
const CLIENT_NAME: &str = "app-server";

/// A sign-in that waits for the user.
pub(crate) struct SignIn {
    session: AuthorizationSession,
    callback: Callback,
    path: String,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("no port of this machine is free for the browser to come back to")]
    Port(#[source] std::io::Error),
    #[error(transparent)]
    Connect(#[from] StartError),
    #[error(transparent)]
    Service(#[from] AuthError),
    #[error("timed out waiting for OAuth callback")]
    TimedOut,
    #[error("failed to handle OAuth callback: {0}")]
    Callback(String),
}

/// What a sign-in is for.
pub(crate) struct Wish<'a> {
    pub(crate) server: &'a str,
    pub(crate) endpoint: &'a McpEndpoint,
    /// What to ask for; what the service proposes if there is nothing.
    pub(crate) scopes: Vec<String>,
    /// Names the sign-in.
    pub(crate) id: &'a str,
    /// Where the browser comes back to; any free port without one.
    pub(crate) port: Option<u16>,
}

impl Pool {
    /// Begins a sign-in.
    pub(crate) async fn sign_in(&self, wish: Wish<'_>) -> Result<SignIn, SignInError> {
        let Wish { server, endpoint, scopes, id, port } = wish;
        let grants = self.http.grants(server, &endpoint.url);
        let mut manager = self.http.manager(&endpoint.url, grants).await?;
        let resolution = manager.resolve_metadata().await?;
        manager.set_metadata(resolution.metadata);
        let callback = Callback::on(&[port.unwrap_or(0)]).await.map_err(SignInError::Port)?;
        let path = format!("/callback/{id}");
        let redirect_uri = format!("http://127.0.0.1:{}{path}", callback.port());
        let mut request = AuthorizationRequest::new(redirect_uri)
            .with_client_name(CLIENT_NAME)
            .with_initial_scope_selection()
            .with_scopes(scopes);
        if let Some(client) = &endpoint.client_id {
            request = request.with_preregistered_client(client);
        }
        let session = AuthorizationSession::new(manager, request).await;
        let session = session.map_err(|(_, error)| error)?;
        Ok(SignIn { session, callback, path })
    }
}

impl SignIn {
    /// What the user's browser has to open.
    pub(crate) fn url(&self) -> &str {
        self.session.get_authorization_url()
    }

    /// Waits until the user has agreed, and keeps what was granted.
    pub(crate) async fn finish(mut self, patience: Duration) -> Result<(), SignInError> {
        let outcome = timeout(patience, self.returned()).await;
        self.callback.close().await;
        outcome.map_err(|_| SignInError::TimedOut)?
    }

    async fn returned(&mut self) -> Result<(), SignInError> {
        let url = Url::parse(self.url()).ok();
        let expected = url.and_then(|url| {
            let state = url.query_pairs().find(|(name, _)| name == "state");
            state.map(|(_, state)| state.into_owned())
        });
        loop {
            let Some(visit) = self.callback.next().await else {
                return Err(SignInError::Callback("nobody listens any more".to_owned()));
            };
            let state = visit.param("state");
            if visit.path != self.path {
                visit.answer(Page::not_found());
            } else if state.is_none() || state != expected {
                let text = "This belongs to another sign-in.";
                visit.answer(Page::new(StatusCode::BAD_REQUEST, "State mismatch", text));
            } else {
                let granted = self.granted(&visit, &state.unwrap_or_default()).await;
                visit.answer(match &granted {
                    Ok(()) => Page::ok("Signed in", "You can close this window."),
                    Err(error) => Page::ok("Sign-in failed", &error.to_string()),
                });
                return granted;
            }
        }
    }

    async fn granted(&self, visit: &Visit, state: &str) -> Result<(), SignInError> {
        if let Some(error) = visit.param("error") {
            let why = visit.param("error_description").unwrap_or(error);
            return Err(SignInError::Callback(why));
        }
        let code = visit.param("code").unwrap_or_default();
        let issuer = visit.param("iss");
        let session = &self.session;
        let granted = session.handle_callback_with_issuer(&code, state, issuer.as_deref()).await;
        granted.map(drop).map_err(|error| SignInError::Callback(error.to_string()))
    }
}
