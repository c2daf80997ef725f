//! The log: stderr only, since stdout belongs to the protocol.

use std::env;
use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` filters (default: errors), `LOG_FORMAT=json` makes each entry one JSON object.
pub(crate) fn start() {
    let filter = env::var("RUST_LOG").ok().filter(|text| !text.is_empty());
    let filter = match filter.as_deref().map(EnvFilter::try_new) {
        Some(Ok(filter)) => filter,
        Some(Err(_)) | None => EnvFilter::new("error"),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let json =
        env::var("LOG_FORMAT").is_ok_and(|format| format.trim().eq_ignore_ascii_case("json"));
    if json {
        builder.json().init();
    } else {
        let coloured = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none();
        builder.with_ansi(coloured).init();
    }
}
