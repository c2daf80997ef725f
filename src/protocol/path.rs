//! Paths on the wire.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::util::path::normalize;

/// Names a file or directory by its absolute path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(schemars::JsonSchema, ts_rs::TS), ts(as = "String"))]
pub(crate) struct AbsolutePathBuf(#[cfg_attr(test, schemars(with = "String"))] PathBuf);

impl AbsolutePathBuf {
    pub(crate) fn as_path(&self) -> &Path {
        &self.0
    }
}

impl From<PathBuf> for AbsolutePathBuf {
    fn from(path: PathBuf) -> Self {
        Self(path)
    }
}

impl From<&Path> for AbsolutePathBuf {
    fn from(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl AsRef<Path> for AbsolutePathBuf {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

/// JSON has no bytes: what is not Unicode is replaced rather than losing the message around it.
impl Serialize for AbsolutePathBuf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.display())
    }
}

impl<'de> Deserialize<'de> for AbsolutePathBuf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = PathBuf::deserialize(deserializer)?;
        if path.is_absolute() {
            Ok(Self(normalize(&path)))
        } else {
            Err(D::Error::custom("AbsolutePathBuf deserialized without a base path"))
        }
    }
}

/// Names a file or directory by a `file:` URI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(schemars::JsonSchema, ts_rs::TS))]
pub(crate) struct PathUri(pub(crate) String);

/// Names a file or directory in the spelling of the system that it is on; clients should not assume their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(test, derive(schemars::JsonSchema, ts_rs::TS))]
pub(crate) struct LegacyAppPathString(String);

impl LegacyAppPathString {
    pub(crate) fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl fmt::Display for LegacyAppPathString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for LegacyAppPathString {
    fn from(path: String) -> Self {
        Self(path)
    }
}

impl From<&Path> for LegacyAppPathString {
    fn from(path: &Path) -> Self {
        Self(path.to_string_lossy().into_owned())
    }
}

impl From<&AbsolutePathBuf> for LegacyAppPathString {
    fn from(path: &AbsolutePathBuf) -> Self {
        path.as_path().into()
    }
}
