//! What an account may use and has used. Only accounts of ChatGPT are known to anybody who could tell.

use super::account::{auth, refused};
use crate::auth::{Credential, backend};
use crate::protocol::{
    AccountSession, AccountSessionWorkspace, AccountSessionsListParams, AccountSessionsResponse,
    ConsumeAccountRateLimitResetCreditParams, ConsumeAccountRateLimitResetCreditResponse,
    GetAccountRateLimitsParams, GetAccountRateLimitsResponse, GetAccountTokenUsageParams,
    GetAccountTokenUsageResponse, GetWorkspaceMessagesResponse, NoParams,
    SendAddCreditsNudgeEmailParams, SendAddCreditsNudgeEmailResponse,
};
use crate::server::context::{Cx, check_thread_id};
use crate::server::error::{Error, Result};
use crate::util::time::now_secs;

pub(crate) async fn limits(
    cx: Cx,
    params: Option<GetAccountRateLimitsParams>,
) -> Result<GetAccountRateLimitsResponse> {
    let params = params.unwrap_or_default();
    let details = !params.exclude_reset_credit_details;
    let limits = auth(&cx).rate_limits(details, params.supports_luna_reserve).await;
    limits.map_err(|error| untold("to read rate limits", "fetch codex rate limits", &error))
}

pub(crate) async fn tokens(
    cx: Cx,
    params: Option<GetAccountTokenUsageParams>,
) -> Result<GetAccountTokenUsageResponse> {
    if let Some(thread) = params.and_then(|params| params.thread_id) {
        check_thread_id(&thread)?;
    }
    let usage = auth(&cx).token_usage().await;
    usage.map_err(|error| untold("to read token usage", "fetch token usage profile", &error))
}

pub(crate) async fn messages(cx: Cx, _params: NoParams) -> Result<GetWorkspaceMessagesResponse> {
    let messages = auth(&cx).workspace_messages().await;
    messages
        .map_err(|error| untold("to read workspace messages", "fetch workspace messages", &error))
}

pub(crate) async fn reset(
    cx: Cx,
    params: ConsumeAccountRateLimitResetCreditParams,
) -> Result<ConsumeAccountRateLimitResetCreditResponse> {
    if params.idempotency_key.is_empty() {
        return Err(refused("idempotencyKey must not be empty"));
    }
    let credit = params.credit_id.as_deref();
    let outcome = auth(&cx).use_reset_credit(&params.idempotency_key, credit).await;
    let outcome = outcome.map_err(|error| {
        untold("for rate limit reset credits", "consume rate limit reset", &error)
    })?;
    Ok(ConsumeAccountRateLimitResetCreditResponse { outcome })
}

pub(crate) async fn nudge(
    cx: Cx,
    params: SendAddCreditsNudgeEmailParams,
) -> Result<SendAddCreditsNudgeEmailResponse> {
    let status = auth(&cx).nudge(params.credit_type).await;
    let status = status
        .map_err(|error| untold("to notify workspace owner", "notify workspace owner", &error))?;
    Ok(SendAddCreditsNudgeEmailResponse { status })
}

/// The one account that is signed in, if it has an owner that is known.
pub(crate) async fn sessions(
    cx: Cx,
    _params: AccountSessionsListParams,
) -> Result<AccountSessionsResponse> {
    let credential = auth(&cx).credential().await;
    let session = credential.as_ref().and_then(Credential::tokens).and_then(|tokens| {
        let workspace = |account_id: String| AccountSessionWorkspace {
            account_id,
            name: None,
            image_url: None,
            kind: None,
        };
        Some(AccountSession {
            session_id: tokens.user_id.clone()?,
            email: tokens.email.clone(),
            user_id: tokens.user_id.clone(),
            display_name: None,
            image_url: None,
            last_used_at: now_secs(),
            is_active: true,
            selected_workspace_account_id: tokens.account_id.clone(),
            workspaces: tokens.account_id.clone().map(workspace).into_iter().collect(),
        })
    });
    Ok(AccountSessionsResponse {
        active_session_id: session.as_ref().map(|session| session.session_id.clone()),
        sessions: session.into_iter().collect(),
    })
}

/// Why there is no answer: nobody is signed in who could be told `purpose`, or it was not possible to `work`.
fn untold(purpose: &str, work: &str, error: &backend::Error) -> Error {
    match error {
        backend::Error::SignedOut | backend::Error::NoAccount => {
            refused(&format!("{error} {purpose}"))
        }
        backend::Error::Tokens(_)
        | backend::Error::Address(_)
        | backend::Error::Unanswered { .. }
        | backend::Error::Refused { .. }
        | backend::Error::Garbled { .. } => Error::internal(format!("failed to {work}: {error}")),
    }
}
