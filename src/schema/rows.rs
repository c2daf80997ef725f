//! The table, read for the generators: each row with ways to describe its types.

use schemars::{JsonSchema, SchemaGenerator};
use ts_rs::TS;

use super::typescript::Types;
use crate::protocol::methods::{
    client_notifications, client_requests, server_notifications, server_requests,
};
use crate::protocol::rpc::RequestId;
use crate::protocol::*;

/// A type of the table.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) name: &'static str,
    /// Whether it belongs to the current generation of the protocol (`v2/`).
    pub(super) current: bool,
    pub(super) describe_json: fn(&mut SchemaGenerator),
    pub(super) describe_typescript: fn(&mut Types),
}

/// A request, with what it takes and answers, or a notification.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) doc: &'static str,
    pub(super) stable: bool,
    /// Whether JSON Schemas know it; TypeScript knows the old methods, too.
    pub(super) listed: bool,
    /// Whether it can do without its params.
    pub(super) optional: bool,
    pub(super) params: Option<Type>,
    pub(super) response: Option<Type>,
}

macro_rules! read {
    ($($(#[doc = $doc:literal])* $name:ident = $method:literal $(($params:ident $(or $null:ident)?))? $(-> $response:ident)?
        $(, $stability:ident, $key:ident $(($field:ident))?, $module:ident :: $handler:ident)?;)*) => {
        vec![$(Row {
            method: $method,
            doc: concat!($($doc),*).trim_ascii_start(),
            stable: $(stringify!($stability) != "Experimental" &&)? true,
            listed: $(stringify!($stability) != "Unlisted" &&)? true,
            optional: $($(stringify!($null) == "null" ||)?)? false,
            params: None $(.or(Some(describe::<$params>(stringify!($params)))))?,
            response: None $(.or(Some(describe::<$response>(stringify!($response)))))?,
        }),*]
    };
}

pub(super) fn requests_to_server() -> Vec<Row> {
    client_requests!(read)
}

pub(super) fn requests_to_client() -> Vec<Row> {
    server_requests!(read)
}

pub(super) fn notifications_to_client() -> Vec<Row> {
    server_notifications!(read)
}

pub(super) fn notifications_to_server() -> Vec<Row> {
    client_notifications!(read)
}

pub(super) fn request_id() -> Type {
    describe::<RequestId>("RequestId")
}

fn describe<T: JsonSchema + TS + 'static>(name: &'static str) -> Type {
    Type {
        name,
        current: T::output_path().is_some_and(|path| path.starts_with("v2")),
        describe_json: |generator| drop(generator.subschema_for::<T>()),
        describe_typescript: Types::add::<T>,
    }
}
