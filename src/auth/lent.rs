//! Tokens that a client has got and renews: they are in memory only, and nobody but the client can replace them.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::timeout;

use super::claims::{Claims, plan};
use super::{Auth, Error, Tokens};
use crate::util::secret::Secret;

/// How long a client may take to renew its tokens.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who has tokens to lend.
pub(crate) trait Lender: Send + Sync {
    /// Other tokens, in place of those that were refused, for the same account; or why there are none.
    fn renew(&self, account: Option<String>) -> BoxFuture<'_, Result<Loan, String>>;
}

/// Tokens as a client lends them.
pub(crate) struct Loan {
    pub(crate) access: Secret,
    pub(crate) account_id: String,
    /// The plan, where the token does not name it.
    pub(crate) plan: Option<String>,
}

/// What is lent, and by whom.
#[derive(Clone)]
pub(super) struct Lent {
    pub(super) tokens: Tokens,
    lender: Arc<dyn Lender>,
}

impl Loan {
    /// The tokens with what they say of their owner.
    fn tokens(self) -> Result<Tokens, Error> {
        let claims = Claims::of(self.access.expose()).ok_or(Error::Token)?;
        let plan = claims.plan.or_else(|| self.plan.as_deref().map(plan));
        let claims = Claims { plan, ..claims };
        Ok(Tokens::new(claims, self.access, None, Some(self.account_id)))
    }
}

impl Auth {
    /// Uses a client's tokens, in place of whatever there is besides.
    pub(crate) async fn borrow(&self, loan: Loan, lender: Arc<dyn Lender>) -> Result<(), Error> {
        let tokens = loan.tokens()?;
        let changing = self.change().await?;
        self.memory().lent = Some(Lent { tokens, lender });
        drop(changing);
        Ok(())
    }

    /// Has the client renew its tokens. Whoever calls this has the right to change what there is.
    pub(super) async fn lent_anew(&self, old: Tokens) -> Result<Tokens, Error> {
        let lender = self.memory().lent.as_ref().map(|lent| Arc::clone(&lent.lender));
        let lender = lender.ok_or(Error::Over)?;
        let answer = timeout(PATIENCE, lender.renew(old.account_id.clone())).await;
        let loan = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let tokens = loan.map_err(Error::Client)?.tokens()?;
        if old.account_id.is_some() && tokens.account_id != old.account_id {
            return Err(Error::Client("the tokens are for another account".to_owned()));
        }
        self.memory().lent = Some(Lent { tokens: tokens.clone(), lender });
        Ok(tokens)
    }
}
