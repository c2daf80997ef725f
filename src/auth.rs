//! Signing in at OpenAI: what requests are authorized with, where that is kept, how it is got and given up.
//!
//! The home's `auth.json` is the truth, read anew whenever it is asked for, so that a sign-in of another process counts
//! at once. Whoever changes it holds `auth.lock`. Where the configuration says `ephemeral`, everything is kept in memory
//! only.
//!
//! This module knows neither threads nor clients. Nothing that it logs or fails with holds a token.

pub(crate) mod backend;
pub(crate) mod callback;
mod claims;
mod issuer;
mod lent;
pub(crate) mod login;
mod renewal;
mod stored;

pub(crate) use lent::{Lender, Loan};

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_util::task::TaskTracker;

use self::claims::Claims;
use self::issuer::Issuer;
use self::lent::Lent;
use self::login::Grant;
use self::stored::Stored;
use crate::config::{AccountSettings, CredentialStore, Effective, Sources};
use crate::protocol::{AuthMode, PlanType};
use crate::util::private::{self, Lock, PRIVATE};
use crate::util::secret::Secret;
use crate::util::task::on_disk;
use crate::util::web::Clients;

/// No `auth.json` is larger, in bytes.
const LARGEST: u64 = 1 << 20;
/// How long another process may hold the lock: it asks the issuer meanwhile, and more than one may wait for its turn.
const LOCK_PATIENCE: Duration = Duration::from_secs(120);

/// What somebody is signed in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Credential {
    ApiKey(Secret),
    /// Tokens of ChatGPT that this program keeps.
    Managed(Tokens),
    /// Tokens of ChatGPT that a client keeps.
    Lent(Tokens),
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
    /// When the access token ends, in Unix seconds.
    expires_at: Option<i64>,
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
    #[error("invalid ID token format")]
    Token,
    #[error("the sign-in has ended; sign in again")]
    Over,
    #[error("the tokens cannot be renewed")]
    Renewal(#[source] issuer::Error),
    #[error("auth refresh request failed: {0}")]
    Client(String),
    #[error("the work was abandoned")]
    Abandoned,
}

impl Error {
    /// Whether the same may work in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Renewal(error) if error.is_passing())
    }
}

