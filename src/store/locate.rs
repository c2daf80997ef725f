//! Where rollouts are: their names, and the folders that hold them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::compressed;
use crate::protocol::ThreadId;
use crate::util;

pub(crate) const SESSIONS: &str = "sessions";
pub(crate) const ARCHIVE: &str = "archived_sessions";

/// A rollout file by its place and name; nobody has looked inside yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) name: Name,
    pub(crate) archived: bool,
    /// Lists show only what is in a folder of a day (or archived).
    pub(crate) listed: bool,
    /// A zstd file (`.jsonl.zst`).
    pub(crate) compressed: bool,
}

/// `rollout-2026-11-21T09-04-07-<id>[_<segment>].jsonl`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    /// `2026-11-21T09-04-07`, local time; its order is that of time.
    pub(crate) time: String,
    pub(crate) segment: Option<String>,
    pub(crate) id: String,
}

impl Name {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        const TIME: usize = "2026-11-21T09-04-07".len();
        let rest = name.strip_prefix("rollout-")?;
        let rest = rest.strip_suffix(".zst").unwrap_or(rest).strip_suffix(".jsonl")?;
        let (time, rest) = (rest.get(..TIME)?, rest.get(TIME..)?.strip_prefix('-')?);
        let (id, segment) = match rest.split_once('_') {
            Some((id, segment)) => (id, Some(segment.to_owned())),
            None => (rest, None),
        };
        Some(Self { time: time.to_owned(), segment, id: id.to_owned() })
    }

    /// The id by which other files refer to this one.
    pub(crate) fn file_id(&self) -> &str {
        self.segment.as_deref().unwrap_or(&self.id)
    }
}

/// Where the first file of a thread that is made at `ms` belongs, relative to the home.
pub(crate) fn new_path(id: &ThreadId, ms: i64) -> PathBuf {
    path_of(&Name { time: local_time(ms), segment: None, id: id.to_string() })
}

/// Where the file belongs, relative to the home, in which a thread goes on after `current`.
pub(crate) fn further_path(id: &ThreadId, current: &Path, ms: i64) -> PathBuf {
    // The newest file of a thread is told by its name, also after a clock was set back.
    let current = current.file_name().and_then(|name| Name::parse(name.to_str()?));
    let time = current.map_or_else(String::new, |name| name.time).max(local_time(ms));
    path_of(&Name { time, segment: Some(Uuid::now_v7().to_string()), id: id.to_string() })
}

fn local_time(ms: i64) -> String {
    util::time::local(ms).format("%Y-%m-%dT%H-%M-%S").to_string()
}

fn path_of(name: &Name) -> PathBuf {
    let Name { time, segment, id } = name;
    let segment = segment.as_ref().map_or_else(String::new, |segment| format!("_{segment}"));
    day(time).join(format!("rollout-{time}-{id}{segment}.jsonl"))
}

/// The folder of the files that were begun then.
fn day(time: &str) -> PathBuf {
    let mut folder = PathBuf::from(SESSIONS);
    folder.extend(time.split('T').next().unwrap_or_default().split('-'));
    folder
}

/// Where a file of this name belongs when it is not archived, relative to the home.
pub(crate) fn session_path(path: &Path) -> Option<PathBuf> {
    let file = path.file_name()?;
    let name = Name::parse(file.to_str()?)?;
    Some(day(&name.time).join(file))
}

/// Every rollout of the home, in no order.
pub(crate) fn all(home: &Path) -> Vec<Found> {
    let mut found = sessions(home);
    found.append(&mut archive(home));
    found
}

/// Every rollout that is not archived.
pub(crate) fn sessions(home: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    walk(&home.join(SESSIONS), 0, false, &mut found);
    found
}

/// Every archived rollout.
pub(crate) fn archive(home: &Path) -> Vec<Found> {
    let mut found = Vec::new();
    walk(&home.join(ARCHIVE), 0, true, &mut found);
    found
}

/// How deep the folders of days are.
const DAYS: usize = 3;

/// What stands in one folder.
#[derive(Debug, Default)]
pub(crate) struct Folder {
    pub(crate) files: Vec<Found>,
    /// The folders that may hold rollouts of their own.
    pub(crate) folders: Vec<PathBuf>,
}

/// Reads one folder, at `depth` below the one that holds all sessions or the archive.
pub(crate) fn folder(path: &Path, depth: usize, archived: bool) -> Folder {
    let mut found = Folder::default();
    let Ok(entries) = fs::read_dir(path) else { return found };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let parsed = name.to_str().and_then(Name::parse);
        if let Some(parsed) = parsed {
            let compressed = compressed::is_compressed(Path::new(&name));
            let listed = archived || depth == DAYS;
            let path = entry.path();
            found.files.push(Found { path, name: parsed, archived, listed, compressed });
        } else if depth < DAYS && !archived && !name.as_encoded_bytes().contains(&b'.') {
            found.folders.push(entry.path());
        }
    }
    found
}

fn walk(path: &Path, depth: usize, archived: bool, found: &mut Vec<Found>) {
    let mut here = folder(path, depth, archived);
    found.append(&mut here.files);
    for path in here.folders {
        walk(&path, depth + 1, archived, found);
    }
}

/// The files of one thread, oldest first; a plain file hides its compressed twin.
pub(crate) fn of_thread(found: Vec<Found>, id: &ThreadId) -> Vec<Found> {
    let mut files: Vec<Found> =
        found.into_iter().filter(|file| file.name.id == id.as_str()).collect();
    files.sort_by(|a, b| (&a.name, a.compressed).cmp(&(&b.name, b.compressed)));
    files.dedup_by(|later, earlier| {
        later.name == earlier.name && later.archived == earlier.archived
    });
    files
}

/// The file that others call by this id; a plain one goes before a compressed one.
pub(crate) fn segment<'a>(files: &'a [Found], file_id: &str) -> Option<&'a Found> {
    files.iter().filter(|file| file.name.file_id() == file_id).min_by_key(|file| file.compressed)
}
