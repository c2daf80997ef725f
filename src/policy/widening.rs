//! What commands may do beyond their sandbox: asked for by a model, granted by its user.

use std::collections::BTreeSet;
use std::path::{Component, PathBuf};

use crate::protocol::{
    AdditionalFileSystemPermissions, AdditionalNetworkPermissions, FileSystemAccessMode,
    FileSystemPath, FileSystemSandboxEntry, LegacyAppPathString,
};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Widening {
    /// Absolute, like all paths here.
    pub(crate) read: BTreeSet<PathBuf>,
    pub(crate) write: BTreeSet<PathBuf>,
    pub(crate) network: bool,
}

impl Widening {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.read.extend(other.read);
        self.write.extend(other.write);
        self.network |= other.network;
    }

    /// What of `self` does not go beyond `asked`.
    pub(crate) fn within(self, asked: &Self) -> Self {
        let keep = |granted: BTreeSet<PathBuf>, asked: &BTreeSet<PathBuf>| {
            let is_asked = |path: &PathBuf| asked.iter().any(|asked| path.starts_with(asked));
            granted.into_iter().filter(is_asked).collect()
        };
        Self {
            read: keep(self.read, &asked.read),
            write: keep(self.write, &asked.write),
            network: self.network && asked.network,
        }
    }

    /// What clients grant. Patterns and places without a path are not understood, and so not granted; nor are paths
    /// that climb, which could lead out of what was asked for.
    pub(crate) fn granted(
        network: Option<&AdditionalNetworkPermissions>,
        files: Option<&AdditionalFileSystemPermissions>,
    ) -> Self {
        let network = network.and_then(|network| network.enabled) == Some(true);
        let mut widening = Self { network, ..Self::default() };
        let Some(files) = files else { return widening };
        let own = |path: &LegacyAppPathString| path.as_path().to_owned();
        widening.read.extend(files.read.iter().flatten().map(own));
        widening.write.extend(files.write.iter().flatten().map(own));
        for entry in files.entries.iter().flatten() {
            let FileSystemPath::Path { path } = &entry.path else { continue };
            match entry.access {
                FileSystemAccessMode::Read => widening.read.insert(own(path)),
                FileSystemAccessMode::Write => widening.write.insert(own(path)),
                FileSystemAccessMode::Deny => false,
            };
        }
        let stays = |path: &PathBuf| !path.components().any(|part| part == Component::ParentDir);
        widening.read.retain(stays);
        widening.write.retain(stays);
        widening
    }

    /// The network, as clients see it.
    pub(crate) fn wire_network(&self) -> Option<AdditionalNetworkPermissions> {
        self.network.then_some(AdditionalNetworkPermissions { enabled: Some(true) })
    }

    /// The files, as clients see them.
    pub(crate) fn wire_files(&self) -> Option<AdditionalFileSystemPermissions> {
        let list = |paths: &BTreeSet<PathBuf>| {
            let paths: Vec<_> = paths.iter().map(|path| path.as_path().into()).collect();
            (!paths.is_empty()).then_some(paths)
        };
        let all =
            [(&self.read, FileSystemAccessMode::Read), (&self.write, FileSystemAccessMode::Write)];
        let entries: Vec<_> = all
            .into_iter()
            .flat_map(|(paths, access)| paths.iter().map(move |path| (path, access)))
            .map(|(path, access)| FileSystemSandboxEntry {
                path: FileSystemPath::Path { path: path.as_path().into() },
                access,
            })
            .collect();
        (!entries.is_empty()).then(|| AdditionalFileSystemPermissions {
            read: list(&self.read),
            write: list(&self.write),
            glob_scan_max_depth: None,
            entries: Some(entries),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(read: &[&str], write: &[&str], network: bool) -> Widening {
        let set = |paths: &[&str]| paths.iter().map(PathBuf::from).collect();
        Widening { read: set(read), write: set(write), network }
    }

    #[test]
    fn a_grant_stays_within_the_question() {
        let asked = of(&["/r"], &["/data", "/x"], true);
        for (granted, kept) in [
            (of(&[], &["/data"], false), of(&[], &["/data"], false)),
            (of(&[], &["/data/sub", "/"], true), of(&[], &["/data/sub"], true)),
            (of(&["/data"], &["/r", "/database"], false), Widening::default()),
        ] {
            assert_eq!(granted.within(&asked), kept);
        }
        let asked_less = of(&[], &["/data"], false);
        assert!(!of(&[], &["/data"], true).within(&asked_less).network);
    }

    #[test]
    fn clients_get_what_they_may_give_back() {
        let back = |given: &Widening| {
            Widening::granted(given.wire_network().as_ref(), given.wire_files().as_ref())
        };
        let widening = of(&["/r"], &["/data"], true);
        assert_eq!(back(&widening), widening);
        let nothing = Widening::default();
        assert_eq!((nothing.wire_network(), nothing.wire_files()), (None, None));
        assert!(back(&of(&[], &["/data/../etc"], false)).is_empty());
    }
}
