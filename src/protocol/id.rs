//! Identifiers and names: strings on the wire, types of their own here, so that they are not mixed up.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! string_newtypes {
    ($($(#[$attribute:meta])* $name:ident;)*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

string_newtypes! {
    /// Names a thread.
    ThreadId;
    /// Names a turn.
    TurnId;
    /// Names an item within its thread.
    ItemId;
    /// Names a sub-agent by its place in the tree of agents, for example `/root/reviewer`.
    #[cfg_attr(test, derive(schemars::JsonSchema, ts_rs::TS))]
    AgentPath;
    /// Says what a thread was started for, in the words of the client that started it.
    #[cfg_attr(test, derive(schemars::JsonSchema, ts_rs::TS), ts(export_to = "v2/"))]
    ThreadSource;
}

macro_rules! as_str {
    ($($name:ident)*) => {$(
        impl $name {
            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }
    )*};
}
as_str!(ThreadId TurnId ItemId AgentPath ThreadSource);

/// The one place where the TypeScript definitions have a name for a thread's id.
#[cfg(test)]
#[derive(ts_rs::TS)]
#[ts(rename = "ThreadId")]
pub(crate) struct NamedThreadId(
    #[expect(dead_code, reason = "stands for the id in definitions")] String,
);

/// In generated schemas these are plain strings.
#[cfg(test)]
macro_rules! plain_string_schemas {
    ($($name:ident)*) => {$(
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                String::json_schema(generator)
            }
        }

        impl ts_rs::TS for $name {
            type WithoutGenerics = Self;
            type OptionInnerType = Self;

            fn name(config: &ts_rs::Config) -> String {
                <String as ts_rs::TS>::name(config)
            }

            fn inline(config: &ts_rs::Config) -> String {
                <String as ts_rs::TS>::inline(config)
            }
        }
    )*};
}
#[cfg(test)]
plain_string_schemas!(ThreadId TurnId ItemId);
