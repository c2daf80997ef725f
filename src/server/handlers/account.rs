//! Who is signed in. Everybody who is connected is told of changes.

use std::sync::Arc;

use crate::auth::{self, Credential};
use crate::config::LoginMethod;
use crate::protocol::{
    Account, AccountLoginCompletedNotification, AccountUpdatedNotification,
    CancelLoginAccountParams, CancelLoginAccountResponse, CancelLoginAccountStatus,
    GetAccountParams, GetAccountResponse, GetAuthStatusParams, GetAuthStatusResponse,
    LoginAccountParams, LoginAccountResponse, LogoutAccountResponse, NoParams, PlanType, method,
};
use crate::server::Server;
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later, blocking};
use crate::server::error::{Error, Result};

pub(crate) async fn read(cx: Cx, _params: GetAccountParams) -> Result<GetAccountResponse> {
    if !wants_sign_in(&cx).await? {
        return Ok(GetAccountResponse {
            account: None,
            user_id: None,
            requires_openai_auth: false,
            workspace_routing: None,
        });
    }
    let credential = auth(&cx).credential().await;
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

pub(crate) async fn login(
    cx: Cx,
    params: LoginAccountParams,
) -> Result<Later<LoginAccountResponse>> {
    let settings = auth(&cx).settings().await;
    match (&params, settings.forced) {
        (LoginAccountParams::ApiKey { .. }, Some(LoginMethod::Chatgpt)) => {
            return Err(refused("API key login is disabled. Use ChatGPT login instead."));
        }
        (
            LoginAccountParams::Chatgpt { .. }
            | LoginAccountParams::ChatgptDeviceCode {}
            | LoginAccountParams::ChatgptAuthTokens { .. },
            Some(LoginMethod::Api),
        ) => return Err(refused("ChatGPT login is disabled. Use API key login instead.")),
        _ => {}
    }
    match params {
        LoginAccountParams::ApiKey { api_key } => {
            auth(&cx)
                .sign_in_with_key(api_key)
                .await
                .map_err(|error| failed("save api key", &error))?;
            let answered = cx.answer(&LoginAccountResponse::ApiKey {});
            completed(&cx.server, None, Ok(())).await;
            Ok(answered)
        }
        LoginAccountParams::Chatgpt { .. }
        | LoginAccountParams::ChatgptDeviceCode {}
        | LoginAccountParams::ChatgptAuthTokens { .. } => {
            Err(refused("This way to sign in is not supported yet."))
        }
        LoginAccountParams::AmazonBedrock { .. }
        | LoginAccountParams::AmazonBedrockAccessKeys { .. } => {
            Err(refused("Amazon Bedrock is not supported."))
        }
    }
}

pub(crate) async fn cancel(
    _cx: Cx,
    params: CancelLoginAccountParams,
) -> Result<CancelLoginAccountResponse> {
    if uuid::Uuid::parse_str(&params.login_id).is_err() {
        return Err(refused(&format!("invalid login id: {}", params.login_id)));
    }
    Ok(CancelLoginAccountResponse { status: CancelLoginAccountStatus::NotFound })
}

pub(crate) async fn logout(cx: Cx, _params: NoParams) -> Result<Later<LogoutAccountResponse>> {
    auth(&cx).sign_out().await.map_err(|error| failed("logout", &error))?;
    let answered = cx.answer(&LogoutAccountResponse {});
    updated(&cx.server).await;
    Ok(answered)
}

pub(crate) async fn status(cx: Cx, params: GetAuthStatusParams) -> Result<GetAuthStatusResponse> {
    let requires = wants_sign_in(&cx).await?;
    let credential = if requires { auth(&cx).credential().await } else { None };
    let token = credential.as_ref().filter(|_| params.include_token == Some(true));
    Ok(GetAuthStatusResponse {
        auth_method: credential.as_ref().map(Credential::mode),
        auth_token: token.map(|credential| credential.bearer().token.expose().to_owned()),
        requires_openai_auth: Some(requires),
    })
}

/// Tells how a sign-in has ended, and if it went well, who is signed in now.
async fn completed(server: &Server, login_id: Option<String>, outcome: Result<(), String>) {
    let done = AccountLoginCompletedNotification {
        login_id,
        success: outcome.is_ok(),
        error: outcome.err(),
        onboarding_entrypoint: None,
    };
    server.audience.notify::<method::AccountLoginCompleted>(Reach::All, &done);
    if done.success {
        updated(server).await;
    }
}

/// Tells who is signed in now.
async fn updated(server: &Server) {
    let credential = server.threads.shared.auth.credential().await;
    let now = AccountUpdatedNotification {
        auth_mode: credential.as_ref().map(Credential::mode),
        plan_type: credential.as_ref().and_then(Credential::plan),
    };
    server.audience.notify::<method::AccountUpdated>(Reach::All, &now);
}

/// Whether the provider of models wants somebody to be signed in.
async fn wants_sign_in(cx: &Cx) -> Result<bool> {
    let server = Arc::clone(&cx.server);
    Ok(blocking(move || server.threads.wants_sign_in()).await??)
}

fn auth(cx: &Cx) -> &auth::Auth {
    &cx.server.threads.shared.auth
}

fn refused(why: &str) -> Error {
    Error::invalid_request(why)
}

fn failed(what: &str, error: &auth::Error) -> Error {
    Error::internal(format!("failed to {what}: {}", crate::util::error::chain(error)))
}
