//! Reading files that anybody may have put in our way: within bounds, and never waiting for the other end of a pipe.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// The text of a regular file that holds at most `most` bytes. Other files are refused, and never read whole.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.take(most + 1).read_to_string(&mut text)?;
    match text.len() as u64 > most {
        true => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} KiB", most / 1024),
        )),
        false => Ok(text),
    }
}

/// The first `most` bytes of a regular file, and the size of the whole.
pub(crate) fn read_start(path: &Path, most: u64) -> io::Result<(Vec<u8>, u64)> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(most).read_to_end(&mut bytes)?;
    Ok((bytes, size))
}

fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe could have us wait for ever.
    let kind = match fs::metadata(path)? {
        found if found.is_file() => return File::open(path),
        found if found.is_dir() => io::ErrorKind::IsADirectory,
        _ => io::ErrorKind::InvalidInput,
    };
    Err(io::Error::new(kind, "it is not a regular file"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::read_text;

    #[test]
    fn files_are_read_within_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text");
        fs::write(&path, "x".repeat(2048)).unwrap();
        assert_eq!(read_text(&path, 2048).unwrap().len(), 2048);
        fs::write(&path, "x".repeat(2049)).unwrap();
        assert_eq!(read_text(&path, 2048).unwrap_err().to_string(), "it is larger than 2 KiB");
        assert_eq!(
            read_text(folder.path(), 2048).unwrap_err().to_string(),
            "it is not a regular file"
        );
    }
}
