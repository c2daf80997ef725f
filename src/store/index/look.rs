//! Noticing what has changed on disk, without looking at every file: a folder's time of change tells of files that
//! came and went, and only a thread that somebody has locked grows. As long as the folder of the locks has not
//! changed either, it is those that are locked now.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::row::{self, Entry};
use crate::store::compressed;
use crate::store::locate::{self, Found, Name};
use crate::store::lock;
use crate::store::names::{self, Extent};
use crate::store::summary::{self, Stamp, Summary};

/// A folder that changed this short a time ago may change again without its time of change telling.
const UNCERTAIN: Duration = Duration::from_secs(1);

/// How many files are read before they are stored: others that write the index are not kept waiting by our reading.
const BATCH: usize = 128;

/// Whether nobody has looked yet.
pub(super) fn is_new(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM folder)", [], |row| row.get(0))
}

/// Takes in whatever has changed.
pub(super) fn look(connection: &mut Connection, home: &Path) -> rusqlite::Result<()> {
    let mut look = Look::new(home);
    look.recall(connection)?;
    for (folder, archived) in [(locate::SESSIONS, false), (locate::ARCHIVE, true)] {
        look.folder(connection, &home.join(folder), None, 0, archived)?;
    }
    look.gone(connection)?;
    look.grown(connection)?;
    look.store(connection)?;
    take_names(connection, home)
}

/// Takes in what has changed of some threads; whether anything has.
pub(super) fn refresh(
    connection: &mut Connection,
    home: &Path,
    rows: &[Summary],
) -> rusqlite::Result<bool> {
    let mut look = Look::new(home);
    for row in rows {
        look.file(connection, &row.path)?;
    }
    let changed = !look.read.is_empty() || !look.removed.is_empty();
    look.store(connection)?;
    Ok(changed)
}

/// What a look has found.
struct Look<'a> {
    home: &'a Path,
    /// When each folder that is known had changed.
    known: HashMap<PathBuf, i64>,
    /// The known folders below each.
    below: HashMap<PathBuf, Vec<PathBuf>>,
    visited: HashSet<PathBuf>,
    /// Files to read.
    read: Vec<Found>,
    /// Files that are no more.
    removed: BTreeSet<PathBuf>,
    /// Folders to remember, with their parents and times.
    folders: Vec<(PathBuf, Option<PathBuf>, i64)>,
}

impl<'a> Look<'a> {
    fn new(home: &'a Path) -> Self {
        Self {
            home,
            known: HashMap::new(),
            below: HashMap::new(),
            visited: HashSet::new(),
            read: Vec::new(),
            removed: BTreeSet::new(),
            folders: Vec::new(),
        }
    }

