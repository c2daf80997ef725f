//! What requests are authorized with: a token of a command's, of the environment, of the configuration, or what the user
//! is signed in with. In this order, and the first one that the provider has.

use super::client::Http;
use super::error::Error;
use super::provider::Provider;
use crate::auth::{self, Bearer};
use crate::util::error::chain;
use crate::util::secret::Secret;

/// The variable with a key for those who are not signed in.
const OPENAI_KEY: &str = "OPENAI_API_KEY";

impl Http {
    /// Asks with what the provider wants; if that is refused, once more with something else, if there is anything.
    pub(super) async fn authorized<T, F: Future<Output = Result<T, Error>>>(
        &self,
        provider: &Provider,
        ask: impl Fn(Option<Bearer>) -> F,
    ) -> Result<T, Error> {
        let bearer = self.authorization(provider).await?;
        match ask(bearer.clone()).await {
            Err(error) if error.is_unauthorized() => {
                match self.another_authorization(provider, bearer).await? {
                    Some(other) => ask(Some(other)).await,
                    None => Err(error),
                }
            }
            answer => answer,
        }
    }

    /// What a request to the provider is authorized with; nothing where the provider wants nothing.
    async fn authorization(&self, provider: &Provider) -> Result<Option<Bearer>, Error> {
        if let Some(command) = &provider.auth
            && let Some(token) = self.tokens.get(command).await
        {
            return Ok(Some(token.into()));
        }
        if let Some(variable) = &provider.env_key {
            return match variable_value(variable) {
                Some(value) => Ok(Some(Secret::new(value.trim()).into())),
                None => Err(missing(variable, provider.env_key_instructions.as_deref())),
            };
        }
        if let Some(token) = &provider.bearer {
            return Ok(Some(token.clone().into()));
        }
        if !provider.requires_openai_auth {
            return Ok(None);
        }
        if let Some(credential) = self.auth.usable().await.map_err(|error| unauthorized(&error))? {
            return Ok(Some(credential.bearer()));
        }
        let key = variable_value(OPENAI_KEY).ok_or_else(Error::signed_out)?;
        Ok(Some(Secret::new(key.trim()).into()))
    }

    /// Something else to try after the provider has refused this; nothing if there is nothing else.
    async fn another_authorization(
        &self,
        provider: &Provider,
        refused: Option<Bearer>,
    ) -> Result<Option<Bearer>, Error> {
        let Some(refused) = refused else { return Ok(None) };
        if let Some(command) = &provider.auth {
            self.tokens.forget(command, &refused.token);
            return self.authorization(provider).await;
        }
        // Only tokens of an account can be renewed.
        if refused.account_id.is_none() {
            return Ok(None);
        }
        let other =
            self.auth.instead_of(&refused.token).await.map_err(|error| unauthorized(&error))?;
        Ok(other.map(|credential| credential.bearer()))
    }
}

fn unauthorized(error: &auth::Error) -> Error {
    let why = chain(error);
    if error.is_passing() { Error::unreachable(&why) } else { Error::unauthorized(why) }
}

/// What a variable of the environment holds, if that is anything.
pub(super) fn variable_value(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn missing(variable: &str, instructions: Option<&str>) -> Error {
    let mut text = format!("Missing environment variable: `{variable}`.");
    if let Some(instructions) = instructions {
        text.push(' ');
        text.push_str(instructions);
    }
    Error::unusable(text)
}
