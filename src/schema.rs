//! Schemas of the protocol for writers of clients: JSON Schema and TypeScript.
//!
//! The files are generated from the table of methods and its types by the test code below this module, kept in
//! `schema/` and embedded here. `experimental/` holds what differs from `stable/`, since most files are the same: it
//! is written over the stable set. `UPDATE_SCHEMA=1 cargo test schema` brings `schema/` up to date.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use include_dir::{Dir, include_dir};

#[cfg(test)]
mod canonical;
#[cfg(test)]
mod json;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod typescript;

static JSON: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schema/json");
static TYPESCRIPT: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schema/typescript");

/// Why schemas were not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to create the folder {}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("failed to write {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("failed to run {}", program.display())]
    Formatter { program: PathBuf, source: io::Error },
    #[error("{} failed: {status}", program.display())]
    Formatting { program: PathBuf, status: ExitStatus },
}

/// Writes the JSON Schemas to `out`. Files that are there and have other names stay.
pub(crate) fn write_json(out: &Path, experimental: bool) -> Result<(), Error> {
    write(&JSON, out, experimental).map(drop)
}

/// Writes the TypeScript definitions to `out`, and has them formatted if there is a `prettier`.
pub(crate) fn write_typescript(
    out: &Path,
    experimental: bool,
    prettier: Option<&Path>,
) -> Result<(), Error> {
    let files = write(&TYPESCRIPT, out, experimental)?;
    match prettier {
        Some(program) => format(program, &files),
        None => Ok(()),
    }
}

fn format(program: &Path, files: &[PathBuf]) -> Result<(), Error> {
    let mut arguments: Vec<OsString> =
        ["--write", "--log-level", "warn"].map(OsString::from).into();
    arguments.extend(files.iter().map(OsString::from));
    let status = Command::new(program)
        .args(arguments)
        .status()
        .map_err(|source| Error::Formatter { program: program.to_owned(), source })?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Formatting { program: program.to_owned(), status })
    }
}

/// Writes one of the sets; returns the files of it, each once.
fn write(sets: &Dir<'_>, out: &Path, experimental: bool) -> Result<Vec<PathBuf>, Error> {
    let layers: &[&str] = if experimental { &["stable", "experimental"] } else { &["stable"] };
    create(out)?;
    let mut written = Vec::new();
    for layer in layers {
        if let Some(dir) = sets.get_dir(layer) {
            write_dir(dir, layer, out, &mut written)?;
        }
    }
    written.sort();
    written.dedup();
    Ok(written)
}

fn write_dir(
    dir: &Dir<'_>,
    layer: &str,
    out: &Path,
    written: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    for file in dir.files() {
        let path = out.join(file.path().strip_prefix(layer).unwrap_or(file.path()));
        if let Some(parent) = path.parent() {
            create(parent)?;
        }
        std::fs::write(&path, file.contents())
            .map_err(|source| Error::File { path: path.clone(), source })?;
        written.push(path);
    }
    dir.dirs().try_for_each(|dir| write_dir(dir, layer, out, written))
}

fn create(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).map_err(|source| Error::Folder { path: path.to_owned(), source })
}
