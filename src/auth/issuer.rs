//! The service that signs users in: what it is asked, and what it answers.
//!
//! Its errors name what went wrong and never hold what was sent.

use std::sync::Arc;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::util::secret::Secret;
use crate::util::web::{self, Answer, Clients};

const ISSUER: &str = "https://auth.openai.com";
/// Names the family of programs to the issuer.
pub(super) const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// Environment variables that put other addresses in place of the issuer's.
const ISSUER_VARIABLE: &str = "CODEX_APP_SERVER_LOGIN_ISSUER";
const REFRESH_VARIABLE: &str = "CODEX_REFRESH_TOKEN_URL_OVERRIDE";
const REVOKE_VARIABLE: &str = "CODEX_REVOKE_TOKEN_URL_OVERRIDE";
/// How much of what the issuer says about a refusal is told.
const LONGEST_REASON: usize = 300;

pub(super) struct Issuer {
    /// Without a slash at its end.
    base: String,
    refresh_url: String,
    revoke_url: String,
    clients: Arc<Clients>,
}

/// Tokens that have just been issued.
#[derive(Clone, Deserialize)]
pub(crate) struct Granted {
    pub(super) id_token: Secret,
    pub(super) access_token: Secret,
    pub(super) refresh_token: Secret,
}

/// Tokens in place of older ones; those that are not mentioned stay.
#[derive(Deserialize)]
pub(super) struct Renewed {
    pub(super) id_token: Option<Secret>,
    pub(super) access_token: Option<Secret>,
    pub(super) refresh_token: Option<Secret>,
}

/// What a browser comes back with, and what proves that it is ours.
pub(super) struct Code<'a> {
    pub(super) code: &'a str,
    pub(super) verifier: &'a Secret,
    pub(super) redirect_uri: &'a str,
}

/// A sign-in that the user finishes in a browser on any machine.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DeviceCode {
    pub(super) device_auth_id: String,
    #[serde(alias = "usercode")]
    pub(super) user_code: String,
    /// How many seconds to wait between questions.
    #[serde(default = "five", deserialize_with = "number_or_text")]
    pub(super) interval: u64,
}

/// What such a sign-in has come to.
#[derive(Deserialize)]
pub(super) struct DeviceGrant {
    pub(super) authorization_code: String,
    pub(super) code_verifier: Secret,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the address {0} is not valid")]
    Address(String),
    #[error("the sign-in service cannot be reached")]
    Unreachable(#[source] web::Error),
    #[error("token endpoint returned status {status}{}", reason(.says))]
    Refused { status: StatusCode, code: Option<String>, says: Option<String> },
    #[error("the sign-in service answers with something else than was asked for")]
    Garbled,
}

fn reason(says: &Option<String>) -> String {
    says.as_ref().map(|says| format!(": {says}")).unwrap_or_default()
}

impl Error {
    pub(super) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Address(_) | Self::Unreachable(_) | Self::Garbled => None,
        }
    }

    /// Whether a refresh token will never be good again.
    pub(super) fn is_for_good(&self) -> bool {
        let Self::Refused { status, code, .. } = self else { return false };
        *status == StatusCode::UNAUTHORIZED
            || (*status == StatusCode::BAD_REQUEST && code.as_deref() == Some("invalid_grant"))
    }

    /// Whether the same request may do better in a moment.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Refused { status, .. } => status.is_server_error(),
            Self::Address(_) | Self::Garbled => false,
        }
    }
}

impl Issuer {
    /// The issuer, or what the environment names in its place.
    pub(super) fn of_environment(clients: Arc<Clients>) -> Self {
        let named = |name| std::env::var(name).ok().filter(|url| !url.is_empty());
        let base = named(ISSUER_VARIABLE).unwrap_or_else(|| ISSUER.to_owned());
        let base = base.trim_end_matches('/').to_owned();
        Self {
            refresh_url: named(REFRESH_VARIABLE).unwrap_or_else(|| format!("{base}/oauth/token")),
            revoke_url: named(REVOKE_VARIABLE).unwrap_or_else(|| format!("{base}/oauth/revoke")),
            base,
            clients,
        }
    }

