//! Lexical path arithmetic: nothing here touches the file system.

use std::path::{Component, Path, PathBuf};

/// The path without `.` and with `..` resolved by name alone; what a leading `..` would leave is dropped.
pub(crate) fn normalize(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(component),
        }
    }
    out
}

/// `path` made absolute against `base` and normalized.
pub(crate) fn absolute(base: &Path, path: &Path) -> PathBuf {
    normalize(&base.join(path))
}
