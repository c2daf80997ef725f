//! A sign-in in a browser on this machine, which comes back to a port of ours with a code (RFC 8252, RFC 7636).

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::StatusCode;
use reqwest::Url;
use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::{Failure, Grant, StartError, check_workspace};
use crate::auth::callback::{Callback, Page, Visit};
use crate::auth::issuer::{CLIENT_ID, Code, Issuer};
use crate::util::secret::Secret;

/// The ports that the issuer sends browsers back to.
const PORTS: [u16; 2] = [1455, 1457];
const SCOPE: &str = "openid profile email offline_access api.connectors.read api.connectors.invoke";
/// How long the user may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long the browser may take to ask for the last page.
const PARTING: Duration = Duration::from_secs(5);
const HOSTED_PAGE: &str = "https://chatgpt.com/codex/open-app?source=login";

pub(crate) struct Browser {
    issuer: Arc<Issuer>,
    callback: Callback,
    redirect_uri: String,
    auth_url: Url,
    verifier: Secret,
    state: Secret,
    ending: Ending,
    workspaces: Vec<String>,
    /// The browser that has come back, and waits.
    waiting: Option<Visit>,
}

/// The page that the user sees when all went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Ours,
    /// Ours, with fewer words.
    OursInShort,
    /// A page of ChatGPT's that presents this program.
    Hosted {
        brand: &'static str,
    },
}

impl Browser {
    pub(super) async fn start(
        issuer: Arc<Issuer>,
        originator: &str,
        ending: Ending,
        workspaces: Vec<String>,
    ) -> Result<Self, StartError> {
        let (verifier, state) = (random()?, random()?);
        let callback = Callback::on(&PORTS).await.map_err(StartError::Port)?;
        let redirect_uri = format!("http://127.0.0.1:{}/auth/callback", callback.port());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()));
        let allowed = workspaces.join(",");
        let mut params = vec![
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", &redirect_uri),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("state", state.expose()),
            ("scope", SCOPE),
            ("id_token_add_organizations", "true"),
            ("codex_cli_simplified_flow", "true"),
            ("originator", originator),
        ];
        if !allowed.is_empty() {
            params.push(("allowed_workspace_id", &allowed));
        }
        let auth_url = Url::parse_with_params(&issuer.url("/oauth/authorize"), params)
            .map_err(|_| StartError::Issuer)?;
        Ok(Self {
            issuer,
            callback,
            redirect_uri,
            auth_url,
            verifier,
            state,
            ending,
            workspaces,
            waiting: None,
        })
    }

    /// What the user's browser has to open.
    pub(crate) fn auth_url(&self) -> &Url {
        &self.auth_url
    }

    pub(super) async fn agreed(&mut self) -> Result<Grant, Failure> {
        timeout(PATIENCE, self.visited()).await.map_err(|_| Failure::TimedOut)?
    }

    async fn visited(&mut self) -> Result<Grant, Failure> {
        loop {
            let visit = self.callback.next().await.ok_or(Failure::NotCompleted)?;
            match visit.path.as_str() {
                "/auth/callback"
                    if visit.param("state").as_deref() == Some(self.state.expose()) =>
                {
                    return self.granted(visit).await;
                }
                "/auth/callback" => {
                    visit.answer(Page::new(StatusCode::BAD_REQUEST, "State mismatch", OTHER));
                }
                "/cancel" => {
                    visit.answer(Page::ok("Login cancelled", ""));
                    return Err(Failure::Cancelled);
                }
                _ => visit.answer(Page::not_found()),
            }
        }
    }

    /// What the user has granted, by what the browser comes back with.
    async fn granted(&mut self, visit: Visit) -> Result<Grant, Failure> {
        let visit = self.waiting.insert(visit);
        if let Some(error) = visit.param("error") {
            return Err(Failure::Denied(visit.param("error_description").unwrap_or(error)));
        }
        let code = visit.param("code").filter(|code| !code.is_empty()).ok_or(Failure::NoCode)?;
        let code = Code { code: &code, verifier: &self.verifier, redirect_uri: &self.redirect_uri };
        let tokens = self.issuer.exchange(&code).await?;
        check_workspace(&tokens, &self.workspaces)?;
        // Not every account may have a key, and none is needed.
        let api_key = self.issuer.api_key(&tokens).await.ok();
        Ok(Grant { tokens, api_key })
    }

    pub(super) async fn tell(mut self, outcome: &Result<(), Failure>) {
        let Some(visit) = self.waiting.take() else { return };
        match outcome {
            Err(failure) => visit.answer(Page::ok("Sign-in failed", &failure.to_string())),
            Ok(()) => {
                visit.answer(Page::redirect(self.last_page()));
                if !matches!(self.ending, Ending::Hosted { .. }) {
                    let _elsewhere = timeout(PARTING, self.shown()).await;
                }
            }
        }
        self.callback.close().await;
    }

    /// Shows the last page, once the browser asks for it.
    async fn shown(&mut self) {
        while let Some(visit) = self.callback.next().await {
            match visit.path.as_str() {
                "/success" => {
                    let more = "You can close this window and go back to the program.";
                    let text = if self.ending == Ending::OursInShort { "" } else { more };
                    return visit.answer(Page::ok("Signed in", text));
                }
                "/cancel" => return visit.answer(Page::ok("Already signed in", "")),
                _ => visit.answer(Page::not_found()),
            }
        }
    }

    /// Where the browser goes when all went well. It has no use for tokens.
    fn last_page(&self) -> String {
        match self.ending {
            Ending::Hosted { brand } => format!("{HOSTED_PAGE}&app_brand={brand}"),
            Ending::Ours | Ending::OursInShort => {
                format!("http://127.0.0.1:{}/success?needs_setup=false", self.callback.port())
            }
        }
    }
}

const OTHER: &str = "This belongs to another sign-in.";

/// A text that nobody can guess.
fn random() -> Result<Secret, StartError> {
    let mut bytes = [0; 32];
    let source = rustls::crypto::ring::default_provider().secure_random;
    source.fill(&mut bytes).map_err(|_| StartError::Random)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}
