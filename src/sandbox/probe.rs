//! What this machine can enforce, found out once by trying.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use super::{Confinement, Method, Missing, confined};

/// What works here, and why the better things do not.
struct Found {
    method: Option<Method>,
    failures: String,
}

static FOUND: LazyLock<Found> = LazyLock::new(|| {
    let mut failures = Vec::new();
    let candidates =
        bwrap().map(Method::Bubblewrap).into_iter().chain([Method::Namespaces, Method::Landlock]);
    for method in candidates {
        match attempt(&method) {
            Ok(()) => return Found { method: Some(method), failures: failures.join("; ") },
            Err(why) => failures.push(why),
        }
    }
    Found { method: None, failures: failures.join("; ") }
});

/// How a confinement is enforced here. The first call tries what works and blocks for some milliseconds.
pub(crate) fn enforceable(confinement: &Confinement) -> Result<Method, Missing> {
    match &FOUND.method {
        None => Err(Missing::Everything(FOUND.failures.clone())),
        Some(Method::Landlock) if confinement.has_exceptions() => {
            Err(Missing::Exceptions(FOUND.failures.clone()))
        }
        Some(method) => Ok(method.clone()),
    }
}

/// The first `bwrap` on the path.
fn bwrap() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("bwrap"))
        .find(|file| file.is_file())
}

/// Confines a program that does nothing.
fn attempt(method: &Method) -> Result<(), String> {
    let nothing = ["/bin/sh", "-c", ":"].map(str::to_owned).into();
    let argv = confined(Confinement::default(), method.clone(), "/".into(), nothing);
    let (program, arguments) = argv.split_first().ok_or_else(String::new)?;
    let done = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    if done.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&done.stderr).trim().to_owned())
}
