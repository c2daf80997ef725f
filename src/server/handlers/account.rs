//! Who is signed in, and signing out. Everybody who is connected is told of changes.

use std::sync::Arc;

use crate::auth::{self, Credential};
use crate::protocol::{
    Account, AccountUpdatedNotification, GetAccountParams, GetAccountResponse, GetAuthStatusParams,
    GetAuthStatusResponse, LogoutAccountResponse, NoParams, PlanType, method,
};
use crate::server::Server;
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, blocking};
use crate::server::error::{Error, Result};

pub(crate) async fn read(cx: Cx, params: GetAccountParams) -> Result<GetAccountResponse> {
    if !wants_sign_in(&cx).await? {
        return Ok(GetAccountResponse {
            account: None,
            user_id: None,
            requires_openai_auth: false,
            workspace_routing: None,
        });
    }
    let credential = credential(&cx, params.refresh_token).await;
    let tokens = credential.as_ref().and_then(Credential::tokens);
    Ok(GetAccountResponse {
        user_id: tokens.and_then(|tokens| tokens.user_id.clone()),
        account: credential.as_ref().map(shown),
        requires_openai_auth: true,
        workspace_routing: None,
    })
}

/// A credential as clients see it.
fn shown(credential: &Credential) -> Account {
    match credential.tokens() {
        None => Account::ApiKey {},
        Some(tokens) => Account::Chatgpt {
            email: tokens.email.clone(),
            plan_type: tokens.plan.unwrap_or(PlanType::Unknown),
            workspace_name: None,
        },
    }
}

pub(crate) async fn logout(cx: Cx, _params: NoParams) -> Result<Later<LogoutAccountResponse>> {
    auth(&cx).sign_out().await.map_err(|error| failed("logout", &error))?;
    let answered = cx.answer(&LogoutAccountResponse {});
    updated(&cx.server).await;
    Ok(answered)
}

pub(crate) async fn status(cx: Cx, params: GetAuthStatusParams) -> Result<GetAuthStatusResponse> {
    let requires = wants_sign_in(&cx).await?;
    let credential = match requires {
        true => credential(&cx, params.refresh_token == Some(true)).await,
        false => None,
    };
    let token = credential.as_ref().filter(|_| params.include_token == Some(true));
    Ok(GetAuthStatusResponse {
        auth_method: credential.as_ref().map(Credential::mode),
        auth_token: token.map(|credential| credential.bearer().token.expose().to_owned()),
        requires_openai_auth: Some(requires),
    })
}

/// Tells who is signed in now.
pub(super) async fn updated(server: &Server) {
    let credential = server.threads.shared.auth.credential().await;
    let now = AccountUpdatedNotification {
        auth_mode: credential.as_ref().map(Credential::mode),
        plan_type: credential.as_ref().and_then(Credential::plan),
    };
    server.audience.notify::<method::AccountUpdated>(Reach::All, &now);
}

/// What somebody is signed in with, renewed if that is wanted.
async fn credential(cx: &Cx, renewed: bool) -> Option<Credential> {
    if renewed && let Err(error) = auth(cx).renew().await {
        // Those that can never be renewed are gone then; others may still be good.
        tracing::warn!(%error, "the tokens were not renewed");
    }
    auth(cx).credential().await
}

/// Whether the provider of models wants somebody to be signed in.
async fn wants_sign_in(cx: &Cx) -> Result<bool> {
    let server = Arc::clone(&cx.server);
    Ok(blocking(move || server.threads.wants_sign_in()).await??)
}

pub(super) fn auth(cx: &Cx) -> &Arc<auth::Auth> {
    &cx.server.threads.shared.auth
}

pub(super) fn refused(why: &str) -> Error {
    Error::invalid_request(why)
}

pub(super) fn failed(what: &str, error: &auth::Error) -> Error {
    Error::internal(format!("failed to {what}: {}", crate::util::error::chain(error)))
}
