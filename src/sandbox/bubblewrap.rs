//! Confinement by `bwrap`, which may be allowed to make namespaces where ordinary programs are not.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use super::helper::{Error, Step as _, ignore_signals};
use super::placeholder::Placeholders;
use super::{Access, Confinement, HELPER, Method, Network, Request};

/// Runs a command under a confinement and returns its exit code.
pub(super) fn run(
    bwrap: &Path,
    confinement: &Confinement,
    cwd: &Path,
    argv: &[OsString],
) -> Result<ExitCode, Error> {
    let placeholders = Placeholders::make(confinement);
    let mut child = Command::new(bwrap)
        .args(arguments(confinement, cwd))
        .args(inner(confinement, cwd)?)
        .args(argv)
        .spawn()
        .step("bwrap cannot be started")?;
    ignore_signals();
    let status = child.wait().step("bwrap cannot be waited for")?;
    drop(placeholders);
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// What remains to be done within: the filter of system calls, by this program once more.
fn inner(confinement: &Confinement, cwd: &Path) -> Result<[OsString; 5], Error> {
    let within = Confinement { rules: Vec::new(), network: confinement.network };
    let request = Request { confinement: within, method: Method::Filter, cwd: cwd.to_owned() };
    let request = serde_json::to_string(&request).map_err(Error::Request)?;
    let program = std::env::current_exe().step("this program cannot be found")?;
    Ok(["--".into(), program.into(), HELPER.into(), request.into(), "--".into()])
}

fn arguments(confinement: &Confinement, cwd: &Path) -> Vec<OsString> {
    let mut all: Vec<OsString> =
        ["--die-with-parent", "--unshare-user", "--unshare-pid", "--unshare-ipc"]
            .map(Into::into)
            .into();
    let mut add = |words: &[&OsStr]| all.extend(words.iter().map(OsString::from));
    if confinement.network == Network::Closed {
        add(&["--unshare-net".as_ref()]);
    }
    let everywhere = if confinement.writes_everywhere() { "--bind" } else { "--ro-bind" };
    add(&[everywhere, "/", "/", "--dev", "/dev", "--proc", "/proc"].map(AsRef::as_ref));
    for rule in confinement.by_depth() {
        let path = rule.path.as_os_str();
        let Ok(found) = fs::metadata(&rule.path) else { continue };
        match rule.access {
            Access::Write => add(&["--bind".as_ref(), path, path]),
            Access::Read | Access::Guard => add(&["--ro-bind".as_ref(), path, path]),
            Access::Deny if found.is_dir() => {
                add(&["--perms".as_ref(), "0000".as_ref(), "--tmpfs".as_ref(), path]);
                add(&["--remount-ro".as_ref(), path]);
            }
            Access::Deny => add(&["--ro-bind".as_ref(), "/dev/null".as_ref(), path]),
        }
    }
    add(&["--chdir".as_ref(), cwd.as_os_str()]);
    all
}
