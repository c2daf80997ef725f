//! What clients do with files: read, write, list, copy, remove.
//!
//! Everything here blocks. Nothing is confined: clients have the rights of the server.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// The longest file that is read.
const LONGEST: u64 = 512 * 1024 * 1024;

/// Why a file could not be worked with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("path `{}` is not a file", .0.display())]
    NotAFile(PathBuf),
    #[error("file is too large to read: limit is {LONGEST} bytes")]
    TooLarge,
    #[error("fs/copy requires recursive: true when sourcePath is a directory")]
    NotRecursive,
    #[error("fs/copy cannot copy a directory to itself or one of its descendants")]
    IntoItself,
    #[error("fs/copy only supports regular files, directories, and symlinks")]
    NotCopyable,
    /// The system's refusal, in its words.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Whether a folder stands for all that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Shallow,
    Deep,
}

/// A regular file's content.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    // A pipe that nobody writes to must not hold up whoever opens it.
    let file = options().read(true).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Error::NotAFile(path.to_owned()));
    }
    if metadata.len() > LONGEST {
        return Err(Error::TooLarge);
    }
    // A file can grow while it is read, and those of `/proc` do not tell their length.
    let mut data = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut data)?;
    if data.len() as u64 > LONGEST { Err(Error::TooLarge) } else { Ok(data) }
}

/// Makes `data` all that a file holds.
pub(crate) fn write(path: &Path, data: &[u8]) -> io::Result<()> {
    options().write(true).create(true).truncate(true).open(path)?.write_all(data)
}

fn options() -> OpenOptions {
    let mut options = File::options();
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    options
}

/// Removes a file, a link or a folder.
pub(crate) fn remove(path: &Path, depth: Depth) -> io::Result<()> {
    match (fs::symlink_metadata(path)?.is_dir(), depth) {
        (false, _) => fs::remove_file(path),
        (true, Depth::Shallow) => fs::remove_dir(path),
        (true, Depth::Deep) => fs::remove_dir_all(path),
    }
}

/// Copies a file with its mode, a link as a link, a folder with the files, links and folders in it.
pub(crate) fn copy(source: &Path, target: &Path, depth: Depth) -> Result<(), Error> {
    let kind = fs::symlink_metadata(source)?.file_type();
    if kind.is_symlink() {
        symlink(fs::read_link(source)?, target)?;
    } else if kind.is_file() {
        copy_file(source, target)?;
    } else if kind.is_dir() {
        if depth == Depth::Shallow {
            return Err(Error::NotRecursive);
        }
        if resolved(target)?.starts_with(fs::canonicalize(source)?) {
            return Err(Error::IntoItself);
        }
        copy_folder(source, target)?;
    } else {
        return Err(Error::NotCopyable);
    }
    Ok(())
}

/// Writing a file over itself would first empty it.
fn copy_file(source: &Path, target: &Path) -> io::Result<()> {
    let (from, to) = (fs::metadata(source)?, fs::metadata(target));
    if to.is_ok_and(|to| (to.dev(), to.ino()) == (from.dev(), from.ino())) {
        return Ok(());
    }
    fs::copy(source, target).map(|_length| ())
}

fn copy_folder(source: &Path, target: &Path) -> io::Result<()> {
    let mut folders = vec![(source.to_owned(), target.to_owned())];
    while let Some((source, target)) = folders.pop() {
        fs::create_dir(&target)?;
        for entry in fs::read_dir(&source)? {
            let entry = entry?;
            let (kind, from) = (entry.file_type()?, entry.path());
            let to = target.join(entry.file_name());
            if kind.is_dir() {
                folders.push((from, to));
            } else if kind.is_symlink() {
                symlink(fs::read_link(&from)?, &to)?;
            } else if kind.is_file() {
                copy_file(&from, &to)?;
            }
        }
    }
    Ok(())
}

/// Where a path that may not exist yet leads, links resolved.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    for above in path.ancestors() {
        match fs::canonicalize(above) {
            Ok(found) => {
                let rest = path.strip_prefix(above).unwrap_or(Path::new(""));
                return Ok(found.join(rest));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(path.to_owned())
}
