//! AGENTS.md: which files of the user and of the project instruct the model, and their text.
//!
//! Files are read when somebody asks, which is when a thread starts or moves; what the text is wrapped in, and when
//! the model is given it, is not known here.

use std::io;
use std::path::{Path, PathBuf};

use crate::config::{Effective, marked_root};
use crate::util::file::read_start;

const OVERRIDE: &str = "AGENTS.override.md";
const USUAL: &str = "AGENTS.md";
/// How much of the user's own instructions is read. Nobody writes that much: it is a file that is there by mistake.
const MOST_OF_USER: u64 = 1024 * 1024;

/// What instructs the model in a working directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Instructions {
    /// The text of all files together.
    pub(crate) text: Option<String>,
    /// Whether some of it is the project's, so that it belongs to the working directory.
    pub(crate) of_project: bool,
    pub(crate) sources: Vec<PathBuf>,
    pub(crate) warnings: Vec<String>,
}

/// Finds and reads the user's instructions, and those of the project around `cwd`.
pub(crate) fn discover(home: &Path, cwd: Option<&Path>, effective: &Effective) -> Instructions {
    let mut found = Instructions::default();
    let global = found.global(home);
    let project = cwd.and_then(|cwd| found.project(cwd, effective));
    found.of_project = project.is_some();
    found.text = match (global, project) {
        (Some(global), Some(project)) => {
            Some(format!("{global}\n\n--- project-doc ---\n\n{project}"))
        }
        (global, project) => global.or(project),
    };
    found.warn_of_size(effective.project_doc_max_bytes);
    found
}

impl Instructions {
    /// The user's own instructions: the first of the two files that says something.
    fn global(&mut self, home: &Path) -> Option<String> {
        [OVERRIDE, USUAL].into_iter().find_map(|name| {
            let path = home.join(name);
            let (bytes, total) = self.read(&path, MOST_OF_USER)?;
            if total > MOST_OF_USER {
                self.warnings.push(format!(
                    "Only {MOST_OF_USER} of {total} bytes of `{}` are used. Shorten it.",
                    path.display(),
                ));
            }
            let text = String::from_utf8_lossy(&bytes).trim().to_owned();
            (!text.is_empty()).then(|| {
                self.sources.push(path);
                text
            })
        })
    }

    /// The project's instructions, from its root down to `cwd`, within the limit that they share.
    fn project(&mut self, cwd: &Path, effective: &Effective) -> Option<String> {
        let limit = effective.project_doc_max_bytes;
        let mut left = limit;
        let mut texts = Vec::new();
        let files = if limit == 0 { Vec::new() } else { project_files(cwd, effective) };
        for path in files {
            // One byte more than allowed shows whether there is anything to be left out.
            let Some((mut bytes, total)) = self.read(&path, left as u64 + 1) else { continue };
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            if left == 0 {
                self.warnings.push(format!(
                    "Project instructions from `{}` on are left out: the {limit} bytes that project instructions may \
                     take are used up. Shorten them or raise `project_doc_max_bytes`.",
                    path.display(),
                ));
                break;
            }
            if bytes.len() > left {
                bytes.truncate(left);
                self.warnings.push(format!(
                    "Only {left} of {total} bytes of `{}` are used: project instructions may take {limit} bytes \
                     together. Shorten them or raise `project_doc_max_bytes`.",
                    path.display(),
                ));
            }
            left -= bytes.len();
            texts.push(String::from_utf8_lossy(&bytes).into_owned());
            self.sources.push(path);
        }
        (!texts.is_empty()).then(|| texts.join("\n\n"))
    }

    fn warn_of_size(&mut self, limit: usize) {
        let size = self.text.as_ref().map_or(0, String::len);
        if limit > 0 && size > limit {
            self.warnings.push(format!(
                "Instructions of the user and the project take {size} bytes together, more than the {limit} bytes of \
                 `project_doc_max_bytes`. That limit is for project files only."
            ));
        }
    }

    /// At most `limit` bytes of a file, and its size; nothing if there is no such file.
    fn read(&mut self, path: &Path, limit: u64) -> Option<(Vec<u8>, u64)> {
        match read_start(path, limit) {
            Ok(read) => Some(read),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::IsADirectory
                ) =>
            {
                None
            }
            Err(error) => {
                self.warnings
                    .push(format!("Instructions in `{}` cannot be read: {error}.", path.display()));
                None
            }
        }
    }
}

/// One file per folder, outermost first: the first name that exists, even if it turns out to be blank.
fn project_files(cwd: &Path, effective: &Effective) -> Vec<PathBuf> {
    let root = marked_root(cwd, &effective.project_root_markers);
    let root = root.as_deref().unwrap_or(cwd);
    let fallbacks = effective.project_doc_fallback_filenames.iter().map(String::as_str);
    let names: Vec<&str> =
        [OVERRIDE, USUAL].into_iter().chain(fallbacks).filter(|name| !name.is_empty()).collect();
    let folders = cwd.ancestors().take_while(|folder| folder.starts_with(root));
    let file =
        |folder: &Path| names.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let mut files: Vec<PathBuf> = folders.filter_map(file).collect();
    files.reverse();
    files
}

#[cfg(test)]
mod tests;
