//! Signing in and out, and who is signed in.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
#[cfg(test)]
use ts_rs::TS;

use super::PlanType;

/// Asks who is signed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GetAccountParams {
    /// Renews the tokens first, unless they are a client's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(as = "Option<bool>", optional))]
    pub(crate) refresh_token: bool,
}

/// Says who is signed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct GetAccountResponse {
    /// Null when nobody is, or when the provider of models wants nobody to be.
    pub(crate) account: Option<Account>,
    #[serde(default)]
    pub(crate) user_id: Option<String>,
    /// Whether the provider of models wants somebody to be signed in.
    pub(crate) requires_openai_auth: bool,
    /// Where the account's workspace wants its requests; null when that is not known.
    pub(crate) workspace_routing: Option<WorkspaceRouting>,
}

/// Is what somebody is signed in with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
#[cfg_attr(test, schemars(transform = always_with_email))]
pub(crate) enum Account {
    /// A key of the API.
    ApiKey {},
    /// An account of ChatGPT.
    Chatgpt {
        email: Option<String>,
        plan_type: PlanType,
        #[serde(default)]
        #[cfg_attr(test, ts(optional = nullable))]
        workspace_name: Option<String>,
    },
    /// Models at Amazon.
    AmazonBedrock {
        /// Whether this program keeps the credentials.
        #[serde(default)]
        uses_codex_managed_credentials: bool,
    },
    /// Models at Google.
    Gcp {},
}

/// Says in schemas that accounts of ChatGPT always come with `email`, be it null.
#[cfg(test)]
fn always_with_email(schema: &mut schemars::Schema) {
    let forms = schema.get_mut("oneOf").and_then(serde_json::Value::as_array_mut);
    for form in forms.into_iter().flatten() {
        let has_email = form["properties"].get("email").is_some();
        if let Some(required) = form["required"].as_array_mut().filter(|_| has_email) {
            required.push("email".into());
        }
    }
}

/// Says where the workspace of an account wants its requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct WorkspaceRouting {
    pub(crate) chatgpt_account_id: String,
    pub(crate) backend_origin: String,
    pub(crate) account_routing_override: AccountRoutingOverride,
}

/// Names the region that an account is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum AccountRoutingOverride {
    #[serde(rename = "NO_CONSTRAINT")]
    NoConstraint,
    #[serde(rename = "us")]
    Us,
    #[serde(rename = "us_cr")]
    UsCr,
}

/// Signs in. A sign-in that is not over yet ends.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/", optional_fields = nullable))]
pub(crate) enum LoginAccountParams {
    /// With a key of the API.
    ApiKey { api_key: String },
    /// With ChatGPT, in the user's browser.
    Chatgpt {
        /// Sends the browser to a page of ChatGPT's when all went well, not to one of this program's.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        #[cfg_attr(test, ts(as = "Option<bool>", optional))]
        use_hosted_login_success_page: bool,
        /// The program that such a page presents.
        #[serde(default)]
        app_brand: Option<LoginAppBrand>,
        /// Has the page at the end say less.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        #[cfg_attr(test, ts(as = "Option<bool>", optional))]
        codex_streamlined_login: bool,
    },
    /// With ChatGPT, in a browser on any machine, where the user types a code.
    ChatgptDeviceCode {},
    /// With tokens of ChatGPT that the client has got and renews.
    ChatgptAuthTokens {
        /// A JSON Web Token.
        access_token: String,
        chatgpt_account_id: String,
        /// The plan, where the token does not name it.
        chatgpt_plan_type: Option<String>,
    },
    /// With a key of Amazon Bedrock.
    AmazonBedrock { api_key: String, region: String },
    /// With access keys of Amazon Web Services.
    AmazonBedrockAccessKeys {
        access_key_id: String,
        secret_access_key: String,
        session_token: Option<String>,
        region: String,
    },
}

/// Names the program that a page of ChatGPT's presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum LoginAppBrand {
    Codex,
    Chatgpt,
}

/// Says how the sign-in goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum LoginAccountResponse {
    ApiKey {},
    Chatgpt {
        /// Names the sign-in, to cancel it.
        login_id: String,
        /// What the user's browser has to open.
        auth_url: String,
    },
    ChatgptDeviceCode {
        /// Names the sign-in, to cancel it.
        login_id: String,
        /// What the user has to open.
        verification_url: String,
        /// What the user has to type there.
        user_code: String,
    },
    ChatgptAuthTokens {},
    AmazonBedrock {},
}

/// Asks a client for other tokens than those that it has signed in with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ChatgptAuthTokensRefreshParams {
    pub(crate) reason: ChatgptAuthTokensRefreshReason,
    /// The account that the tokens are for; other ones have to be, too.
    #[cfg_attr(test, ts(optional = nullable))]
    pub(crate) previous_account_id: Option<String>,
}

/// Says why other tokens are needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum ChatgptAuthTokensRefreshReason {
    /// The provider has refused them.
    Unauthorized,
}

/// Gives other tokens.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct ChatgptAuthTokensRefreshResponse {
    /// A JSON Web Token.
    pub(crate) access_token: String,
    pub(crate) chatgpt_account_id: String,
    pub(crate) chatgpt_plan_type: Option<String>,
}

/// Gives a sign-in up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CancelLoginAccountParams {
    pub(crate) login_id: String,
}

/// Says whether there was something to give up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct CancelLoginAccountResponse {
    pub(crate) status: CancelLoginAccountStatus,
}

/// Says what became of a sign-in that was to be given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum CancelLoginAccountStatus {
    Canceled,
    NotFound,
}

/// Confirms that nobody is signed in any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct LogoutAccountResponse {}

/// Tells that a sign-in is over, and how it went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AccountLoginCompletedNotification {
    /// Null for those that were over at once.
    pub(crate) login_id: Option<String>,
    pub(crate) success: bool,
    pub(crate) error: Option<String>,
    /// Where a desktop program should take the user next; always null here.
    pub(crate) onboarding_entrypoint: Option<DesktopOnboardingEntrypoint>,
}

/// Names a place of a desktop program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) enum DesktopOnboardingEntrypoint {
    LifeSciences,
}

/// Tells that somebody else, or nobody, is signed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(export_to = "v2/"))]
pub(crate) struct AccountUpdatedNotification {
    /// Null for nobody.
    pub(crate) auth_mode: Option<AuthMode>,
    pub(crate) plan_type: Option<PlanType>,
}

/// Names a kind of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum AuthMode {
    /// A key of the API.
    #[serde(rename = "apikey")]
    ApiKey,
    /// Tokens of ChatGPT that this program renews.
    Chatgpt,
    /// Tokens of ChatGPT that a client renews.
    ChatgptAuthTokens,
    Headers,
    AgentIdentity,
    PersonalAccessToken,
    BedrockApiKey,
    BedrockAccessKeys,
}

/// Asks how requests are authorized; older clients do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct GetAuthStatusParams {
    /// Whether the answer may hold the token.
    pub(crate) include_token: Option<bool>,
    /// Renews the token first.
    pub(crate) refresh_token: Option<bool>,
}

/// Says how requests are authorized.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct GetAuthStatusResponse {
    pub(crate) auth_method: Option<AuthMode>,
    pub(crate) auth_token: Option<String>,
    pub(crate) requires_openai_auth: Option<bool>,
}
