//! HTTP clients of the process, each made when it is first needed and kept with its connections.
//!
//! None of them follows a redirection: what they send holds credentials, and whoever sends it decides where to.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Request, StatusCode, Url};
use tokio::time::timeout;

use super::net;
use super::tls::install_provider;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long an answer that is read as a whole may take, and how many bytes it may have.
const PATIENCE: Duration = Duration::from_secs(30);
const LARGEST_ANSWER: usize = 4 << 20;

#[derive(Default)]
pub(crate) struct Clients {
    plain: OnceLock<Client>,
    plain_direct: OnceLock<Client>,
    secure: OnceLock<Client>,
    secure_direct: OnceLock<Client>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("certificates could not be read")]
    Certificates,
    #[error("no connection can be made")]
    Client(#[source] reqwest::Error),
    #[error("no answer")]
    Exchange(#[source] reqwest::Error),
    #[error("no answer in time")]
    Late,
    #[error("the answer is too large")]
    Large,
}

/// A whole answer, whatever it says.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    Off,
    On,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proxies {
    /// For this machine itself: no proxy can know it.
    Ignored,
    OfTheSystem,
}

impl Clients {
    /// The client for an address.
    pub(crate) async fn to(&self, url: &Url) -> Result<Client, Error> {
        let tls = if url.scheme() == "https" { Tls::On } else { Tls::Off };
        let proxies = if is_loopback(url) { Proxies::Ignored } else { Proxies::OfTheSystem };
        let slot = match (tls, proxies) {
            (Tls::Off, Proxies::OfTheSystem) => &self.plain,
            (Tls::Off, Proxies::Ignored) => &self.plain_direct,
            (Tls::On, Proxies::OfTheSystem) => &self.secure,
            (Tls::On, Proxies::Ignored) => &self.secure_direct,
        };
        if let Some(client) = slot.get() {
            return Ok(client.clone());
        }
        let made = match tls {
            Tls::Off => make(tls, proxies),
            // Reads the system's certificates.
            Tls::On => tokio::task::spawn_blocking(move || make(tls, proxies))
                .await
                .map_err(|_panicked| Error::Certificates)?,
        };
        let client = made.map_err(Error::Client)?;
        Ok(slot.get_or_init(|| client).clone())
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(&self, mut request: Request) -> Result<Answer, Error> {
        let ours = HeaderValue::from_static(concat!("app-server/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().entry(USER_AGENT).or_insert(ours);
        let client = self.to(request.url()).await?;
        timeout(PATIENCE, exchange(&client, request)).await.map_err(|_| Error::Late)?
    }
}

async fn exchange(client: &Client, request: Request) -> Result<Answer, Error> {
    // An address may hold what nobody else should see.
    let lost = |error: reqwest::Error| Error::Exchange(error.without_url());
    let mut response = client.execute(request).await.map_err(lost)?;
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let content_type = kind.map(str::to_owned);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Error::Large);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status: response.status(), content_type, body })
}

/// Whether the user's surroundings name a proxy for secure connections.
pub(crate) fn has_proxy() -> bool {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    names.iter().any(|name| std::env::var_os(name).is_some_and(|proxy| !proxy.is_empty()))
}

/// Whether an address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(net::is_loopback)
}

fn make(tls: Tls, proxies: Proxies) -> reqwest::Result<Client> {
    let mut builder = Client::builder().redirect(Policy::none()).connect_timeout(CONNECT_TIMEOUT);
    builder = match proxies {
        // Only loopback ignores proxies. A new connection costs nothing there, while one that is kept waits 40 ms
        // for each answer of a server that writes its head and its body apart (delayed acknowledgement).
        Proxies::Ignored => builder.no_proxy().pool_max_idle_per_host(0),
        Proxies::OfTheSystem => builder,
    };
    builder = match tls {
        Tls::Off => match without_roots() {
            Ok(config) => builder.tls_backend_preconfigured(config),
            Err(error) => {
                tracing::debug!(%error, "the plain HTTP client has TLS after all");
                install_provider();
                builder
            }
        },
        Tls::On => {
            install_provider();
            builder
        }
    };
    builder.build()
}

/// A TLS setup that trusts nobody, for a client that never uses it.
fn without_roots() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_this_machine() {
        let is = |text: &str| is_loopback(&Url::parse(text).unwrap());
        for local in
            ["http://127.0.0.1:80/", "http://localhost/x", "https://[::1]:8/", "http://127.1.2.3"]
        {
            assert!(is(local), "{local}");
        }
        for remote in ["http://10.0.0.1", "https://api.openai.com", "http://localhost.example"] {
            assert!(!is(remote), "{remote}");
        }
    }
}
