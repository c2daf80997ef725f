//! Signing in at OpenAI: what requests are authorized with, where that is kept, how it is got and given up.
//!
//! The home's `auth.json` is the truth, read anew whenever it is asked for, so that a sign-in of another process counts
//! at once. Whoever changes it holds `auth.lock`. Where the configuration says `ephemeral`, everything is kept in memory
//! only.
//!
//! This module knows neither threads nor clients. Nothing that it logs or fails with holds a token.

mod claims;
mod stored;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use self::claims::Claims;
use self::stored::Stored;
use crate::config::{AccountSettings, CredentialStore, Effective, Sources};
use crate::protocol::{AuthMode, PlanType};
use crate::util::private::{self, Lock, PRIVATE};
use crate::util::secret::Secret;
use crate::util::web::Clients;

/// No `auth.json` is larger, in bytes.
const LARGEST: u64 = 1 << 20;
/// How long another process may hold the lock: it asks the issuer once meanwhile.
const LOCK_PATIENCE: Duration = Duration::from_secs(60);

/// What somebody is signed in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    ApiKey(Secret),
    /// Tokens of ChatGPT.
    Managed(Tokens),
}

/// Tokens of ChatGPT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access: Secret,
    /// A client's tokens have none.
    refresh: Option<Secret>,
    pub(crate) account_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) plan: Option<PlanType>,
}

/// What one request is authorized with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bearer {
    pub(crate) token: Secret,
    /// The account of ChatGPT that the token is for.
    pub(crate) account_id: Option<String>,
}

/// Why credentials were not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the keyring is not supported; set cli_auth_credentials_store to \"file\"")]
    Keyring,
    #[error("the credentials are in use by another process")]
    Locked(#[source] std::io::Error),
    #[error("the credentials cannot be written")]
    Write(#[source] std::io::Error),
}

/// The sign-in of the process. Costs nothing until it is asked for.
pub(crate) struct Auth {
    sources: Arc<Sources>,
    clients: Arc<Clients>,
    store: OnceCell<CredentialStore>,
    memory: Mutex<Memory>,
    /// Held by the one task of the process that changes what is stored.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Memory {
    credential: Option<Credential>,
}

/// The right to change what is stored.
struct Changing<'a> {
    _process: tokio::sync::MutexGuard<'a, ()>,
    _home: Lock,
}

impl Credential {
    pub(crate) fn mode(&self) -> AuthMode {
        match self {
            Self::ApiKey(_) => AuthMode::ApiKey,
            Self::Managed(_) => AuthMode::Chatgpt,
        }
    }

    pub(crate) fn plan(&self) -> Option<PlanType> {
        self.tokens().and_then(|tokens| tokens.plan)
    }

    /// The tokens of ChatGPT, if these are some.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        match self {
            Self::ApiKey(_) => None,
            Self::Managed(tokens) => Some(tokens),
        }
    }

    pub(crate) fn bearer(&self) -> Bearer {
        match self {
            Self::ApiKey(key) => key.clone().into(),
            Self::Managed(tokens) => {
                Bearer { token: tokens.access.clone(), account_id: tokens.account_id.clone() }
            }
        }
    }
}

impl From<Secret> for Bearer {
    /// A token that is for no account.
    fn from(token: Secret) -> Self {
        Self { token, account_id: None }
    }
}

impl Auth {
    pub(crate) fn new(sources: Arc<Sources>) -> Self {
        Self {
            sources,
            clients: Arc::default(),
            store: OnceCell::new(),
            memory: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// The HTTP clients of the process.
    pub(crate) fn clients(&self) -> &Arc<Clients> {
        &self.clients
    }

    /// What somebody is signed in with now.
    pub(crate) async fn credential(&self) -> Option<Credential> {
        if let Some(credential) = self.memory().credential.clone() {
            return Some(credential);
        }
        self.stored().await?.credential()
    }

    /// Signs in with a key of the API; nobody checks it.
    pub(crate) async fn sign_in_with_key(&self, key: String) -> Result<(), Error> {
        let key = Secret::new(key);
        self.keep(Credential::ApiKey(key.clone()), Stored::of_key(key)).await
    }

    /// Forgets the credentials.
    pub(crate) async fn sign_out(&self) -> Result<(), Error> {
        let changing = self.change().await?;
        self.memory().credential = None;
        let path = self.path();
        on_disk(move || private::remove(&path)).await.map_err(Error::Write)?;
        drop(changing);
        Ok(())
    }

    /// What the configuration says of signing in.
    pub(crate) async fn settings(&self) -> AccountSettings {
        let sources = Arc::clone(&self.sources);
        let read = on_disk(move || sources.load(None, None).map_err(std::io::Error::other)).await;
        read.map_or_else(|_| Effective::default(), |loaded| loaded.effective).account
    }

    /// Replaces what is signed in with.
    async fn keep(&self, credential: Credential, stored: Stored) -> Result<(), Error> {
        let changing = self.change().await?;
        match self.store().await {
            CredentialStore::Keyring => return Err(Error::Keyring),
            CredentialStore::Ephemeral => self.memory().credential = Some(credential),
            CredentialStore::File | CredentialStore::Auto => {
                self.write(stored).await?;
                self.memory().credential = None;
            }
        }
        drop(changing);
        Ok(())
    }

    async fn change(&self) -> Result<Changing<'_>, Error> {
        let process = self.changing.lock().await;
        let path = self.sources.home.join("auth.lock");
        let home = private::lock(&path, LOCK_PATIENCE).await.map_err(Error::Locked)?;
        Ok(Changing { _process: process, _home: home })
    }

    /// What the file holds. One that cannot be read is as good as none, and the next sign-in replaces it.
    async fn stored(&self) -> Option<Stored> {
        if self.store().await == CredentialStore::Ephemeral {
            return None;
        }
        let path = self.path();
        let read = on_disk(move || private::read(&path, LARGEST)).await;
        match read.map(|bytes| bytes.map(|bytes| Stored::parse(&bytes))) {
            Ok(Some(Some(stored))) => Some(stored),
            Ok(None) => None,
            Ok(Some(None)) => {
                tracing::warn!("auth.json is not understood");
                None
            }
            Err(error) => {
                tracing::warn!(%error, "auth.json cannot be read");
                None
            }
        }
    }

    async fn write(&self, stored: Stored) -> Result<(), Error> {
        let path = self.path();
        let written = on_disk(move || private::replace(&path, &stored.bytes(), PRIVATE));
        written.await.map_err(Error::Write)
    }

    fn path(&self) -> PathBuf {
        self.sources.home.join("auth.json")
    }

    async fn store(&self) -> CredentialStore {
        *self.store.get_or_init(|| async { self.settings().await.store }).await
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tokens {
    /// The tokens with what they say of their owner.
    fn new(
        claims: Claims,
        access: Secret,
        refresh: Option<Secret>,
        account_id: Option<String>,
    ) -> Self {
        Self {
            access,
            refresh,
            account_id: account_id.or(claims.account_id),
            user_id: claims.user_id,
            email: claims.email,
            plan: claims.plan,
        }
    }
}

/// Runs blocking work beside the event loop.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
