//! How the server is doing, and what clients test themselves with.

use crate::protocol::{
    MockExperimentalMethodParams, MockExperimentalMethodResponse, ServerDiagnosticsGauge,
    ServerDiagnosticsParams, ServerDiagnosticsProcess, ServerDiagnosticsResponse,
};
use crate::server::context::{Cx, blocking};
use crate::server::error::Result;

pub(crate) async fn read(
    cx: Cx,
    _params: ServerDiagnosticsParams,
) -> Result<ServerDiagnosticsResponse> {
    let gauge = |name: &str, count: usize| ServerDiagnosticsGauge {
        name: name.to_owned(),
        value: u64::try_from(count).unwrap_or(u64::MAX),
    };
    let server = &cx.server;
    let gauges = vec![
        gauge("app.requests.in_flight", server.requests_in_flight()),
        gauge("app.requests.queued", server.lanes.waiting()),
        gauge("app.server_requests.pending", server.asks.pending()),
        gauge("core.threads.live", server.threads.ids().len()),
    ];
    let process = ServerDiagnosticsProcess {
        id: std::process::id(),
        resident_memory_bytes: blocking(resident_memory).await?,
        physical_footprint_bytes: None,
    };
    Ok(ServerDiagnosticsResponse { process, gauges })
}

/// What the kernel says that this process holds; `None` where it does not say.
fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

pub(crate) async fn echo(
    _cx: Cx,
    params: MockExperimentalMethodParams,
) -> Result<MockExperimentalMethodResponse> {
    Ok(MockExperimentalMethodResponse { echoed: params.value })
}
