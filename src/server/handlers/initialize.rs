//! The handshake.

use std::collections::HashSet;
use std::env;
use std::path::Path;

use super::remote_control;
use crate::config::{Problem, Sources};
use crate::extension::hooks::Hooks;
use crate::policy::rules;
use crate::protocol::{
    ConfigWarningNotification, InitializeParams, InitializeResponse, TextPosition, TextRange,
    method,
};
use crate::server::audience::Reach;
use crate::server::connection::{Client, Experimental};
use crate::server::context::{Cx, Later, blocking};
use crate::server::error::{Error, Result};
use crate::thread::ClientIdentity;

pub(crate) async fn initialize(
    cx: Cx,
    params: InitializeParams,
) -> Result<Later<InitializeResponse>> {
    let InitializeParams { client_info, capabilities } = params;
    let name = client_info.name;
    if reqwest::header::HeaderValue::from_str(&name).is_err() {
        let refusal =
            format!("Invalid clientInfo.name: '{name}'. Must be a valid HTTP header value.");
        return Err(Error::invalid_request(refusal));
    }
    let capabilities = capabilities.unwrap_or_default();
    let opted_out: HashSet<String> =
        capabilities.opt_out_notification_methods.into_iter().flatten().collect();
    let experimental =
        if capabilities.experimental_api { Experimental::Allowed } else { Experimental::Refused };
    if !cx.connection.initialize(Client { experimental, opted_out }) {
        return Err(Error::invalid_request("Already initialized"));
    }
    let shared = &cx.server.threads.shared;
    let originator = originator(&shared.client().originator, &name);
    let user_agent = user_agent(&originator, &name, &client_info.version);
    shared.set_client(ClientIdentity { originator, user_agent: user_agent.clone() });
    let later = cx.answer(&InitializeResponse {
        user_agent,
        codex_home: cx.server.home().clone().into(),
        platform_family: env::consts::FAMILY.to_owned(),
        platform_os: env::consts::OS.to_owned(),
    });
    let (sources, cwd) = (cx.server.sources.clone(), shared.cwd.clone());
    // The request has been answered: nobody is told if this fails.
    let warnings = blocking(move || config_warnings(&sources, &cwd)).await.unwrap_or_default();
    for warning in warnings {
        cx.server.audience.notify::<method::ConfigWarning>(Reach::Only(cx.connection.id), &warning);
    }
    if let Some(problem) = shared.rules_problem() {
        let warning = rules_warning(problem);
        cx.server.audience.notify::<method::ConfigWarning>(Reach::Only(cx.connection.id), &warning);
    }
    let status = remote_control::status(shared.installation());
    cx.server
        .audience
        .notify::<method::RemoteControlStatusChanged>(Reach::Only(cx.connection.id), &status);
    Ok(later)
}

/// What cannot be used of the configuration and of the hooks that it declares.
fn config_warnings(sources: &Sources, cwd: &Path) -> Vec<ConfigWarningNotification> {
    let loaded = sources.load_or_default(cwd);
    let hooks = Hooks::read(&loaded.effective.hooks).warnings.into_iter().map(|summary| {
        ConfigWarningNotification { summary, details: None, path: None, range: None }
    });
    loaded.problems.into_iter().map(config_warning).chain(hooks).collect()
}

fn config_warning(problem: Problem) -> ConfigWarningNotification {
    ConfigWarningNotification {
        summary: problem.summary,
        details: problem.details,
        path: problem.path.map(|path| path.to_string_lossy().into_owned()),
        range: problem.range,
    }
}

/// Without their rules users would be asked less, or forbidden less, than they think.
fn rules_warning(problem: &rules::Problem) -> ConfigWarningNotification {
    let place = TextPosition { line: problem.line, column: problem.column };
    ConfigWarningNotification {
        summary: problem.summary.clone(),
        details: Some(problem.details.clone()),
        path: Some(problem.path.to_string_lossy().into_owned()),
        range: Some(TextRange { start: place.clone(), end: place }),
    }
}

/// The first client of the process names it towards providers, unless the environment does.
fn originator(before: &str, name: &str) -> String {
    let forced =
        env::var("CODEX_INTERNAL_ORIGINATOR_OVERRIDE").ok().filter(|name| !name.is_empty());
    match (forced, before) {
        (Some(forced), _) => forced,
        (None, "") => name.to_owned(),
        (None, before) => before.to_owned(),
    }
}

fn user_agent(originator: &str, client: &str, client_version: &str) -> String {
    let version = crate::COMPATIBLE_VERSION;
    let (system, arch, terminal) = (system(), env::consts::ARCH, terminal());
    let agent = format!(
        "{originator}/{version} ({system}; {arch}) {terminal} ({client}; {client_version})"
    );
    // The client's version is free text, and the whole is a header.
    agent.chars().map(|c| if c.is_control() { '_' } else { c }).collect()
}

/// The operating system and its version in three numbers.
fn system() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |name: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(line.trim_matches('"').to_owned()).filter(|value| !value.is_empty())
    };
    let id = field("ID").unwrap_or_else(|| env::consts::OS.to_owned());
    let mut letters = id.chars();
    let name: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let version = field("VERSION_ID").unwrap_or_default();
    let mut numbers = version.split('.').filter(|number| !number.is_empty()).chain(["0", "0", "0"]);
    let numbers: Vec<&str> = numbers.by_ref().take(3).collect();
    format!("{name} {}", numbers.join("."))
}

fn terminal() -> String {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    match (variable("TERM_PROGRAM"), variable("TERM_PROGRAM_VERSION")) {
        (Some(program), Some(version)) => format!("{program}/{version}"),
        (Some(program), None) => program,
        (None, _) => variable("TERM").unwrap_or_else(|| "unknown".to_owned()),
    }
}
