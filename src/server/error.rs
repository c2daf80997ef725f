//! What a request can fail with, as the client sees it: every layer's errors get their JSON-RPC code here.

use serde_json::Value;

use crate::protocol::error::{
    INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, RpcError,
};
use crate::protocol::{CodexErrorInfo, NonSteerableTurnKind, TurnError};
use crate::workspace::files;
use crate::{config, store, thread};

/// A refusal or failure, on its way to the client.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    code: i64,
    message: String,
    data: Option<Value>,
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The client asked for something that cannot be done.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self { code: INVALID_REQUEST, message: message.into(), data: None }
    }

    /// The request was understood, a value in it is out of bounds.
    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self { code: INVALID_PARAMS, message: message.into(), data: None }
    }

    /// What the params name does not have the method.
    pub(crate) fn unsupported(method: &str) -> Self {
        let message = format!("{method} is not supported yet");
        Self { code: METHOD_NOT_FOUND, message, data: None }
    }

    /// Something went wrong that the client cannot mend.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self { code: INTERNAL_ERROR, message: message.into(), data: None }
    }

    /// Somebody else's error, as it is.
    pub(crate) fn passed_on(code: i64, message: String, data: Option<Value>) -> Self {
        Self { code, message, data }
    }

    pub(crate) fn with_data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    pub(crate) fn into_rpc(self) -> RpcError {
        RpcError { code: self.code, message: self.message, data: self.data }
    }
}

impl From<thread::Error> for Error {
    fn from(error: thread::Error) -> Self {
        use thread::Error as E;
        let message = error.to_string();
        match error {
            E::Refused(_) => Self::invalid_request(message),
            E::NotSteerable(kind) => Self::invalid_request(&*message).with_data(not_steerable(kind, message)),
            E::InputTooLarge { max_chars, actual_chars } => Self::invalid_params(message).with_data(serde_json::json!({
                "input_error_code": "input_too_large", "max_chars": max_chars, "actual_chars": actual_chars,
            })),
            E::ProviderGone(provider) => Self::invalid_request(message)
                .with_data(serde_json::json!({ "type": "modelProviderNotConfigured", "modelProvider": provider })),
            E::Failed(_) | E::Gone => Self::internal(message),
            E::Store(error) => error.into(),
            E::Config(error) => error.into(),
        }
    }
}

/// What a client can tell from a refusal to steer.
fn not_steerable(turn_kind: NonSteerableTurnKind, message: String) -> Value {
    let error = TurnError {
        message,
        codex_error_info: Some(CodexErrorInfo::ActiveTurnNotSteerable { turn_kind }),
        additional_details: None,
        misalignment: None,
    };
    serde_json::json!(error)
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        use store::Error as E;
        let mut message = error.to_string();
        match error {
            E::NotFound(_)
            | E::NotArchived(_)
            | E::Archived(_)
            | E::NoSuchPath(_)
            | E::Refused(_)
            | E::Referenced(_)
            | E::Cursor(_) => Self::invalid_request(message),
            E::Locked { holder, .. } => {
                // Clients hold the whole error against what they know, so the log says who it is.
                tracing::info!(?holder, "{message}");
                Self::invalid_request(message)
            }
            E::InvalidParams(_) => Self::invalid_params(message),
            E::Invalid { .. } | E::Database(_) => Self::internal(message),
            E::Io { source, .. } => {
                message += &format!(": {source}");
                Self::internal(message)
            }
        }
    }
}

impl From<files::Error> for Error {
    fn from(error: files::Error) -> Self {
        use files::Error as E;
        let message = error.to_string();
        match error {
            E::NotAFile(_) | E::TooLarge | E::NotRecursive | E::IntoItself | E::NotCopyable => {
                Self::invalid_request(message)
            }
            E::Io(_) => Self::internal(message),
        }
    }
}

/// What the system refuses, in its words.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<config::LoadError> for Error {
    fn from(error: config::LoadError) -> Self {
        let start = error.range.map(|range| range.start);
        let data = serde_json::json!({
            "reason": "configLoad",
            "filePath": error.path,
            "line": start.as_ref().map(|start| start.line),
            "column": start.as_ref().map(|start| start.column),
            "detail": error.detail,
        });
        Self::invalid_request(format!("failed to load configuration: {}", error.message))
            .with_data(data)
    }
}

impl From<config::ReadError> for Error {
    fn from(error: config::ReadError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<config::WriteError> for Error {
    fn from(error: config::WriteError) -> Self {
        use config::WriteError as E;
        let message = error.to_string();
        let refused = |code: &str| {
            let data = serde_json::json!({ "config_write_error_code": code });
            Self::invalid_request(message.clone()).with_data(data)
        };
        match error {
            E::Readonly => refused("configLayerReadonly"),
            E::Conflict => refused("configVersionConflict"),
            E::Invalid(_) => refused("configValidationError"),
            E::Load(_) | E::Edit(_) => Self::internal(message),
        }
    }
}
