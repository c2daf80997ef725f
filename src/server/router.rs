//! Dispatch: from a request line to its handler, by the table in `protocol::methods`.
//!
//! The order of checks is part of the protocol: decode, handshake, experimental gate, handler. Invariant: every
//! request is answered exactly once, by [`super::context::Cx`]'s responder, whatever the handler does.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

use futures_util::FutureExt as _;
use serde_json::value::RawValue;

use super::Server;
use super::connection::{Connection, Experimental};
use super::context::{Cx, IntoAnswer};
use super::error::{Error, Result};
use super::handlers;
use super::order::{Job, OrderKey};
use crate::protocol::methods::client_requests;
use crate::protocol::rpc::RequestId;
use crate::protocol::stability::{Gated, Stability};
use crate::protocol::{Request, method};

type Start = fn(Cx, Option<&RawValue>) -> Result<(Order, Job)>;

/// When a request is served.
enum Order {
    /// Before the next line is read.
    Inline,
    /// After those before it with the same key, if it has one.
    Lane(Option<OrderKey>),
}

/// Starts the work that a request asks for, or answers with a refusal.
pub(super) async fn dispatch(
    server: &Arc<Server>,
    connection: &Arc<Connection>,
    id: RequestId,
    method: &str,
    params: Option<&RawValue>,
) {
    let cx = Cx::new(Arc::clone(server), Arc::clone(connection), id);
    let started = match ROUTES.get(method) {
        Some(start) => start(cx.clone(), params),
        None => Err(unknown_method(method)),
    };
    match started {
        Ok((Order::Inline, job)) => job.await,
        Ok((Order::Lane(key), job)) => server.lanes.submit(key, job),
        Err(error) => cx.fail(error),
    }
}

macro_rules! order {
    (inline, $cx:ident, $params:ident) => {
        Order::Inline
    };
    (none, $cx:ident, $params:ident) => {
        Order::Lane(None)
    };
    (account, $cx:ident, $params:ident) => {
        Order::Lane(Some(OrderKey::Account))
    };
    (config, $cx:ident, $params:ident) => {
        Order::Lane(Some(OrderKey::Config))
    };
    (by($field:ident), $cx:ident, $params:ident) => {
        Order::Lane(Some(OrderKey::Thread($params.$field.to_string())))
    };
    (search($field:ident), $cx:ident, $params:ident) => {
        Order::Lane(Some(OrderKey::Search($params.$field.clone())))
    };
    (watch($field:ident), $cx:ident, $params:ident) => {
        Order::Lane(Some(OrderKey::Watch($cx.connection.id, $params.$field.clone())))
    };
}

macro_rules! routes {
    ($($(#[$doc:meta])* $name:ident = $wire:literal $(($params:ident $(or $null:ident)?))? -> $response:ty, $stability:ident, $key:ident $(($field:ident))?, $module:ident :: $handler:ident;)*) => {
        /// Every method's entry point.
        static ROUTES: LazyLock<HashMap<&'static str, Start>> = LazyLock::new(|| {
            HashMap::from([$(($wire, (|cx, params| {
                let params = decode::<method::$name>(params)?;
                admit::<method::$name>(&cx.connection, Stability::$stability, &params)?;
                let order = order!($key $(($field))?, cx, params);
                Ok((order, run::<method::$name, _, _, _>(cx, params, handlers::$module::$handler)))
            }) as Start),)*])
        });

        /// Every method's name, in the order of the table.
        const METHODS: &[&str] = &[$($wire),*];
    };
}
client_requests!(routes);

fn decode<R: Request>(params: Option<&RawValue>) -> Result<R::Params> {
    let Some(params) = params else {
        // Only a method without params can do without them.
        return serde_json::from_str("null")
            .map_err(|_| Error::invalid_request("Invalid request: missing field `params`"));
    };
    serde_json::from_str(params.get()).map_err(|error| invalid_request(&error))
}

/// Serde's reason without the position, which is of no use within one line.
fn invalid_request(error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    Error::invalid_request(format!(
        "Invalid request: {}",
        text.strip_suffix(&position).unwrap_or(&text)
    ))
}

fn unknown_method(method: &str) -> Error {
    let names: Vec<String> = METHODS.iter().map(|name| format!("`{name}`")).collect();
    Error::invalid_request(format!(
        "Invalid request: unknown variant `{method}`, expected one of {}",
        names.join(", ")
    ))
}

fn admit<R: Request>(
    connection: &Connection,
    stability: Stability,
    params: &R::Params,
) -> Result<()>
where
    R::Params: Gated,
{
    let Some(client) = connection.client() else {
        return match R::METHOD {
            "initialize" => Ok(()),
            _ => Err(Error::invalid_request("Not initialized")),
        };
    };
    if client.experimental == Experimental::Allowed {
        return Ok(());
    }
    let gated = match stability {
        Stability::Experimental => Some(R::METHOD.to_owned()),
        Stability::Stable | Stability::Unlisted => params.experimental_member(R::METHOD),
    };
    match gated {
        Some(what) => {
            Err(Error::invalid_request(format!("{what} requires experimentalApi capability")))
        }
        None => Ok(()),
    }
}

/// Wraps a handler: its result becomes the answer, its panic costs this request only.
fn run<R, H, F, A>(cx: Cx, params: R::Params, handler: H) -> Job
where
    R: Request,
    R::Params: Send + 'static,
    H: FnOnce(Cx, R::Params) -> F + Send + 'static,
    F: Future<Output = Result<A>> + Send + 'static,
    A: IntoAnswer<R::Response> + 'static,
{
    Box::pin(async move {
        let _counted = Arc::clone(&cx.server.requests);
        match AssertUnwindSafe(handler(cx.clone(), params)).catch_unwind().await {
            Ok(Ok(answer)) => answer.give(&cx),
            Ok(Err(error)) => cx.fail(error),
            Err(_) => {
                tracing::error!(method = R::METHOD, "a handler panicked");
                cx.fail(Error::internal("internal error"));
            }
        }
    })
}
