//! `auth.json`: credentials as they are kept on disk, in the form that other programs of the family read and write.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::claims::Claims;
use super::issuer::Renewed;
use super::login::Grant;
use super::{Credential, Tokens};
use crate::util::secret::Secret;
use crate::util::time::{now_ms, rfc3339_millis};

/// What the file holds.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Stored {
    /// Older files have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth_mode: Option<String>,
    #[serde(rename = "OPENAI_API_KEY", default, serialize_with = "Secret::reveal_option")]
    api_key: Option<Secret>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tokens: Option<StoredTokens>,
    /// When the tokens were got, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_refresh: Option<String>,
    /// What others keep there.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Clone, Deserialize, Serialize)]
pub(super) struct StoredTokens {
    #[serde(serialize_with = "Secret::reveal")]
    pub(super) id_token: Secret,
    #[serde(serialize_with = "Secret::reveal")]
    pub(super) access_token: Secret,
    #[serde(serialize_with = "Secret::reveal")]
    pub(super) refresh_token: Secret,
    #[serde(default)]
    pub(super) account_id: Option<String>,
}

impl Stored {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// A key of the API.
    pub(super) fn of_key(key: Secret) -> Self {
        Self { auth_mode: Some("apikey".to_owned()), api_key: Some(key), ..Self::default() }
    }

    /// What a user has agreed to; none if the tokens do not say for whom they are.
    pub(super) fn of_grant(Grant { tokens, api_key }: Grant) -> Option<Self> {
        let claims = Claims::of(tokens.id_token.expose())?;
        Some(Self {
            auth_mode: Some("chatgpt".to_owned()),
            api_key,
            tokens: Some(StoredTokens {
                id_token: tokens.id_token,
                access_token: tokens.access_token,
                refresh_token: tokens.refresh_token,
                account_id: claims.account_id,
            }),
            last_refresh: Some(rfc3339_millis(now_ms())),
            ..Self::default()
        })
    }

    /// The same with other tokens in place of its own; none if there are no tokens.
    pub(super) fn renewed(self, renewed: Renewed) -> Option<Self> {
        let old = self.tokens?;
        let tokens = StoredTokens {
            id_token: renewed.id_token.unwrap_or(old.id_token),
            access_token: renewed.access_token.unwrap_or(old.access_token),
            refresh_token: renewed.refresh_token.unwrap_or(old.refresh_token),
            account_id: old.account_id,
        };
        let last_refresh = Some(rfc3339_millis(now_ms()));
        Some(Self { tokens: Some(tokens), last_refresh, ..self })
    }

    /// What it means to us; none if it is a kind of credential that we cannot use.
    pub(super) fn credential(self) -> Option<Credential> {
        let is_key = match self.auth_mode.as_deref() {
            Some("apikey") => true,
            Some("chatgpt") => false,
            Some(_) => return None,
            None => self.api_key.is_some(),
        };
        if is_key {
            return self.api_key.map(Credential::ApiKey);
        }
        self.tokens?.tokens().map(Credential::Managed)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        // Texts and what was JSON before: nothing that cannot be written.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

impl StoredTokens {
    /// The tokens with what they say of their owner; none if they say nothing.
    pub(super) fn tokens(self) -> Option<Tokens> {
        let claims = Claims::of(self.id_token.expose())?;
        Some(Tokens::new(claims, self.access_token, Some(self.refresh_token), self.account_id))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn stored(value: &Value) -> Option<Stored> {
        Stored::parse(value.to_string().as_bytes())
    }

    fn mode(value: &Value) -> Option<&'static str> {
        Some(match stored(value)?.credential()? {
            Credential::ApiKey(_) => "key",
            Credential::Managed(_) | Credential::Lent(_) => "tokens",
        })
    }

    fn tokens() -> Value {
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"email":"a@b"}"#));
        json!({"id_token": token, "access_token": token, "refresh_token": "r", "account_id": "o"})
    }

    #[test]
    fn the_mode_decides() {
        let both = json!({"OPENAI_API_KEY": "k", "tokens": tokens()});
        let with = |mode: &str| {
            let mut value = both.clone();
            value["auth_mode"] = mode.into();
            value
        };
        assert_eq!(mode(&with("apikey")), Some("key"));
        assert_eq!(mode(&with("chatgpt")), Some("tokens"));
        assert_eq!(mode(&with("bedrockApiKey")), None);
        assert_eq!(mode(&both), Some("key"), "an old file");
        assert_eq!(mode(&json!({"OPENAI_API_KEY": null, "tokens": tokens()})), Some("tokens"));
        assert_eq!(mode(&json!({})), None);
        assert_eq!(mode(&json!({"tokens": {"id_token": "x"}})), None);
    }

    #[test]
    fn what_others_keep_there_stays() {
        let value = json!({"auth_mode": "chatgpt", "OPENAI_API_KEY": null, "tokens": tokens(),
            "last_refresh": "2026-11-21T08:03:28.5Z", "agent_identity": {"a": [1]}});
        let written: Value = serde_json::from_slice(&stored(&value).unwrap().bytes()).unwrap();
        assert_eq!(written, value);
    }

    #[test]
    fn secrets_do_not_show() {
        let value = json!({"OPENAI_API_KEY": "sk-secret", "tokens": tokens()});
        for mode in ["apikey", "chatgpt"] {
            let mut value = value.clone();
            value["auth_mode"] = mode.into();
            let shown = format!("{:?}", stored(&value).unwrap().credential().unwrap());
            assert!(!shown.contains("sk-secret") && !shown.contains("e30"), "{shown}");
        }
    }
}
