//! One HTTP exchange: the connections of the process, the address and headers of a request, redirects.
//!
//! reqwest stays in this file and in `client`; others know at most its words for headers and statuses.

use std::collections::HashSet;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    LOCATION,
};
use reqwest::{Body, Client, Response, Url};

use super::authorization::variable_value;
use super::error::Error;
use super::pieces::Pieces;
use super::provider::{Provider, Wire};
use crate::auth::Bearer;
use crate::util::error::chain;
use crate::util::web::{self, Clients};

/// The account of ChatGPT that a request is for.
const ACCOUNT: &str = "chatgpt-account-id";
const MAX_REDIRECTS: usize = 10;

/// Why an exchange brought no answer.
pub(super) enum Failure {
    /// The connection was there, but was closed without an answer: worth a second try.
    Unanswered(Error),
    /// There was no connection, for this cause.
    Unreachable(String),
    Final(Error),
}

/// A request with everything that the provider adds to it.
pub(super) struct Call {
    url: Url,
    headers: HeaderMap,
    body: Pieces,
}

impl Call {
    pub(super) fn new(
        provider: &Provider,
        headers: &[(&'static str, String)],
        body: Pieces,
        bearer: Option<&Bearer>,
    ) -> Result<Self, Error> {
        let mut all = public_headers();
        for (name, value) in headers {
            set(&mut all, name, value);
        }
        for (name, value) in &provider.http_headers {
            set(&mut all, name, value.expose());
        }
        for (name, variable) in &provider.env_http_headers {
            if let Some(value) = variable_value(variable) {
                set(&mut all, name, &value);
            }
        }
        if let Some(Bearer { token, account_id }) = bearer {
            set(&mut all, AUTHORIZATION.as_str(), &format!("Bearer {}", token.expose()));
            if let Some(account) = account_id {
                set(&mut all, ACCOUNT, account);
            }
        }
        let base = match bearer {
            Some(Bearer { account_id: Some(_), .. }) => provider.chatgpt_url,
            Some(_) | None => None,
        };
        let url = url(provider, base.unwrap_or(&provider.base_url))?;
        Ok(Self { url, headers: all, body })
    }

    /// The address as it may be shown: without the query, which may hold keys.
    pub(super) fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.into()
    }

    /// The address as WebSockets have it.
    pub(super) fn socket_url(&self) -> String {
        // http becomes ws, https becomes wss.
        format!("ws{}", self.url.as_str().trim_start_matches("http"))
    }

    /// The headers of a WebSocket's upgrade, with one more.
    pub(super) fn socket_headers(&self, (name, value): (&'static str, &'static str)) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.remove(ACCEPT);
        headers.remove(CONTENT_TYPE);
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    fn body(&self) -> Body {
        Body::wrap_stream(stream::iter(self.body.clone().map(Ok::<_, Infallible>)))
    }

    /// Sends the request, and sends it again where it is redirected to.
    pub(super) async fn send(&self, connections: &Connections) -> Result<Response, Failure> {
        let (mut url, mut headers) = (self.url.clone(), self.headers.clone());
        for _ in 0..=MAX_REDIRECTS {
            let client = connections.to(&url).await.map_err(Failure::Final)?;
            // A body in pieces does not know its length by itself.
            let request = client.post(url.clone()).headers(headers.clone());
            let request = request.header(CONTENT_LENGTH, self.body.len()).body(self.body());
            let response = request.send().await.map_err(failure)?;
            let Some(next) = redirection(&url, &response) else {
                connections.answered(&self.url);
                return Ok(response);
            };
            if is_downgrade(&url, &next) {
                let refusal =
                    "the provider redirects from https to http, which would let others read along";
                return Err(Failure::Final(Error::unusable(refusal.to_owned())));
            }
            if next.origin() != self.url.origin() {
                // Credentials are for the configured provider only.
                headers = public_headers();
            }
            url = next;
        }
        Err(Failure::Final(Error::unusable("the provider redirects without end".to_owned())))
    }
}

fn public_headers() -> HeaderMap {
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("text/event-stream")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ])
}

/// Sets a header; one that HTTP does not allow is left out.
fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
        (Ok(name), Ok(mut value)) => {
            value.set_sensitive(name == AUTHORIZATION);
            headers.insert(name, value);
        }
        _ => tracing::warn!(name, "a header of the model request is not valid"),
    }
}

fn url(provider: &Provider, base: &str) -> Result<Url, Error> {
    let path = match provider.wire {
        Wire::Chat => "chat/completions",
        Wire::Responses | Wire::Scripted { .. } => "responses",
    };
    let mut url = Url::parse(&format!("{base}/{path}"))
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| {
            Error::unusable(format!(
                "the base_url `{base}` of model provider `{}` is not valid",
                provider.id
            ))
        })?;
    if !provider.query_params.is_empty() {
        let mut query = url.query_pairs_mut();
        for (name, value) in &provider.query_params {
            query.append_pair(name, value.expose());
        }
    }
    Ok(url)
}

/// Where an answer sends us, if the request can be repeated there.
fn redirection(from: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    from.join(location).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn is_downgrade(from: &Url, to: &Url) -> bool {
    from.scheme() == "https" && to.scheme() != "https"
}

fn failure(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let cause = causes(&error);
    if error.is_builder() {
        Failure::Final(Error::unusable(format!("the model request cannot be sent: {cause}")))
    } else if !error.is_connect() {
        Failure::Unanswered(Error::unanswered(&cause))
    } else if is_about_trust(&error) {
        Failure::Final(Error::untrusted(&cause))
    } else {
        Failure::Unreachable(cause)
    }
}

/// The innermost words of an error that say something new, outermost first.
pub(super) fn causes(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}

/// Whether the TLS handshake was refused by one side, which waiting does not mend.
fn is_about_trust(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let inner = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if inner.or_else(|| cause.downcast_ref()).is_some() {
            return true;
        }
        source = cause.source();
    }
    false
}

/// The connections of the process, and what is known of those at their other ends.
#[derive(Default)]
pub(super) struct Connections {
    clients: Arc<Clients>,
    /// The origins that have answered at least once.
    answered: Mutex<HashSet<String>>,
}

impl Connections {
    pub(super) fn new(clients: Arc<Clients>) -> Self {
        Self { clients, answered: Mutex::default() }
    }

    fn answered(&self, url: &Url) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.insert(url.origin().ascii_serialization());
    }

    /// What it means that an address cannot be reached.
    pub(super) fn unreachable(&self, call: &Call, cause: &str) -> Error {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        // The way to this machine itself is never gone.
        if !web::is_loopback(&call.url)
            && answered.contains(&call.url.origin().ascii_serialization())
        {
            Error::unreachable(cause)
        } else {
            Error::nobody_there(cause, &call.shown_url())
        }
    }

    async fn to(&self, url: &Url) -> Result<Client, Error> {
        self.clients.to(url).await.map_err(|error| Error::unusable(chain(&error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_downgrade() {
        let is = |from: &str, to: &str| {
            is_downgrade(&Url::parse(from).unwrap(), &Url::parse(to).unwrap())
        };
        assert!(is("https://a/", "http://a/"));
        assert!(!is("https://a/", "https://b/") && !is("http://a/", "https://a/"));
        assert!(!is("http://a/", "http://b/"));
    }

    #[test]
    fn names_each_cause_once() {
        let inner = std::io::Error::other("refused");
        assert_eq!(causes(&Error::unreachable("refused")), "Connection failed: refused");
        assert_eq!(causes(&std::io::Error::other(inner)), "refused");
    }
}
