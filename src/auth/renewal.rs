//! Tokens that end, and what takes their place: the issuer renews those that are kept, the client its own.
//!
//! The issuer may take a refresh token only once, so that an answer that gets lost loses the sign-in. Therefore nobody
//! asks without the lock, and a renewal that has begun is finished, whatever becomes of the request that wanted it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::issuer::{self, Renewed};
use super::{Auth, Credential, Error, Tokens};
use crate::util::secret::Secret;
use crate::util::time::now_secs;

/// How often the issuer is asked when it has no answer, in what distance, and until when a question may begin.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(300);
const LAST_START: Duration = Duration::from_secs(20);

/// Why tokens are renewed, as the issuer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Expired,
    Refused,
    Wanted,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Expired => "proactive_expiry",
            Self::Refused => "unauthorized",
            Self::Wanted => "forced",
        }
    }
}

impl Auth {
    /// What requests are authorized with. Tokens that have expired are renewed first.
    pub(crate) async fn usable(self: &Arc<Self>) -> Result<Option<Credential>, Error> {
        match self.credential().await {
            Some(Credential::Managed(tokens)) if tokens.has_expired() => {
                self.replace(tokens.access, Reason::Expired).await
            }
            credential => Ok(credential),
        }
    }

    /// What to use in place of a token that was refused; nothing if there is nothing else.
    pub(crate) async fn instead_of(
        self: &Arc<Self>,
        refused: &Secret,
    ) -> Result<Option<Credential>, Error> {
        let credential = self.replace(refused.clone(), Reason::Refused).await?;
        Ok(credential.filter(|credential| credential.bearer().token != *refused))
    }

    /// Renews the tokens that are kept, if there are some.
    pub(crate) async fn renew(self: &Arc<Self>) -> Result<(), Error> {
        match self.credential().await {
            Some(Credential::Managed(tokens)) => {
                self.replace(tokens.access, Reason::Wanted).await.map(drop)
            }
            Some(Credential::ApiKey(_) | Credential::Lent(_)) | None => Ok(()),
        }
    }

    async fn replace(
        self: &Arc<Self>,
        stale: Secret,
        reason: Reason,
    ) -> Result<Option<Credential>, Error> {
        let auth = Arc::clone(self);
        self.whole(async move { auth.replaced(&stale, reason).await }).await
    }

    /// What there is in place of a token. Another task or process may have been faster.
    async fn replaced(&self, stale: &Secret, reason: Reason) -> Result<Option<Credential>, Error> {
        let changing = self.change().await?;
        let credential = match self.credential().await {
            Some(Credential::Managed(tokens)) if tokens.access == *stale => {
                self.renewed(tokens, reason).await?
            }
            Some(Credential::Lent(tokens)) if tokens.access == *stale => {
                Some(Credential::Lent(self.lent_anew(tokens).await?))
            }
            credential => credential,
        };
        drop(changing);
        Ok(credential)
    }

    async fn renewed(&self, old: Tokens, reason: Reason) -> Result<Option<Credential>, Error> {
        let Some(token) = old.refresh else { return Err(Error::Over) };
        let renewed = match self.ask_issuer(&token, reason).await {
            Ok(renewed) => renewed,
            Err(error) if error.is_for_good() => {
                tracing::warn!(%error, "the sign-in has ended");
                self.memory().refused = Some(token.clone());
                // A program that does not know the lock may have been faster.
                return match self.credential().await {
                    None => Err(Error::Over),
                    other => Ok(other),
                };
            }
            Err(error) => return Err(Error::Renewal(error)),
        };
        let Some(stored) = self.stored().await.and_then(|stored| stored.renewed(renewed)) else {
            return Err(Error::Token);
        };
        if let Err(error) = self.write(stored.clone()).await {
            // The old tokens are good for nothing: the new ones must not be lost.
            tracing::warn!(%error, "the new tokens are kept in memory");
            self.memory().stored = Some(stored.clone());
        }
        Ok(stored.credential())
    }

    async fn ask_issuer(&self, token: &Secret, reason: Reason) -> Result<Renewed, issuer::Error> {
        let (issuer, start) = (self.issuer(), Instant::now());
        let mut attempt = 1;
        loop {
            match issuer.renew(token, reason.name()).await {
                Err(error)
                    if error.is_passing() && attempt < ATTEMPTS && start.elapsed() < LAST_START =>
                {
                    tracing::debug!(%error, attempt, "the tokens are not renewed yet");
                }
                answer => return answer,
            }
            sleep(PAUSE * attempt).await;
            attempt += 1;
        }
    }
}

impl Tokens {
    fn has_expired(&self) -> bool {
        self.expires_at.is_some_and(|end| end <= now_secs())
    }
}
