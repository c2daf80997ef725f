//! Questions of servers to the user: forms of flat fields, and pages to visit.

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
#[cfg(test)]
use ts_rs::TS;

use crate::protocol::{ThreadId, TurnId};

/// Asks the user something for a server: whether a tool may run, or what the server wants to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct McpServerElicitationRequestParams {
    pub(crate) thread_id: ThreadId,
    /// The turn that waits; none when it is not a turn that called the server.
    pub(crate) turn_id: Option<TurnId>,
    pub(crate) server_name: String,
    #[serde(flatten)]
    pub(crate) request: McpServerElicitationRequest,
}

/// Is the question itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "mode")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpServerElicitationRequest {
    /// Fields to fill in; none for a mere yes or no.
    #[serde(rename = "form", rename_all = "camelCase")]
    Form {
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        message: String,
        requested_schema: McpElicitationSchema,
    },
    /// A form whose schema is not limited to flat fields.
    #[serde(rename = "openai/form", rename_all = "camelCase")]
    OpenaiForm {
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        message: String,
        requested_schema: Value,
    },
    /// The same by its old name.
    #[serde(rename = "openaiForm", rename_all = "camelCase")]
    OldOpenaiForm {
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        message: String,
        requested_schema: Value,
    },
    /// A page for the user to visit.
    #[serde(rename = "url", rename_all = "camelCase")]
    Url {
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        message: String,
        url: String,
        elicitation_id: String,
    },
    /// A check that the user is who they seem to be.
    #[serde(rename = "openai/userVerification", rename_all = "camelCase")]
    UserVerification {
        #[serde(rename = "_meta")]
        meta: Option<Value>,
        title: String,
        description: String,
        challenge: String,
    },
}

/// Says what the user does with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpServerElicitationAction {
    Accept,
    Decline,
    Cancel,
}

/// Answers a question of a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) struct McpServerElicitationRequestResponse {
    pub(crate) action: McpServerElicitationAction,
    /// What was filled in.
    pub(crate) content: Option<Value>,
    #[serde(rename = "_meta")]
    pub(crate) meta: Option<Value>,
}

/// Is the type of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationObjectType {
    Object,
}

/// Is the type of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationStringType {
    String,
}

/// Is the type of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationNumberType {
    Number,
    Integer,
}

/// Is the type of a switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationBooleanType {
    Boolean,
}

/// Is the type of a choice of several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationArrayType {
    Array,
}

/// Says what a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationStringFormat {
    Email,
    Uri,
    Date,
    DateTime,
}

/// Describes a field of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationPrimitiveSchema {
    Enum(McpElicitationEnumSchema),
    String(McpElicitationStringSchema),
    Number(McpElicitationNumberSchema),
    Boolean(McpElicitationBooleanSchema),
}

/// Describes a choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationEnumSchema {
    One(McpElicitationSingleSelectEnumSchema),
    Several(McpElicitationMultiSelectEnumSchema),
    Legacy(McpElicitationLegacyTitledEnumSchema),
}

/// Describes a choice of one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationSingleSelectEnumSchema {
    Untitled(McpElicitationUntitledSingleSelectEnumSchema),
    Titled(McpElicitationTitledSingleSelectEnumSchema),
}

/// Describes a choice of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(JsonSchema, TS))]
pub(crate) enum McpElicitationMultiSelectEnumSchema {
    Untitled(McpElicitationUntitledMultiSelectEnumSchema),
    Titled(McpElicitationTitledMultiSelectEnumSchema),
}

/// Describes a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationSchema {
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub(crate) schema: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationObjectType,
    pub(crate) properties: BTreeMap<String, McpElicitationPrimitiveSchema>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) required: Option<Vec<String>>,
}

/// Describes a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationStringSchema {
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationStringType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_length: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_length: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<McpElicitationStringFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
}

/// Describes a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationNumberSchema {
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationNumberType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minimum: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) maximum: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<f64>,
}

/// Describes a switch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationBooleanSchema {
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationBooleanType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<bool>,
}

/// Describes a choice of one in the oldest form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationLegacyTitledEnumSchema {
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationStringType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(rename = "enum")]
    pub(crate) values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) enum_names: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
}

/// Describes a choice of one among values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationUntitledSingleSelectEnumSchema {
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationStringType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(rename = "enum")]
    pub(crate) values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
}

/// Describes a choice of one among values with titles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationTitledSingleSelectEnumSchema {
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationStringType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) one_of: Vec<McpElicitationConstOption>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
}

/// Describes a choice of several among values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationUntitledMultiSelectEnumSchema {
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationArrayType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_items: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_items: Option<u64>,
    pub(crate) items: McpElicitationUntitledEnumItems,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<Vec<String>>,
}

/// Describes a choice of several among values with titles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationTitledMultiSelectEnumSchema {
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationArrayType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_items: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_items: Option<u64>,
    pub(crate) items: McpElicitationTitledEnumItems,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<Vec<String>>,
}

/// Lists values to choose from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationUntitledEnumItems {
    #[serde(rename = "type")]
    pub(crate) kind: McpElicitationStringType,
    #[serde(rename = "enum")]
    pub(crate) values: Vec<String>,
}

/// Lists values with titles to choose from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationTitledEnumItems {
    pub(crate) any_of: Vec<McpElicitationConstOption>,
}

/// Is a value with its title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(test, derive(JsonSchema, TS), ts(optional_fields = nullable))]
pub(crate) struct McpElicitationConstOption {
    #[serde(rename = "const")]
    pub(crate) value: String,
    pub(crate) title: String,
}

impl McpElicitationSchema {
    /// A form without fields, for a mere yes or no.
    pub(crate) fn empty() -> Self {
        Self {
            schema: None,
            kind: McpElicitationObjectType::Object,
            properties: BTreeMap::new(),
            required: None,
        }
    }
}