/// The sign-in of the process. Costs nothing until it is asked for.
pub(crate) struct Auth {
    sources: Arc<Sources>,
    clients: Arc<Clients>,
    store: OnceCell<CredentialStore>,
    issuer: OnceLock<Arc<Issuer>>,
    memory: Mutex<Memory>,
    /// Work that must not end half-way, whoever wanted it.
    tasks: TaskTracker,
    /// Held by the one task of the process that changes what is stored.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Memory {
    /// What is kept here and not in the file.
    stored: Option<Stored>,
    /// What is used in place of everything else.
    lent: Option<Lent>,
    /// The refresh token that the issuer does not take any more.
    refused: Option<Secret>,
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
            Self::Lent(_) => AuthMode::ChatgptAuthTokens,
        }
    }

    pub(crate) fn plan(&self) -> Option<PlanType> {
        self.tokens().and_then(|tokens| tokens.plan)
    }

    /// The tokens of ChatGPT, if these are some.
    pub(crate) fn tokens(&self) -> Option<&Tokens> {
        match self {
            Self::ApiKey(_) => None,
            Self::Managed(tokens) | Self::Lent(tokens) => Some(tokens),
        }
    }

    pub(crate) fn bearer(&self) -> Bearer {
        match self {
            Self::ApiKey(key) => key.clone().into(),
            Self::Managed(tokens) | Self::Lent(tokens) => {
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
            issuer: OnceLock::new(),
            tasks: TaskTracker::new(),
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
        if let Some(lent) = &self.memory().lent {
            return Some(Credential::Lent(lent.tokens.clone()));
        }
        let credential = self.stored().await?.credential()?;
        let refresh = credential.tokens().and_then(|tokens| tokens.refresh.as_ref());
        let is_over = refresh.is_some() && refresh == self.memory().refused.as_ref();
        (!is_over).then_some(credential)
    }

    /// Signs in with a key of the API; nobody checks it.
    pub(crate) async fn sign_in_with_key(self: &Arc<Self>, key: String) -> Result<(), Error> {
        self.keep(Stored::of_key(Secret::new(key))).await
    }

    /// Signs in with what a user has agreed to.
    pub(crate) async fn sign_in(self: &Arc<Self>, grant: Grant) -> Result<(), Error> {
        self.keep(Stored::of_grant(grant).ok_or(Error::Token)?).await
    }

    /// Forgets the credentials, and has the issuer do so, too.
    pub(crate) async fn sign_out(self: &Arc<Self>) -> Result<(), Error> {
        let auth = Arc::clone(self);
        let token = self.whole(async move { auth.forget().await }).await?;
        if let Some(token) = token {
            let issuer = self.issuer();
            // Whether the issuer hears of it changes nothing here.
            self.tasks.spawn(async move {
                if let Err(error) = issuer.revoke(&token).await {
                    tracing::warn!(%error, "the tokens were not revoked");
                }
            });
        }
        Ok(())
    }

    /// Waits for work that must not end half-way.
    pub(crate) async fn settle(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }

    /// Removes what is stored; returns the refresh token that was.
    async fn forget(&self) -> Result<Option<Secret>, Error> {
        let changing = self.change().await?;
        let tokens = self.stored().await.and_then(|stored| stored.tokens);
        {
            let mut memory = self.memory();
            (memory.stored, memory.lent) = (None, None);
        }
        let path = self.path();
        on_disk(move || private::remove(&path)).await.map_err(Error::Write)?;
        drop(changing);
        Ok(tokens.map(|tokens| tokens.refresh_token))
    }

    /// Does work to its end, even if whoever waits for it does not.
    async fn whole<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        self.tasks.spawn(work).await.map_err(|_panicked| Error::Abandoned)?
    }

    /// What the configuration says of signing in.
    pub(crate) async fn settings(&self) -> AccountSettings {
        let sources = Arc::clone(&self.sources);
        let read = on_disk(move || sources.load(None, None).map_err(std::io::Error::other)).await;
        read.map_or_else(|_| Effective::default(), |loaded| loaded.effective).account
    }

    /// Replaces what is signed in with.
    async fn keep(self: &Arc<Self>, stored: Stored) -> Result<(), Error> {
        let auth = Arc::clone(self);
        let replaced = async move {
            let changing = auth.change().await?;
            auth.write(stored).await?;
            drop(changing);
            Ok(())
        };
        self.whole(replaced).await
    }

    async fn change(&self) -> Result<Changing<'_>, Error> {
        let process = self.changing.lock().await;
        let path = self.sources.home.join("auth.lock");
        let home = private::lock(&path, LOCK_PATIENCE).await.map_err(Error::Locked)?;
        Ok(Changing { _process: process, _home: home })
    }

    /// What the file holds. One that cannot be read is as good as none, and the next sign-in replaces it.
    async fn stored(&self) -> Option<Stored> {
        if let Some(stored) = self.memory().stored.clone() {
            return Some(stored);
        }
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
        match self.store().await {
            CredentialStore::Keyring => return Err(Error::Keyring),
            CredentialStore::Ephemeral => self.memory().stored = Some(stored),
            CredentialStore::File | CredentialStore::Auto => {
                let (path, bytes) = (self.path(), stored.bytes());
                let written = on_disk(move || private::replace(&path, &bytes, PRIVATE));
                written.await.map_err(Error::Write)?;
                self.memory().stored = None;
            }
        }
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.sources.home.join("auth.json")
    }

    fn issuer(&self) -> Arc<Issuer> {
        let made = || Arc::new(Issuer::of_environment(Arc::clone(&self.clients)));
        Arc::clone(self.issuer.get_or_init(made))
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
        let expires_at = Claims::of(access.expose()).and_then(|claims| claims.expires_at);
        Self {
            access,
            refresh,
            account_id: account_id.or(claims.account_id),
            user_id: claims.user_id,
            email: claims.email,
            plan: claims.plan,
            expires_at,
        }
    }
}
