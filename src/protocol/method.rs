//! The rows of the table as types: an uninhabited enum for each method, which names what it takes and answers.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, IgnoredAny, MapAccess, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use super::methods::{client_requests, server_notifications, server_requests};
use super::*;

/// A method that is answered.
pub(crate) trait Request {
    const METHOD: &'static str;
    type Params: Serialize + DeserializeOwned;
    type Response: Serialize + DeserializeOwned;
}

/// A method that is not answered.
pub(crate) trait Notification {
    const METHOD: &'static str;
    type Params: Serialize + DeserializeOwned;
}

macro_rules! params {
    () => {
        NoParams
    };
    ($params:ident) => {
        $params
    };
    ($params:ident or null) => {
        Option<$params>
    };
}

macro_rules! requests {
    ($(
        $(#[$doc:meta])*
        $name:ident = $method:literal $(($params:ident $(or $null:ident)?))? -> $response:ty
            $(, $stability:ident, $key:ident $(($field:ident))?, $module:ident :: $handler:ident)?;
    )*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Request for $name {
            const METHOD: &'static str = $method;
            type Params = params!($($params $(or $null)?)?);
            type Response = $response;
        }
    )*};
}
client_requests!(requests);
server_requests!(requests);

macro_rules! notifications {
    ($($(#[$doc:meta])* $name:ident = $method:literal ($params:ty);)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}

        impl Notification for $name {
            const METHOD: &'static str = $method;
            type Params = $params;
        }
    )*};
}
server_notifications!(notifications);

/// The params of a method that takes none: absent, `null` or an empty object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoParams;

impl Serialize for NoParams {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for NoParams {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NoParamsVisitor)
    }
}

struct NoParamsVisitor;

impl<'de> Visitor<'de> for NoParamsVisitor {
    type Value = NoParams;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unit")
    }

    fn visit_unit<E>(self) -> Result<NoParams, E> {
        Ok(NoParams)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NoParams, A::Error> {
        match map.next_key::<IgnoredAny>()? {
            None => Ok(NoParams),
            Some(_) => Err(A::Error::invalid_type(Unexpected::Map, &self)),
        }
    }
}
