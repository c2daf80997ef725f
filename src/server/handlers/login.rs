//! Signing in. One sign-in at a time waits for the user; the next one takes its place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::account::{auth, failed, refused, updated};
use crate::auth::login::{Ending, Failure, Login, StartError};
use crate::auth::{Credential, Loan};
use crate::config::LoginMethod;
use crate::protocol::{
    AccountLoginCompletedNotification, CancelLoginAccountParams, CancelLoginAccountResponse,
    CancelLoginAccountStatus, LoginAccountParams, LoginAccountResponse, LoginAppBrand, method,
};
use crate::server::Server;
use crate::server::audience::Reach;
use crate::server::context::{Cx, Later};
use crate::server::error::{Error, Result};
use crate::server::lender::ClientLender;
use crate::util::secret::Secret;

/// The sign-in that waits for the user.
#[derive(Default)]
pub(crate) struct Logins {
    pending: Mutex<Option<Pending>>,
}

#[derive(Clone)]
struct Pending {
    id: String,
    cancel: CancellationToken,
    /// Cancelled when everybody knows how it has ended.
    over: CancellationToken,
}

impl Logins {
    /// Takes the one sign-in, if it is this one (or any, without an id). Whoever has taken it decides how it ends.
    fn take(&self, id: Option<&str>) -> Option<Pending> {
        let mut pending = self.lock();
        match (&*pending, id) {
            (Some(pending), Some(id)) if pending.id != id => None,
            _ => pending.take(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// Ends it, and waits until that is known and its port is free.
    async fn cancel(self) {
        self.cancel.cancel();
        self.over.cancelled().await;
    }
}

const LENT: &str = "External auth is active. Use account/login/start (chatgptAuthTokens) to update it or account/logout to clear it.";

pub(crate) async fn start(
    cx: Cx,
    params: LoginAccountParams,
) -> Result<Later<LoginAccountResponse>> {
    let settings = auth(&cx).settings().await;
    check_method(&params, settings.forced)?;
    let lent = matches!(auth(&cx).credential().await, Some(Credential::Lent(_)));
    if lent && !matches!(params, LoginAccountParams::ChatgptAuthTokens { .. }) {
        return Err(refused(LENT));
    }
    if let Some(pending) = cx.server.logins.take(None) {
        pending.cancel().await;
    }
    let originator = cx.server.threads.shared.client().originator;
    match params {
        LoginAccountParams::ApiKey { api_key } => {
            let kept = auth(&cx).sign_in_with_key(api_key).await;
            kept.map_err(|error| failed("save api key", &error))?;
            let answered = cx.answer(&LoginAccountResponse::ApiKey {});
            completed(&cx.server, None, Ok(())).await;
            Ok(answered)
        }
        LoginAccountParams::Chatgpt {
            use_hosted_login_success_page,
            app_brand,
            codex_streamlined_login,
        } => {
            let ending = match app_brand {
                _ if !use_hosted_login_success_page && codex_streamlined_login => {
                    Ending::OursInShort
                }
                _ if !use_hosted_login_success_page => Ending::Ours,
                Some(LoginAppBrand::Chatgpt) => Ending::Hosted { brand: "chatgpt" },
                Some(LoginAppBrand::Codex) | None => Ending::Hosted { brand: "codex" },
            };
            let browser =
                auth(&cx).browser(&originator, ending).await.map_err(|error| unstarted(&error))?;
            let (login_id, auth_url) = (new_id(), browser.auth_url().to_string());
            let response = LoginAccountResponse::Chatgpt { login_id: login_id.clone(), auth_url };
            Ok(wait(&cx, login_id, Login::Browser(Box::new(browser)), &response))
        }
        LoginAccountParams::ChatgptDeviceCode {} => {
            let device = auth(&cx).device().await.map_err(|error| unstarted(&error))?;
            let login_id = new_id();
            let response = LoginAccountResponse::ChatgptDeviceCode {
                login_id: login_id.clone(),
                verification_url: device.verification_url(),
                user_code: device.user_code().to_owned(),
            };
            Ok(wait(&cx, login_id, Login::Device(device), &response))
        }
        LoginAccountParams::ChatgptAuthTokens {
            access_token,
            chatgpt_account_id,
            chatgpt_plan_type,
        } => {
            let loan = Loan {
                access: Secret::new(access_token),
                account_id: chatgpt_account_id,
                plan: chatgpt_plan_type,
            };
            let borrowed = auth(&cx).borrow(loan, Arc::new(ClientLender::of(&cx))).await;
            borrowed.map_err(|error| failed("set external auth", &error))?;
            let answered = cx.answer(&LoginAccountResponse::ChatgptAuthTokens {});
            completed(&cx.server, None, Ok(())).await;
            Ok(answered)
        }
        LoginAccountParams::AmazonBedrock { .. }
        | LoginAccountParams::AmazonBedrockAccessKeys { .. } => {
            Err(refused("Amazon Bedrock is not supported."))
        }
    }
}

/// Refuses the ways to sign in that the configuration does not allow.
fn check_method(params: &LoginAccountParams, forced: Option<LoginMethod>) -> Result<()> {
    match (params, forced) {
        (LoginAccountParams::ApiKey { .. }, Some(LoginMethod::Chatgpt)) => {
            Err(refused("API key login is disabled. Use ChatGPT login instead."))
        }
        (
            LoginAccountParams::Chatgpt { .. }
            | LoginAccountParams::ChatgptDeviceCode {}
            | LoginAccountParams::ChatgptAuthTokens { .. },
            Some(LoginMethod::Api),
        ) => Err(refused("ChatGPT login is disabled. Use API key login instead.")),
        _ => Ok(()),
    }
}

pub(crate) async fn cancel(
    cx: Cx,
    params: CancelLoginAccountParams,
) -> Result<Later<CancelLoginAccountResponse>> {
    if Uuid::parse_str(&params.login_id).is_err() {
        return Err(refused(&format!("invalid login id: {}", params.login_id)));
    }
    let pending = cx.server.logins.take(Some(&params.login_id));
    let status = match pending {
        Some(_) => CancelLoginAccountStatus::Canceled,
        None => CancelLoginAccountStatus::NotFound,
    };
    let answered = cx.answer(&CancelLoginAccountResponse { status });
    if let Some(pending) = pending {
        pending.cancel().await;
    }
    Ok(answered)
}

/// Says how a sign-in goes on, and lets it go on.
fn wait(
    cx: &Cx,
    id: String,
    login: Login,
    response: &LoginAccountResponse,
) -> Later<LoginAccountResponse> {
    let (cancel, over) = (CancellationToken::new(), CancellationToken::new());
    let pending = Pending { id: id.clone(), cancel: cancel.clone(), over: over.clone() };
    *cx.server.logins.lock() = Some(pending);
    let answered = cx.answer(response);
    let server = Arc::clone(&cx.server);
    cx.server.spawn(async move {
        let _over = over.drop_guard();
        run(&server, id, login, &cancel).await;
    });
    answered
}

/// Runs a sign-in to its end.
async fn run(server: &Arc<Server>, id: String, mut login: Login, cancel: &CancellationToken) {
    let agreed = cancel.run_until_cancelled(login.agreed()).await;
    // Invariant: who is told that a sign-in is cancelled is not signed in by it. It is cancelled or kept by who takes it.
    let is_ours = server.logins.take(Some(&id)).is_some();
    let outcome = match agreed {
        Some(Ok(grant)) if is_ours => {
            server.threads.shared.auth.sign_in(grant).await.map_err(Failure::from)
        }
        Some(Err(failure)) => Err(failure),
        Some(Ok(_)) | None => Err(Failure::NotCompleted),
    };
    let told = outcome.as_ref().map_err(|failure| login.explain(failure)).copied();
    login.tell(&outcome).await;
    completed(server, Some(id), told).await;
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

fn new_id() -> String {
    Uuid::new_v4().to_string()
}

fn unstarted(error: &StartError) -> Error {
    match error {
        StartError::NoDevices => refused(&error.to_string()),
        StartError::Port(_) | StartError::Device(_) | StartError::Issuer | StartError::Random => {
            Error::internal(crate::util::error::chain(error))
        }
    }
}
