//! Patches against files: verified first, without touching anything, then written hunk by hunk.
//!
//! Between the two a person may have been asked, so a file that changed meanwhile is located again before it is
//! written. Symbolic links are written through; deleting one deletes the link.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::locate::{self, Missing};
use super::unified::unified;
use super::{Chunk, Error, Hunk, Patch};
use crate::protocol::{FileUpdateChange, PatchChangeKind};
use crate::util::path::{absolute, normalize};

/// Unchanged lines around each change of an update, as clients see it.
const CONTEXT: u32 = 1;

/// A verified patch: nothing has been written yet.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    steps: Vec<Step>,
}

/// One hunk against its file.
#[derive(Debug, Clone)]
struct Step {
    /// The path that the summary names, as the patch spells it.
    spelled: String,
    target: Target,
    action: Action,
}

/// Where a hunk is at work: absolute paths.
#[derive(Debug, Clone)]
struct Target {
    path: PathBuf,
    move_to: Option<PathBuf>,
    deletes: bool,
}

#[derive(Debug, Clone)]
enum Action {
    Add { content: String },
    Delete { content: String },
    Update { old: String, new: String, chunks: Vec<Chunk> },
}

/// What an applied patch did.
#[derive(Debug)]
pub(crate) struct Applied {
    /// What the model is told.
    pub(crate) summary: String,
    pub(crate) edits: Vec<Edit>,
}

/// A patch that could not be written to its end.
#[derive(Debug)]
pub(crate) struct ApplyFailed {
    pub(crate) error: Error,
    /// What had been written before; it stays.
    pub(crate) edits: Vec<Edit>,
}

/// One file written or removed. A move is the edit of its destination, then that of its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) path: PathBuf,
    /// For the destination of a move: its source.
    pub(crate) from: Option<PathBuf>,
    pub(crate) before: Option<Snapshot>,
    pub(crate) after: Option<Snapshot>,
}

/// A file as git would record it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// The content; for a symbolic link its target.
    pub(crate) bytes: Vec<u8>,
    /// Git's octal mode.
    pub(crate) mode: &'static str,
}

impl Plan {
    /// Checks every hunk of a patch against the files below `cwd`.
    pub(crate) fn verify(patch: &Patch, cwd: &Path) -> Result<Self, Error> {
        if patch.hunks.is_empty() {
            return Err(Error::Empty);
        }
        let targets: Vec<_> = patch.hunks.iter().map(|hunk| Target::new(hunk, cwd)).collect();
        check_collisions(&targets)?;
        let steps =
            patch.hunks.iter().zip(targets).map(|(hunk, target)| Step::verify(hunk, target));
        Ok(Self { steps: steps.collect::<Result<_, _>>()? })
    }

    /// The changes as clients see them, sorted by path.
    pub(crate) fn changes(&self) -> Vec<FileUpdateChange> {
        let mut changes: Vec<_> = self.steps.iter().map(Step::change).collect();
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        changes
    }

    /// Every absolute path that is written or removed, as named: symbolic links are not resolved.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.steps
            .iter()
            .flat_map(|step| [Some(&step.target.path), step.target.leaves_for()])
            .flatten()
            .cloned()
            .collect()
    }

    /// Writes the files, in the order of the patch, and stops at the first that cannot be written.
    pub(crate) fn apply(&self) -> Result<Applied, ApplyFailed> {
        let mut edits = Vec::new();
        for step in &self.steps {
            if let Err(error) = step.apply(&mut edits) {
                return Err(ApplyFailed { error, edits });
            }
        }
        Ok(Applied { summary: self.summary(), edits })
    }

    fn summary(&self) -> String {
        let mut summary = "Success. Updated the following files:\n".to_owned();
        for letter in ['A', 'M', 'D'] {
            for step in self.steps.iter().filter(|step| step.letter() == letter) {
                summary.extend([&letter.to_string(), " ", &step.spelled, "\n"]);
            }
        }
        summary
    }
}

impl Target {
    fn new(hunk: &Hunk, cwd: &Path) -> Self {
        let locate = |path: &str| absolute(cwd, Path::new(path));
        let (move_to, deletes) = match hunk {
            Hunk::Add { .. } => (None, false),
            Hunk::Delete { .. } => (None, true),
            Hunk::Update { move_to, .. } => (move_to.as_deref().map(locate), false),
        };
        Self { path: locate(hunk.path()), move_to, deletes }
    }

    /// The other path to which the file moves. A file that is moved onto itself is just edited.
    fn leaves_for(&self) -> Option<&PathBuf> {
        self.move_to.as_ref().filter(|to| **to != self.path)
    }

    /// Whether nothing is left at the path afterwards.
    fn vacated(&self) -> bool {
        self.deletes || self.leaves_for().is_some()
    }
}

impl Step {
    fn verify(hunk: &Hunk, target: Target) -> Result<Self, Error> {
        let mut spelled = hunk.path().to_owned();
        let action = match hunk {
            Hunk::Add { content, .. } => Action::Add { content: content.clone() },
            Hunk::Delete { .. } => Action::Delete { content: read(&target.path)? },
            Hunk::Update { move_to, chunks, .. } => {
                let old = read(&target.path)?;
                let new = rewrite(&old, chunks, &target.path)?;
                spelled = move_to.clone().unwrap_or(spelled);
                Action::Update { old, new, chunks: chunks.clone() }
            }
        };
        Ok(Self { spelled, target, action })
    }

    fn letter(&self) -> char {
        match self.action {
            Action::Add { .. } => 'A',
            Action::Update { .. } => 'M',
            Action::Delete { .. } => 'D',
        }
    }

