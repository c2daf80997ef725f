//! The backend of ChatGPT: what it knows of the account that is signed in.
//!
//! It is asked with the account's tokens, and once more with others when they are refused.

mod shape;

use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::shape::{Consumed, Messages, Profile, ResetCredits, Usage};
use super::{Auth, Bearer};
use crate::protocol::{
    AddCreditsNudgeCreditType, AddCreditsNudgeEmailStatus,
    ConsumeAccountRateLimitResetCreditOutcome, GetAccountRateLimitsResponse,
    GetAccountTokenUsageResponse, GetWorkspaceMessagesResponse,
};
use crate::util::error::chain;
use crate::util::web::{self, Answer};

/// How much of an answer an error tells, in characters.
const LONGEST_BODY: usize = 2000;
/// Says that clients know a reserve of the service's.
const LUNA: &str = "x-openai-codex-luna-reserve";

/// Why the backend did not tell.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody is signed in.
    #[error("codex account authentication required")]
    SignedOut,
    /// Somebody is signed in who has no account there.
    #[error("chatgpt authentication required")]
    NoAccount,
    #[error("{}", chain(.0))]
    Tokens(#[from] super::Error),
    #[error("the address {0} is not valid")]
    Address(String),
    #[error("{call} failed: {}", chain(.cause))]
    Unanswered { call: String, cause: web::Error },
    #[error("{call} failed: {status}; {shown}")]
    Refused { call: String, status: StatusCode, shown: String },
    #[error("Decode error for {url}: {cause}; {shown}")]
    Garbled { url: String, cause: serde_json::Error, shown: String },
}

/// What is asked.
struct Call {
    method: Method,
    /// Beneath `chatgpt_base_url`.
    path: &'static str,
    header: Option<&'static str>,
    body: Option<Value>,
}

impl Call {
    fn get(path: &'static str) -> Self {
        Self { method: Method::GET, path, header: None, body: None }
    }

    fn post(path: &'static str, body: Value) -> Self {
        Self { method: Method::POST, path, header: None, body: Some(body) }
    }

    fn request(&self, url: &Url, bearer: &Bearer) -> Request {
        let mut request = Request::new(self.method.clone(), url.clone());
        let headers = request.headers_mut();
        let token = format!("Bearer {}", bearer.token.expose());
        if let Ok(mut token) = HeaderValue::try_from(token) {
            token.set_sensitive(true);
            headers.insert(AUTHORIZATION, token);
        }
        let account = bearer.account_id.as_deref().and_then(|id| HeaderValue::try_from(id).ok());
        if let Some(account) = account {
            headers.insert("chatgpt-account-id", account);
        }
        if let Some(name) = self.header {
            headers.insert(name, HeaderValue::from_static("1"));
        }
        if let Some(body) = &self.body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        request
    }
}

impl Auth {
    /// What the account may still use.
    pub(crate) async fn rate_limits(
        self: &Arc<Self>,
        with_reset_credits: bool,
        knows_luna: bool,
    ) -> Result<GetAccountRateLimitsResponse, Error> {
        let call = Call { header: knows_luna.then_some(LUNA), ..Call::get("wham/usage") };
        let credits = async {
            match with_reset_credits {
                // Their number comes with the limits, if nothing else does.
                true => self
                    .tell::<ResetCredits>(&Call::get("wham/rate-limit-reset-credits"))
                    .await
                    .ok(),
                false => None,
            }
        };
        let (usage, credits) = tokio::join!(self.tell::<Usage>(&call), credits);
        let mut limits = usage?.limits();
        if let Some(summary) = credits.and_then(ResetCredits::summary) {
            limits.rate_limit_reset_credits = Some(summary);
        }
        Ok(limits)
    }

    /// What the account has used.
    pub(crate) async fn token_usage(
        self: &Arc<Self>,
    ) -> Result<GetAccountTokenUsageResponse, Error> {
        Ok(self.tell::<Profile>(&Call::get("wham/profiles/me")).await?.usage())
    }

    /// What the account's workspace tells its members.
    pub(crate) async fn workspace_messages(
        self: &Arc<Self>,
    ) -> Result<GetWorkspaceMessagesResponse, Error> {
        match self.tell::<Messages>(&Call::get("wham/workspace-messages")).await {
            Err(Error::Refused { status: StatusCode::NOT_FOUND, .. }) => {
                Ok(GetWorkspaceMessagesResponse { feature_enabled: false, messages: Vec::new() })
            }
            messages => Ok(messages?.messages()),
        }
    }

    /// Begins a limit's window anew.
    pub(crate) async fn use_reset_credit(
        self: &Arc<Self>,
        key: &str,
        credit: Option<&str>,
    ) -> Result<ConsumeAccountRateLimitResetCreditOutcome, Error> {
        let mut body = json!({"redeem_request_id": key});
        if let Some(credit) = credit {
            body["credit_id"] = credit.into();
        }
        let call = Call::post("wham/rate-limit-reset-credits/consume", body);
        Ok(self.tell::<Consumed>(&call).await?.outcome())
    }

    /// Has the backend write to who pays.
    pub(crate) async fn nudge(
        self: &Arc<Self>,
        what: AddCreditsNudgeCreditType,
    ) -> Result<AddCreditsNudgeEmailStatus, Error> {
        let body = json!({"credit_type": what});
        let call = Call::post("wham/accounts/send_add_credits_nudge_email", body);
        match self.answer(&call).await {
            Ok(_) => Ok(AddCreditsNudgeEmailStatus::Sent),
            Err(Error::Refused { status: StatusCode::TOO_MANY_REQUESTS, .. }) => {
                Ok(AddCreditsNudgeEmailStatus::CooldownActive)
            }
            Err(error) => Err(error),
        }
    }

    /// What a good answer says.
    async fn tell<T: DeserializeOwned>(self: &Arc<Self>, call: &Call) -> Result<T, Error> {
        let (url, answer) = self.answer(call).await?;
        serde_json::from_slice(&answer.body).map_err(|cause| Error::Garbled {
            url: url.into(),
            cause,
            shown: shown(&answer),
        })
    }

    /// A good answer, and who has given it.
    async fn answer(self: &Arc<Self>, call: &Call) -> Result<(Url, Answer), Error> {
        let address = format!("{}{}", self.settings().await.chatgpt_base_url, call.path);
        let url = Url::parse(&address).map_err(|_| Error::Address(address))?;
        let credential = self.usable().await?.ok_or(Error::SignedOut)?;
        if credential.tokens().is_none() {
            return Err(Error::NoAccount);
        }
        let bearer = credential.bearer();
        let mut answer = self.exchange(call, &url, &bearer).await?;
        if answer.status == StatusCode::UNAUTHORIZED
            && let Some(other) = self.instead_of(&bearer.token).await?
        {
            answer = self.exchange(call, &url, &other.bearer()).await?;
        }
        match answer.status.is_success() {
            true => Ok((url, answer)),
            false => Err(Error::Refused {
                call: format!("{} {url}", call.method),
                status: answer.status,
                shown: shown(&answer),
            }),
        }
    }

    async fn exchange(&self, call: &Call, url: &Url, bearer: &Bearer) -> Result<Answer, Error> {
        let answer = self.clients.ask(call.request(url, bearer)).await;
        let call = || format!("{} {url}", call.method);
        answer.map_err(|cause| Error::Unanswered { call: call(), cause })
    }
}

/// An answer as errors show it.
fn shown(answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let body: String = body.chars().take(LONGEST_BODY).collect();
    format!("content-type={}; body={body}", answer.content_type.as_deref().unwrap_or_default())
}
