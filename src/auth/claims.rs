//! What a token of ChatGPT says of its owner. Signatures are the business of those who are shown the token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::protocol::PlanType;

/// The claims of a JSON Web Token that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) email: Option<String>,
    /// When the token ends, in Unix seconds.
    pub(super) expires_at: Option<i64>,
    pub(super) plan: Option<PlanType>,
    pub(super) account_id: Option<String>,
    pub(super) user_id: Option<String>,
}

#[derive(Deserialize)]
struct Payload {
    email: Option<String>,
    exp: Option<i64>,
    #[serde(rename = "https://api.openai.com/auth", default)]
    auth: Option<Openai>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Openai {
    chatgpt_plan_type: Option<String>,
    chatgpt_account_id: Option<String>,
    chatgpt_user_id: Option<String>,
    user_id: Option<String>,
}

impl Claims {
    /// The claims of a token; none if it is no JSON Web Token.
    pub(super) fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let Payload { email, exp, auth } = serde_json::from_slice(&payload).ok()?;
        let auth = auth.unwrap_or_default();
        Some(Self {
            email,
            expires_at: exp,
            plan: auth.chatgpt_plan_type.as_deref().map(plan),
            account_id: auth.chatgpt_account_id,
            user_id: auth.chatgpt_user_id.or(auth.user_id),
        })
    }
}

/// A plan by its name; those that we do not know are all the same to us.
pub(super) fn plan(name: &str) -> PlanType {
    let name = Value::String(name.to_lowercase());
    serde_json::from_value(name).unwrap_or(PlanType::Unknown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(payload: &Value) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload.to_string()))
    }

    #[test]
    fn says_who_it_is_for() {
        let payload = json!({"email": "a@b", "exp": 7, "https://api.openai.com/auth": {
            "chatgpt_plan_type": "Pro", "chatgpt_account_id": "org", "user_id": "me", "more": []}});
        let expected = Claims {
            email: Some("a@b".to_owned()),
            expires_at: Some(7),
            plan: Some(PlanType::Pro),
            account_id: Some("org".to_owned()),
            user_id: Some("me".to_owned()),
        };
        assert_eq!(Claims::of(&token(&payload)), Some(expected));
        assert_eq!(Claims::of(&token(&json!({}))), Some(Claims::default()));
        assert_eq!(plan("edu_plus"), PlanType::EduPlus);
        assert_eq!(plan("brand-new"), PlanType::Unknown);
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for text in ["", "x", "a.b", "a.b.c", "a.e30", "a.e30.c.d", "a.W10.c", "a.bnVsbA.c"] {
            assert_eq!(Claims::of(text), None, "{text}");
        }
    }
}