    /// The address of a page or endpoint.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Tokens for a code.
    pub(super) async fn exchange(&self, code: &Code<'_>) -> Result<Granted, Error> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("code", code.code),
            ("redirect_uri", code.redirect_uri),
            ("code_verifier", code.verifier.expose()),
        ];
        parsed(&self.post_form("/oauth/token", &form).await?)
    }

    /// A key of the API for who has just signed in.
    pub(super) async fn api_key(&self, granted: &Granted) -> Result<Secret, Error> {
        #[derive(Deserialize)]
        struct Exchanged {
            access_token: Secret,
        }
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("client_id", CLIENT_ID),
            ("requested_token", "openai-api-key"),
            ("subject_token", granted.id_token.expose()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ];
        let exchanged: Exchanged = parsed(&self.post_form("/oauth/token", &form).await?)?;
        Ok(exchanged.access_token)
    }

    /// New tokens for a refresh token, which may be used up by that.
    pub(super) async fn renew(&self, token: &Secret, reason: &str) -> Result<Renewed, Error> {
        let body = json!({"client_id": CLIENT_ID, "grant_type": "refresh_token",
            "refresh_token": token.expose(), "refresh_reason": reason});
        parsed(&self.post_json(&self.refresh_url, &body).await?)
    }

    /// Makes a refresh token good for nothing.
    pub(super) async fn revoke(&self, token: &Secret) -> Result<(), Error> {
        let body = json!({"token": token.expose(), "token_type_hint": "refresh_token", "client_id": CLIENT_ID});
        good(self.post_json(&self.revoke_url, &body).await?).map(drop)
    }

    pub(super) async fn device_code(&self) -> Result<DeviceCode, Error> {
        let url = self.url("/api/accounts/deviceauth/usercode");
        parsed(&self.post_json(&url, &json!({"client_id": CLIENT_ID})).await?)
    }

    /// What has become of a device's sign-in; nothing as long as the user has not finished it.
    pub(super) async fn device_grant(
        &self,
        device: &DeviceCode,
    ) -> Result<Option<DeviceGrant>, Error> {
        let url = self.url("/api/accounts/deviceauth/token");
        let body = json!({"device_auth_id": device.device_auth_id, "user_code": device.user_code});
        let answer = self.post_json(&url, &body).await?;
        match answer.status {
            StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Ok(None),
            _ => parsed(&answer).map(Some),
        }
    }

    async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Result<Answer, Error> {
        let url = self.url(path);
        // A query of an address has the form of a form.
        let encoded = Url::parse_with_params("http://localhost/", form)
            .ok()
            .and_then(|url| url.query().map(str::to_owned));
        let body = encoded.ok_or(Error::Garbled)?;
        self.post(&url, "application/x-www-form-urlencoded", body).await
    }

    async fn post_json(&self, url: &str, body: &Value) -> Result<Answer, Error> {
        self.post(url, "application/json", body.to_string()).await
    }

    async fn post(&self, url: &str, kind: &'static str, body: String) -> Result<Answer, Error> {
        let url = Url::parse(url).map_err(|_| Error::Address(url.to_owned()))?;
        let mut request = Request::new(Method::POST, url);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.into());
        self.clients.ask(request).await.map_err(Error::Unreachable)
    }
}

/// What a good answer holds.
fn parsed<T: DeserializeOwned>(answer: &Answer) -> Result<T, Error> {
    good(answer.clone()).and_then(|it| serde_json::from_slice(&it.body).map_err(|_| Error::Garbled))
}

fn good(answer: Answer) -> Result<Answer, Error> {
    if answer.status.is_success() {
        return Ok(answer);
    }
    let (code, says) = explanation(&answer.body);
    Err(Error::Refused { status: answer.status, code, says })
}

/// The code of a refusal, and its words, in one of the forms that are in use.
fn explanation(body: &[u8]) -> (Option<String>, Option<String>) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let code = [&body["error"]["code"], &body["error"], &body["code"]].into_iter().find_map(text);
    let words = [&body["error_description"], &body["error"]["message"], &body["message"]];
    let mut says = words.into_iter().find_map(text).or_else(|| code.clone());
    if let Some(says) = &mut says
        && let Some((end, _)) = says.char_indices().nth(LONGEST_REASON)
    {
        says.truncate(end);
    }
    (code, says)
}

fn five() -> u64 {
    5
}

fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let number = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
    number.ok_or_else(|| serde::de::Error::custom("not a number of seconds"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, says: &str, is_for_good: bool) {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer { status, content_type: None, body: body.as_bytes().to_vec() };
        let error = good(answer).map(drop).unwrap_err();
        assert_eq!(error.to_string(), format!("token endpoint returned status {status}{says}"));
        assert_eq!(error.is_for_good(), is_for_good);
    }

    #[test]
    fn refusals_are_told_in_the_words_of_the_issuer() {
        let reused = r#"{"error":{"code":"refresh_token_reused","message":"used before"}}"#;
        check(401, reused, ": used before", true);
        check(400, r#"{"error":"invalid_grant","error_description":"too old"}"#, ": too old", true);
        check(400, r#"{"error":"invalid_request"}"#, ": invalid_request", false);
        check(503, "<html>", "", false);
        check(
            400,
            &json!({"message": "ä".repeat(400)}).to_string(),
            &format!(": {}", "ä".repeat(300)),
            false,
        );
    }

    #[test]
    fn intervals_are_numbers_in_any_form() {
        let interval = |value: Value| {
            let code = json!({"device_auth_id": "d", "user_code": "u", "interval": value});
            serde_json::from_value::<DeviceCode>(code).map(|code| code.interval).ok()
        };
        assert_eq!(interval("7".into()), Some(7));
        assert_eq!(interval(7.into()), Some(7));
        assert_eq!(interval("soon".into()), None);
    }
}