    fn change(&self) -> FileUpdateChange {
        let (kind, diff) = match &self.action {
            Action::Add { content } => (PatchChangeKind::Add, content.clone()),
            Action::Delete { content } => (PatchChangeKind::Delete, content.clone()),
            Action::Update { old, new, .. } => {
                let mut diff = unified(old, new, CONTEXT);
                let move_path =
                    self.target.move_to.as_ref().map(|to| to.to_string_lossy().into_owned());
                if let Some(to) = &move_path {
                    diff.push_str(&format!("\n\nMoved to: {to}"));
                }
                (PatchChangeKind::Update { move_path }, diff)
            }
        };
        FileUpdateChange { path: self.target.path.to_string_lossy().into_owned(), kind, diff }
    }

    fn apply(&self, edits: &mut Vec<Edit>) -> Result<(), Error> {
        let path = &self.target.path;
        match &self.action {
            Action::Add { content } => edits.push(write(path, content)?),
            Action::Delete { .. } => edits.push(remove(path)?),
            Action::Update { old, new, chunks } => {
                let now = read(path)?;
                if now == *old {
                    self.write_update(new, edits)?;
                } else {
                    self.write_update(&rewrite(&now, chunks, path)?, edits)?;
                }
            }
        }
        Ok(())
    }

    fn write_update(&self, new: &str, edits: &mut Vec<Edit>) -> Result<(), Error> {
        let path = &self.target.path;
        let Some(to) = self.target.leaves_for() else {
            edits.push(write(path, new)?);
            return Ok(());
        };
        let mut written = write(to, new)?;
        if let (None, Ok(metadata)) = (&written.before, fs::metadata(path))
            && fs::set_permissions(to, metadata.permissions()).is_ok()
        {
            written.after = snapshot(to);
        }
        // A link is not what was moved: its content came from elsewhere.
        let from = fs::read_link(path).is_err().then(|| path.clone());
        edits.push(Edit { from, ..written });
        edits.push(remove(path)?);
        Ok(())
    }
}

/// Refuses patches whose outcome would depend on the order of hunks about one path: each path has one hunk, and what
/// is moved may only go where an earlier hunk made room, or where no other hunk is at work.
fn check_collisions(targets: &[Target]) -> Result<(), Error> {
    let several = |path: &Path| {
        let path = path.display();
        Err(Error::Malformed(format!(
            "several operations on {path}: say everything about a file in one hunk"
        )))
    };
    let mut subjects = HashMap::new();
    for (at, target) in targets.iter().enumerate() {
        if subjects.insert(&target.path, at).is_some() {
            return several(&target.path);
        }
    }
    let mut destinations = HashSet::new();
    for (at, target) in targets.iter().enumerate() {
        let Some(to) = target.leaves_for() else { continue };
        let free = subjects.get(to).is_none_or(|&other| other < at && targets[other].vacated());
        if !free || !destinations.insert(to) {
            return several(to);
        }
    }
    Ok(())
}

fn rewrite(old: &str, chunks: &[Chunk], path: &Path) -> Result<String, Error> {
    locate::rewrite(old, chunks).map_err(|missing| match missing {
        Missing::Context(context) => Error::Context { context, path: path.to_owned() },
        Missing::Lines(lines) => Error::Lines { lines, path: path.to_owned() },
    })
}

fn read(path: &Path) -> Result<String, Error> {
    let failed = |reason: String| Error::Read { path: path.to_owned(), reason };
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(failed("it is not a file".to_owned()));
    }
    let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes)
        .map_err(|error| failed(format!("the file is not UTF-8 text ({})", error.utf8_error())))
}

/// Writes a file and the folders above it.
fn write(path: &Path, content: &str) -> Result<Edit, Error> {
    let real = resolve(path);
    let before = snapshot(&real);
    let written =
        real.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(path, content));
    written.map_err(|error| unwritten(path, &error))?;
    let mode = before.as_ref().map_or("100644", |before| before.mode);
    let after = Some(Snapshot { bytes: content.as_bytes().to_vec(), mode });
    Ok(Edit { path: real, from: None, before, after })
}

fn remove(path: &Path) -> Result<Edit, Error> {
    let before = snapshot(path);
    fs::remove_file(path).map_err(|error| unwritten(path, &error))?;
    Ok(Edit { path: path.to_owned(), from: None, before, after: None })
}

fn unwritten(path: &Path, error: &io::Error) -> Error {
    Error::Write { path: path.to_owned(), reason: error.to_string() }
}

/// Where writing to a path really writes. A chain of links that is too long for this is one that writing refuses too.
fn resolve(path: &Path) -> PathBuf {
    const LINKS: usize = 40;
    let mut real = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = fs::read_link(&real) else { return real };
        real = normalize(&real.parent().unwrap_or(Path::new("/")).join(target));
    }
    path.to_owned()
}

/// What stands at a path itself; nothing for folders and for what cannot be read.
fn snapshot(path: &Path) -> Option<Snapshot> {
    let metadata = fs::symlink_metadata(path).ok()?;
    if metadata.is_symlink() {
        let target = fs::read_link(path).ok()?;
        return Some(Snapshot {
            bytes: target.into_os_string().into_encoded_bytes(),
            mode: "120000",
        });
    }
    let bytes = metadata.is_file().then(|| fs::read(path).ok()).flatten()?;
    Some(Snapshot { bytes, mode: if executable(&metadata) { "100755" } else { "100644" } })
}

#[cfg(unix)]
fn executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn executable(_: &fs::Metadata) -> bool {
    false
}
