//! Which shell runs a script, and how it is called.

use std::env;
use std::path::{Path, PathBuf};

/// A shell whose command line is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shell {
    path: PathBuf,
}

/// Whether a shell reads the user's profile first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Startup {
    Login,
    Plain,
}

/// The shells that take `-c` and `-l` as POSIX has them.
const KNOWN: [&str; 3] = ["bash", "zsh", "sh"];
/// What every Unix has.
const FALLBACK: &str = "/bin/sh";

impl Shell {
    /// The user's login shell: that of the account, else of `$SHELL`, else `/bin/sh`.
    pub(crate) fn of_user() -> Self {
        let account = std::fs::read_to_string("/etc/passwd").ok();
        let account =
            account.and_then(|passwd| shell_of(&passwd, rustix::process::getuid().as_raw()));
        let named = env::var_os("SHELL").map(PathBuf::from);
        let known = |path: &PathBuf| kind(path).is_some() && is_executable(path);
        let path = account.into_iter().chain(named).find(known).unwrap_or_else(|| FALLBACK.into());
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The shell that a model asked for by path or name. The kind of shell counts, not the place: `user` if it is of
    /// that kind, else the one on the `PATH`, else `/bin/sh`.
    pub(crate) fn resolve(asked: &str, user: &Self) -> Self {
        let Some(wanted) = kind(Path::new(asked)) else { return Self { path: FALLBACK.into() } };
        if kind(&user.path) == Some(wanted) {
            return user.clone();
        }
        let search = env::var_os("PATH").unwrap_or_default();
        let found = env::split_paths(&search)
            .map(|folder| folder.join(wanted))
            .find(|path| is_executable(path));
        let standard = Path::new("/bin").join(wanted);
        let standard = is_executable(&standard).then_some(standard);
        Self { path: found.or(standard).unwrap_or_else(|| FALLBACK.into()) }
    }

    /// What kind of shell it is, for example `bash`.
    pub(crate) fn name(&self) -> &str {
        kind(&self.path).unwrap_or("sh")
    }

    /// The command line that runs `script`.
    pub(crate) fn argv(&self, startup: Startup, script: &str) -> Vec<String> {
        let flag = match startup {
            Startup::Login => "-lc",
            Startup::Plain => "-c",
        };
        vec![self.path.to_string_lossy().into_owned(), flag.to_owned(), script.to_owned()]
    }
}

/// The kind of shell that a path or name tells.
fn kind(path: &Path) -> Option<&'static str> {
    let stem = path.file_stem()?.to_str()?;
    KNOWN.into_iter().find(|known| *known == stem)
}

/// The last field of a user's line in `/etc/passwd`.
fn shell_of(passwd: &str, uid: u32) -> Option<PathBuf> {
    let fields = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = fields
        .into_iter()
        .find(|fields| fields.get(2).and_then(|id| id.parse().ok()) == Some(uid))?;
    line.get(6).filter(|shell| !shell.is_empty()).map(PathBuf::from)
}

fn is_executable(path: &Path) -> bool {
    path.is_absolute()
        && path.is_file()
        && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests;
