//! Reading files that anybody may have put in our way: within bounds, and never waiting for the other end of a pipe.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// The text of a regular file that holds at most `most` bytes. Other files are refused, and never read whole.
pub(crate) fn read_text(path: &Path, most: u64) -> io::Result<String> {
    // Opening a pipe could have us wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    match text.len() as u64 > most {
        true => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} KiB", most / 1024),
        )),
        false => Ok(text),
    }
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
