//! `app-server sandbox`: runs a command of the user's as confined as those of a model would be.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::config::permission::{self, Access, Asked};
use crate::config::profile::file_rules;
use crate::config::{LoadError, Sources};
use crate::exec::Confined;
use crate::sandbox::{self, Missing, Network};
use crate::tools::confined;
use crate::util::path::absolute;

/// Why the command was not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot load the configuration: {}", .0.message)]
    Config(LoadError),
    #[error("the working directory is unknown")]
    Folder(#[source] io::Error),
    #[error("the arguments are not text")]
    Text,
    #[error("the command cannot be confined")]
    Missing(#[from] Missing),
    #[error("cannot run {program}")]
    Exec { program: String, source: io::Error },
}

/// Becomes the command, in the sandbox of a permission profile or else of the configuration; returns only if that
/// fails.
pub(crate) fn run(
    sources: &Sources,
    profile: Option<&str>,
    folder: Option<PathBuf>,
    argv: Vec<OsString>,
) -> Error {
    match prepare(sources, profile, folder, argv) {
        Ok(mut command) => {
            let source = command.exec();
            Error::Exec { program: command.get_program().to_string_lossy().into_owned(), source }
        }
        Err(error) => error,
    }
}

fn prepare(
    sources: &Sources,
    profile: Option<&str>,
    folder: Option<PathBuf>,
    argv: Vec<OsString>,
) -> Result<Command, Error> {
    let here = std::env::current_dir().map_err(Error::Folder)?;
    let cwd = absolute(&here, &folder.unwrap_or_default());
    let argv: Vec<String> = argv
        .into_iter()
        .map(OsString::into_string)
        .collect::<Result<_, _>>()
        .map_err(|_| Error::Text)?;
    let config = sources.load(Some(&cwd), None).map_err(Error::Config)?.effective;
    let asked = profile.map_or(Asked::Nothing, Asked::Permissions);
    let Access { sandbox, profile, .. } =
        permission::access(&config, None, asked).map_err(Error::Config)?;
    let workspace = [cwd.clone()];
    let profile = profile.as_ref().map(|profile| profile.id.as_str());
    let files = file_rules(profile, &config, &workspace);
    let Some(Confined { confinement, method }) = confined(&sandbox, &workspace, &files)? else {
        return Ok(command(&argv, &cwd));
    };
    let closed = confinement.network == Network::Closed;
    let mut command = command(&sandbox::confined(confinement, method, cwd.clone(), argv), &cwd);
    if closed {
        command.env("CODEX_SANDBOX_NETWORK_DISABLED", "1");
    }
    Ok(command)
}

fn command(argv: &[String], cwd: &Path) -> Command {
    let (program, arguments) = argv.split_first().map_or(("", argv), |(first, rest)| (first, rest));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(cwd);
    command
}
