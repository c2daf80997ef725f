//! Files that only the user may read: replaced as a whole, and changed by one process at a time.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often a lock that somebody holds is tried.
const PAUSE: Duration = Duration::from_millis(20);

/// The mode of a file that is nobody else's.
pub(crate) const PRIVATE: u32 = 0o600;

/// What a file holds; none if there is no such file. One that is larger than `limit` is an error.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(Some(bytes))
}

/// Makes `bytes` all that a file holds; a reader sees the old content or the new one, and so does a machine that
/// loses its power.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_file_name(format!(".{name}.{}.{count}.tmp", process::id()));
    let new = OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(&temporary);
    let written = new.and_then(|mut file| {
        file.write_all(bytes)?;
        file.set_permissions(Permissions::from_mode(mode))?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&temporary, path));
    if renamed.is_err() {
        // The first error is the one to tell; the rest of the temporary file is only litter.
        drop(fs::remove_file(&temporary));
    }
    renamed
}

/// Removes a file; `false` if there is none.
pub(crate) fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The right to change what a lock file stands for. It ends with this value, and with the process at the latest.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "it is held, not used")] File);

/// Waits for a lock that other processes may hold. Blocks nothing, and may be given up at any time.
pub(crate) async fn lock(path: &Path, patience: Duration) -> io::Result<Lock> {
    let deadline = Instant::now() + patience;
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(PRIVATE)
        .open(path)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(TryLockError::WouldBlock) => sleep(PAUSE).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_stays_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.json");
        assert_eq!(read(&path, 10).unwrap(), None);
        for text in ["one", "two"] {
            replace(&path, text.as_bytes(), PRIVATE).unwrap();
            assert_eq!(read(&path, 3).unwrap().unwrap(), text.as_bytes());
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(read(&path, 2).is_err(), "it is too large");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
        assert!(remove(&path).unwrap() && !remove(&path).unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let patience = Duration::from_secs(1);
        let first = lock(&path, patience).await.unwrap();
        let refused = lock(&path, patience).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
        let (second, ()) = tokio::join!(lock(&path, patience), async { drop(first) });
        second.unwrap();
    }
}