    /// Recalls what earlier looks have seen of folders.
    fn recall(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let text = "SELECT path, parent, modified_ns FROM folder";
        let mut statement = connection.prepare_cached(text)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let path = PathBuf::from(row.get::<_, String>(0)?);
            if let Some(parent) = row.get::<_, Option<String>>(1)? {
                self.below.entry(PathBuf::from(parent)).or_default().push(path.clone());
            }
            self.known.insert(path, row.get(2)?);
        }
        Ok(())
    }

    /// Looks at a folder, and at what is below it.
    fn folder(
        &mut self,
        connection: &Connection,
        path: &Path,
        parent: Option<&Path>,
        depth: usize,
        archived: bool,
    ) -> rusqlite::Result<()> {
        let Some(modified_ns) = modified_ns(path) else { return Ok(()) };
        self.visited.insert(path.to_owned());
        let known = self.known.get(path).copied();
        let below: Vec<PathBuf> = if known == Some(modified_ns) {
            self.below.get(path).cloned().unwrap_or_default()
        } else {
            let certain = certain(modified_ns);
            let here = locate::folder(path, depth, archived);
            self.files(connection, path, here.files)?;
            if known != Some(certain) {
                self.folders.push((path.to_owned(), parent.map(Path::to_owned), certain));
            }
            here.folders
        };
        for folder in below {
            self.folder(connection, &folder, Some(path), depth + 1, archived)?;
        }
        Ok(())
    }

    /// Compares the files of a folder with those that are known.
    fn files(
        &mut self,
        connection: &Connection,
        folder: &Path,
        found: Vec<Found>,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached("SELECT path FROM file WHERE folder = ?")?;
        let rows = statement.query_map([folder.to_str()], |row| row.get::<_, String>(0))?;
        let mut known =
            rows.map(|row| row.map(PathBuf::from)).collect::<Result<HashSet<_>, _>>()?;
        let plain: HashSet<Name> =
            found.iter().filter(|file| !file.compressed).map(|file| file.name.clone()).collect();
        for file in found {
            // A plain file hides its compressed twin.
            let hidden = file.compressed && plain.contains(&file.name);
            if file.listed && !hidden && !known.remove(&file.path) {
                self.read.push(file);
            }
        }
        self.removed.extend(known);
        Ok(())
    }

    /// Forgets the folders that are no more.
    fn gone(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let locks = lock::folder(self.home);
        let gone = |path: &&PathBuf| !self.visited.contains(*path) && **path != locks;
        for path in self.known.keys().filter(gone) {
            let mut statement =
                connection.prepare_cached("SELECT path FROM file WHERE folder = ?")?;
            let rows = statement.query_map([path.to_str()], |row| row.get::<_, String>(0))?;
            for row in rows {
                self.removed.insert(PathBuf::from(row?));
            }
            self.folders.push((path.clone(), None, GONE));
        }
        Ok(())
    }

    /// Looks at the files that may have grown.
    fn grown(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let locks = lock::folder(self.home);
        let modified_ns = modified_ns(&locks).unwrap_or_default();
        let known = connection
            .query_row("SELECT modified_ns FROM folder WHERE path = ?", [locks.to_str()], |row| {
                row.get(0)
            })
            .optional()?;
        let unreadable = "SELECT path FROM file WHERE thread_id IS NULL";
        if known == Some(modified_ns) {
            self.check(connection, unreadable, [])?;
            for id in lock::held(self.home) {
                let of_thread = "SELECT path FROM file WHERE current = 1 AND thread_id = ?";
                self.check(connection, of_thread, [id])?;
            }
        } else {
            self.check(connection, "SELECT path FROM file WHERE current = 1", [])?;
            self.check(connection, unreadable, [])?;
            let certain = certain(modified_ns);
            if known != Some(certain) {
                self.folders.push((locks, None, certain));
            }
        }
        Ok(())
    }

    fn check<const N: usize>(
        &mut self,
        connection: &Connection,
        paths: &str,
        values: [String; N],
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(paths)?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(0))?;
        let paths = rows.collect::<rusqlite::Result<Vec<String>>>()?;
        paths.iter().try_for_each(|path| self.file(connection, Path::new(path)))
    }

    /// Compares a file with what is known of it.
    fn file(&mut self, connection: &Connection, path: &Path) -> rusqlite::Result<()> {
        let known = "SELECT modified_ms, len, archived FROM file WHERE path = ?";
        let known = connection.prepare_cached(known)?.query_row([path.to_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, bool>(2)?))
        });
        let Some((modified_ms, len, archived)) = known.optional()? else { return Ok(()) };
        let name = path.file_name().and_then(|name| Name::parse(name.to_str()?));
        match (Stamp::of(path), name) {
            (Some(stamp), _)
                if stamp.modified_ms == modified_ms && i64::try_from(stamp.len) == Ok(len) => {}
            (Some(_), Some(name)) => {
                let compressed = compressed::is_compressed(path);
                self.read.push(Found {
                    path: path.to_owned(),
                    name,
                    archived,
                    listed: true,
                    compressed,
                });
            }
            (None, _) | (_, None) => drop(self.removed.insert(path.to_owned())),
        }
        Ok(())
    }

    /// Reads what is to be read and stores all that has been found.
    fn store(self, connection: &mut Connection) -> rusqlite::Result<()> {
        for batch in self.read.chunks(BATCH) {
            let read = |found: &Found| {
                let stamp = Stamp::of(&found.path)?;
                let summary = summary::read(self.home, &found.path, stamp).ok();
                Some(Entry { found: found.clone(), stamp, summary })
            };
            let entries: Vec<Entry> = batch.iter().filter_map(read).collect();
            let transaction = begin(connection)?;
            for entry in &entries {
                row::store(&transaction, entry)?;
                if let Some(summary) = &entry.summary {
                    row::mark_current(&transaction, summary.id.as_str())?;
                }
            }
            transaction.commit()?;
        }
        if self.removed.is_empty() && self.folders.is_empty() {
            return Ok(());
        }
        let transaction = begin(connection)?;
        for path in &self.removed {
            remove(&transaction, path)?;
        }
        // Last, so that what was found in a folder is not lost when this is cut short.
        for (path, parent, modified_ns) in &self.folders {
            if *modified_ns == GONE {
                transaction.execute("DELETE FROM folder WHERE path = ?", [path.to_str()])?;
            } else {
                let parent = parent.as_deref().and_then(Path::to_str);
                let insert =
                    "INSERT OR REPLACE INTO folder (path, parent, modified_ns) VALUES (?, ?, ?)";
                transaction.execute(insert, params![path.to_str(), parent, modified_ns])?;
            }
        }
        transaction.commit()
    }
}

/// In the place of a folder's time of change: it is no more.
const GONE: i64 = -1;

fn remove(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    let thread = "SELECT thread_id FROM file WHERE path = ?";
    let thread: Option<Option<String>> =
        connection.query_row(thread, [path.to_str()], |row| row.get(0)).optional()?;
    connection.execute("DELETE FROM file WHERE path = ?", [path.to_str()])?;
    thread.flatten().map_or(Ok(()), |thread| row::mark_current(connection, &thread))
}

fn begin(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

fn modified_ns(folder: &Path) -> Option<i64> {
    let modified = fs::metadata(folder).ok()?.modified().ok()?;
    i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}

/// A folder's time of change, if nothing can happen any more that it would not tell; else 0.
fn certain(modified_ns: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX) - modified_ns;
    if u128::try_from(age).is_ok_and(|age| age > UNCERTAIN.as_nanos()) { modified_ns } else { 0 }
}

/// Takes in the names that threads have been given.
fn take_names(connection: &mut Connection, home: &Path) -> rusqlite::Result<()> {
    let known = connection.query_row("SELECT inode, offset FROM names_read", [], |row| {
        Ok(Extent { inode: row.get(0)?, offset: row.get(1)? })
    });
    let known = known.optional()?.unwrap_or_default();
    // Names that cannot be read are no reason to refuse a list.
    let Ok(news) = names::news(&names::path(home), known) else { return Ok(()) };
    if news.read == known && !news.anew {
        return Ok(());
    }
    let transaction = begin(connection)?;
    if news.anew {
        transaction.execute("DELETE FROM name", [])?;
    }
    for row in &news.rows {
        let insert = "INSERT OR REPLACE INTO name (thread_id, name) VALUES (?, ?)";
        transaction.prepare_cached(insert)?.execute([&row.id, &row.thread_name])?;
    }
    transaction.execute("DELETE FROM names_read", [])?;
    let insert = "INSERT INTO names_read (inode, offset) VALUES (?, ?)";
    transaction.execute(insert, params![news.read.inode, news.read.offset])?;
    transaction.commit()
}
