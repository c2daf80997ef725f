//! The Codex home: `CODEX_HOME`, else `.codex` below the user's home.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use super::Error;

/// The home that this process works on, absolute and with symlinks resolved. Only the default one is created.
pub(crate) fn home() -> Result<PathBuf, Error> {
    resolve(env::var_os("CODEX_HOME"), env::home_dir())
}

fn resolve(set: Option<OsString>, user: Option<PathBuf>) -> Result<PathBuf, Error> {
    match set.filter(|value| !value.is_empty()) {
        Some(value) => existing(Path::new(&value)),
        None => {
            let user = user.filter(|path| !path.as_os_str().is_empty()).ok_or(Error::NoHome)?;
            default(&user.join(".codex"))
        }
    }
}

fn existing(path: &Path) -> Result<PathBuf, Error> {
    let shown = path.display().to_string();
    match fs::canonicalize(path) {
        Ok(found) if found.is_dir() => Ok(found),
        Ok(_) => Err(Error::HomeNotDirectory(shown)),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Err(Error::HomeMissing(shown)),
        Err(source) => Err(Error::HomeUnusable { path: shown, source }),
    }
}

fn default(path: &Path) -> Result<PathBuf, Error> {
    let made = fs::create_dir_all(path).and_then(|()| fs::canonicalize(path));
    made.map_err(|source| Error::HomeUnusable { path: path.display().to_string(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_home_has_to_be_a_directory() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        let file = root.join("file");
        fs::write(&file, "").unwrap();
        let missing = root.join("missing");
        let text = |path: &Path| resolve(Some(path.into()), None).unwrap_err().to_string();
        assert_eq!(
            text(&missing),
            format!("CODEX_HOME points to {missing:?}, but that path does not exist")
        );
        assert_eq!(
            text(&file),
            format!("CODEX_HOME points to {file:?}, but that path is not a directory")
        );
        assert_eq!(resolve(Some(root.clone().into()), None).unwrap(), root);
        assert!(!missing.exists());
    }

    #[test]
    fn the_default_is_created_and_an_empty_value_counts_as_unset() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        assert_eq!(
            resolve(Some(OsString::new()), Some(root.clone())).unwrap(),
            root.join(".codex")
        );
        assert!(root.join(".codex").is_dir());
        assert!(matches!(resolve(None, None), Err(Error::NoHome)));
    }

    #[test]
    fn a_symlink_is_its_target() {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        assert_eq!(resolve(Some(root.join("link").into()), None).unwrap(), root.join("real"));
    }
}
