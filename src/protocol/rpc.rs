//! The envelope: which kind of message a line is, and how messages are written.
//!
//! Reading borrows from the line; `params` and results stay raw until somebody who knows their type decodes them.
//! Writing serializes a value once, into the line that goes out.

use std::borrow::Cow;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::error::RpcError;

/// Pairs an answer with its request: a string or an integer, chosen by whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
#[cfg_attr(test, derive(schemars::JsonSchema, ts_rs::TS))]
pub(crate) enum RequestId {
    String(String),
    Integer(i64),
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(id) => f.write_str(id),
            Self::Integer(id) => id.fmt(f),
        }
    }
}

/// By hand rather than untagged, so that reasons are precise and nothing is buffered.
impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Id;

        impl Visitor<'_> for Id {
            type Value = RequestId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a 64-bit integer")
            }

            fn visit_str<E: serde::de::Error>(self, id: &str) -> Result<RequestId, E> {
                Ok(RequestId::String(id.to_owned()))
            }

            fn visit_i64<E: serde::de::Error>(self, id: i64) -> Result<RequestId, E> {
                Ok(RequestId::Integer(id))
            }

            fn visit_u64<E: serde::de::Error>(self, id: u64) -> Result<RequestId, E> {
                let unexpected = Unexpected::Unsigned(id);
                i64::try_from(id)
                    .map(RequestId::Integer)
                    .map_err(|_| E::invalid_value(unexpected, &self))
            }
        }

        deserializer.deserialize_any(Id)
    }
}

/// A line, read.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Request { id: RequestId, method: Cow<'a, str>, params: Option<&'a RawValue> },
    Notification { method: Cow<'a, str> },
    Response { id: RequestId, result: Result<&'a RawValue, &'a RawValue> },
}

/// Why a line is not a message. Nobody is told, since there is nobody to tell.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotAMessage {
    #[error("{0}")]
    Undecodable(#[from] serde_json::Error),
    #[error("neither a method nor an answer")]
    Shapeless,
}

/// Reads a line.
pub(crate) fn classify(line: &[u8]) -> Result<Message<'_>, NotAMessage> {
    let envelope: Envelope<'_> = serde_json::from_slice(line)?;
    let Envelope { id, method, params, result, error } = envelope;
    match (id, method, result.map(Ok).or(error.map(Err))) {
        (Some(id), Some(method), _) => Ok(Message::Request { id, method, params }),
        (None, Some(method), _) => Ok(Message::Notification { method }),
        (Some(id), None, Some(result)) => Ok(Message::Response { id, result }),
        (_, None, _) => Err(NotAMessage::Shapeless),
    }
}

/// The line that answers a request.
pub(crate) fn response(id: &RequestId, result: &impl Serialize) -> Vec<u8> {
    Line::new().member("id", id).member("result", result).end()
}

/// The line that refuses a request.
pub(crate) fn error(id: &RequestId, error: &RpcError) -> Vec<u8> {
    Line::new().member("error", error).member("id", id).end()
}

/// The line of a notification.
pub(crate) fn notification(method: &str, params: &impl Serialize, emitted_at_ms: i64) -> Vec<u8> {
    Line::new()
        .member("method", method)
        .member("params", params)
        .member("emittedAtMs", &emitted_at_ms)
        .end()
}

/// The line of a request.
pub(crate) fn request(id: &RequestId, method: &str, params: &impl Serialize) -> Vec<u8> {
    Line::new().member("method", method).member("id", id).member("params", params).end()
}

/// The members that make a message. What else an object has is not looked at; of a member that is there twice the
/// last one counts.
#[derive(Debug, Default)]
struct Envelope<'a> {
    id: Option<RequestId>,
    method: Option<Cow<'a, str>>,
    params: Option<&'a RawValue>,
    result: Option<&'a RawValue>,
    error: Option<&'a RawValue>,
}

/// By hand, because a derived one would refuse repeated members, accept arrays, and take a result of `null` for none.
impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Envelope<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope<'de>, A::Error> {
                let mut envelope = Envelope::default();
                while let Some(Text(key)) = map.next_key()? {
                    match &*key {
                        "id" => envelope.id = Some(map.next_value()?),
                        "method" => envelope.method = Some(map.next_value::<Text<'_>>()?.0),
                        "params" => envelope.params = map.next_value()?,
                        "result" => envelope.result = Some(map.next_value()?),
                        "error" => envelope.error = Some(map.next_value()?),
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(envelope)
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A string, borrowed from the line unless it has escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Chars;

        impl<'de> Visitor<'de> for Chars {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: serde::de::Error>(
                self,
                text: &'de str,
            ) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Chars)
    }
}

/// A line in the making.
struct Line(Vec<u8>);

impl Line {
    fn new() -> Self {
        Self(b"{".to_vec())
    }

    /// Adds a member. A value that JSON cannot represent becomes `null`; our own types have no such values.
    fn member<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        if self.0.len() > 1 {
            self.0.push(b',');
        }
        self.0.push(b'"');
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
        let start = self.0.len();
        if serde_json::to_writer(&mut self.0, value).is_err() {
            self.0.truncate(start);
            self.0.extend_from_slice(b"null");
        }
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(b"}\n");
        self.0
    }
}

#[cfg(test)]
mod tests;
