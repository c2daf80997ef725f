//! What the patches of a turn changed since it began, as one diff in git's form. Edits by commands are not known here.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use sha1::{Digest as _, Sha1};

use crate::patch::{Edit, Snapshot, unified};
use crate::util::hex::hex;

/// Git's number of unchanged lines around a change.
const CONTEXT: u32 = 3;
/// The blob id that git prints for a file that is not there.
const NO_BLOB: &str = "0000000000000000000000000000000000000000";

/// The files that were edited in a turn, each as it was at first and as it is now.
#[derive(Debug)]
pub(crate) struct TurnDiff {
    /// What paths are shown relative to.
    root: PathBuf,
    files: BTreeMap<PathBuf, Tracked>,
    /// The parts of the files that have not been edited since they were shown last.
    parts: HashMap<PathBuf, Part>,
    /// All of it, as it was shown last.
    shown: String,
}

/// What is shown of one file.
#[derive(Debug)]
struct Part {
    /// The file that it was moved from.
    source: Option<PathBuf>,
    text: String,
}

#[derive(Debug)]
struct Tracked {
    before: Option<Snapshot>,
    now: Option<Snapshot>,
    /// The path under which the content of now was known before it was moved.
    origin: Option<PathBuf>,
}

impl TurnDiff {
    /// An empty diff for a turn in `cwd`. Paths are shown relative to the repository around it, if there is one.
    pub(crate) fn new(cwd: &Path) -> Self {
        let root = cwd.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(cwd);
        Self {
            root: root.to_owned(),
            files: BTreeMap::new(),
            parts: HashMap::new(),
            shown: String::new(),
        }
    }

    /// Takes in what a patch wrote, in the order in which it was written. The diff as it stands now, if that is another
    /// one than before; empty when nothing differs from the beginning.
    pub(crate) fn update(&mut self, edits: &[Edit]) -> Option<&str> {
        self.record(edits);
        let diff = self.render();
        (diff != self.shown).then(|| {
            self.shown = diff;
            &*self.shown
        })
    }

    fn record(&mut self, edits: &[Edit]) {
        for edit in edits {
            self.parts.remove(&edit.path);
            let origin = edit.from.as_ref().map(|from| {
                self.files
                    .get(from)
                    .and_then(|source| source.origin.clone())
                    .unwrap_or_else(|| from.clone())
            });
            let file = self.files.entry(edit.path.clone()).or_insert_with(|| Tracked {
                before: edit.before.clone(),
                now: None,
                origin: None,
            });
            file.now.clone_from(&edit.after);
            if origin.is_some() || edit.after.is_none() {
                file.origin = origin.filter(|origin| *origin != edit.path);
            }
        }
    }

    fn render(&mut self) -> String {
        let Self { root, files, parts, .. } = self;
        let moves = moves(files);
        let sources: HashSet<&Path> = moves.values().copied().collect();
        let mut ordered = BTreeMap::new();
        for (path, file) in &*files {
            let source = moves.get(path.as_path()).copied();
            let is_shown =
                source.is_some() || !sources.contains(path.as_path()) && file.before != file.now;
            if !is_shown {
                continue;
            }
            let old_name = name(root, source.unwrap_or(path));
            if parts.get(path).is_none_or(|part| part.source.as_deref() != source) {
                let origin = source.map_or(Some(file), |source| files.get(source));
                let before = origin.and_then(|origin| origin.before.as_ref());
                let text = render_file(&old_name, &name(root, path), before, file.now.as_ref());
                parts.insert(path.clone(), Part { source: source.map(Path::to_owned), text });
            }
            ordered.insert(old_name, path);
        }
        ordered.into_values().filter_map(|path| parts.get(path)).map(|part| &*part.text).collect()
    }
}

/// The files that are the moved form of one that is gone, by destination.
fn moves(files: &BTreeMap<PathBuf, Tracked>) -> BTreeMap<&Path, &Path> {
    let mut taken = HashSet::new();
    let mut moves = BTreeMap::new();
    for (path, file) in files {
        let Some(origin) =
            file.origin.as_deref().filter(|_| file.before.is_none() && file.now.is_some())
        else {
            continue;
        };
        let gone =
            files.get(origin).is_some_and(|file| file.before.is_some() && file.now.is_none());
        if gone && taken.insert(origin) {
            moves.insert(path.as_path(), origin);
        }
    }
    moves
}

fn name(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

/// The part of one file; of two names for one that was moved.
fn render_file(
    old_name: &str,
    new_name: &str,
    before: Option<&Snapshot>,
    now: Option<&Snapshot>,
) -> String {
    let mut out = format!("diff --git a/{old_name} b/{new_name}\n");
    match (before, now) {
        (None, Some(now)) => out.push_str(&format!("new file mode {}\n", now.mode)),
        (Some(before), None) => out.push_str(&format!("deleted file mode {}\n", before.mode)),
        (Some(before), Some(now)) if before.bytes == now.bytes && old_name != new_name => {
            return out
                + &format!(
                    "similarity index 100%\nrename from {old_name}\nrename to {new_name}\n"
                );
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
    out.push_str(&format!("index {}..{}\n", blob_id(before), blob_id(now)));
    let old_side = before.map_or_else(|| "/dev/null".to_owned(), |_| format!("a/{old_name}"));
    let new_side = now.map_or_else(|| "/dev/null".to_owned(), |_| format!("b/{new_name}"));
    match (text(before), text(now)) {
        (Some(old), Some(new)) if old == new => {}
        (Some(old), Some(new)) => {
            out.push_str(&format!("--- {old_side}\n+++ {new_side}\n"));
            out.push_str(&unified(old, new, CONTEXT));
        }
        (Some(_) | None, Some(_) | None) => {
            out.push_str(&format!("Binary files {old_side} and {new_side} differ\n"));
        }
    }
    out
}

/// The text of a file, empty when it is not there; none when it is no text.
fn text(file: Option<&Snapshot>) -> Option<&str> {
    std::str::from_utf8(file.map_or(&[], |file| &file.bytes)).ok()
}

/// The id under which git would store the content.
fn blob_id(file: Option<&Snapshot>) -> String {
    let Some(file) = file else { return NO_BLOB.to_owned() };
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", file.bytes.len()));
    hash.update(&file.bytes);
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Option<Snapshot> {
        Some(Snapshot { bytes: text.as_bytes().to_vec(), mode: "100644" })
    }

    fn edit(path: &str, before: Option<Snapshot>, after: Option<Snapshot>) -> Edit {
        Edit { path: Path::new("/w").join(path), from: None, before, after }
    }

    fn moved(from: &str, to: &str, before: &str, after: &str) -> [Edit; 2] {
        let arrival =
            Edit { from: Some(Path::new("/w").join(from)), ..edit(to, None, file(after)) };
        [arrival, edit(from, file(before), None)]
    }

    #[track_caller]
    fn check(edits: &[Edit], expected: &str) {
        let mut diff = TurnDiff::new(Path::new("/w"));
        let shown = diff.update(edits).unwrap_or_default();
        assert_eq!(shown, expected);
    }

    const ONE: &str = "5626abf0f72e58d7a153368ba57db4c673c0e171";
    const TWO: &str = "f719efd430d52bcfc8566a43b2eb655688d38871";

    #[test]
    fn shows_files_as_git_does() {
        let changed = format!(
            "diff --git a/a b/a\nindex {ONE}..{TWO}\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\n+two\n"
        );
        check(&[edit("a", file("one\n"), file("two\n"))], &changed);
        let added = format!(
            "diff --git a/s/n b/s/n\nnew file mode 100644\nindex {NO_BLOB}..{ONE}\n--- /dev/null\n+++ b/s/n\n@@ -0,0 +1 @@\n+one\n"
        );
        check(&[edit("s/n", None, file("one\n"))], &added);
        let gone = format!(
            "diff --git a/a b/a\ndeleted file mode 100644\nindex {ONE}..{NO_BLOB}\n--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n"
        );
        check(&[edit("a", file("one\n"), None)], &gone);
        let empty = "diff --git a/n b/n\nnew file mode 100644\nindex 0000000000000000000000000000000000000000..e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n";
        check(&[edit("n", None, file(""))], empty);
        let bytes = Some(Snapshot { bytes: vec![0xff], mode: "100644" });
        let mut diff = TurnDiff::new(Path::new("/w"));
        let shown = diff.update(&[edit("a", bytes, file("one\n"))]).unwrap();
        assert!(shown.ends_with("\nBinary files a/a and b/a differ\n"), "{shown}");
    }

    #[test]
    fn counts_from_the_beginning_of_the_turn() {
        let first = edit("a", file("one\n"), file("1\n"));
        check(&[first.clone(), edit("a", file("1\n"), file("one\n"))], "");
        check(&[edit("n", None, file("x")), edit("n", file("x"), None)], "");
        let mut diff = TurnDiff::new(Path::new("/w"));
        let shown = diff
            .update(&[
                first,
                edit("a", file("1\n"), file("two\n")),
                edit("B", None, file("")),
                edit("a-b", None, file("")),
            ])
            .unwrap();
        assert!(shown.contains("-one\n+two\n"), "{shown}");
        let names: Vec<_> =
            shown.lines().filter_map(|line| line.strip_prefix("diff --git a/")).collect();
        assert_eq!(names, ["B b/B", "a b/a", "a-b b/a-b"]);
    }

    #[test]
    fn tells_what_has_changed_since() {
        let mut diff = TurnDiff::new(Path::new("/w"));
        let long = "diff --git a/a b/a\nnew file";
        let first = diff.update(&[edit("a", None, file("one\n"))]).unwrap().to_owned();
        assert!(first.starts_with(long), "{first}");
        let both = diff.update(&[edit("b", None, file("two\n"))]).unwrap();
        assert!(both.starts_with(&first) && both.contains("b/b\n"), "{both}");
        assert_eq!(diff.update(&[edit("b", file("two\n"), file("two\n"))]), None);
        let changed = diff.update(&[edit("a", file("one\n"), file("1\n"))]).unwrap();
        assert!(changed.contains("+1\n") && !changed.contains("+one\n"), "{changed}");
        assert_eq!(
            diff.update(&[edit("b", file("two\n"), None), edit("a", file("1\n"), None)]),
            Some("")
        );
    }

    #[test]
    fn follows_moves() {
        let edited = format!(
            "diff --git a/a b/c\nindex {ONE}..{TWO}\n--- a/a\n+++ b/c\n@@ -1 +1 @@\n-one\n+two\n"
        );
        let [there, left] = moved("a", "b", "one\n", "1\n");
        let [further, gone] = moved("b", "c", "1\n", "two\n");
        check(&[there.clone(), left.clone(), further, gone], &edited);
        check(&moved("a", "c", "one\n", "two\n"), &edited);
        let renamed = "diff --git a/a b/b\nsimilarity index 100%\nrename from a\nrename to b\n";
        check(&moved("a", "b", "one\n", "one\n"), renamed);
        let [back, away] = moved("b", "a", "1\n", "one\n");
        check(&[there.clone(), left.clone(), back, away], "");
        let mut diff = TurnDiff::new(Path::new("/w"));
        let shown = diff.update(&[there, left, edit("a", None, file("two\n"))]).unwrap();
        assert!(shown.starts_with(&format!("diff --git a/a b/a\nindex {ONE}..{TWO}\n")), "{shown}");
        assert!(shown.contains("diff --git a/b b/b\nnew file mode"), "{shown}");
    }

    #[test]
    fn shows_paths_from_the_root_of_the_repository() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join(".git"), "gitdir: elsewhere\n").expect("a file");
        let cwd = folder.path().join("sub");
        std::fs::create_dir(&cwd).expect("a folder");
        let mut diff = TurnDiff::new(&cwd);
        let shown = diff
            .update(&[
                Edit { path: cwd.join("n"), ..edit("n", None, file("")) },
                edit("out", None, file("")),
            ])
            .unwrap();
        assert!(
            shown.contains("diff --git a/sub/n b/sub/n\n")
                && shown.contains("diff --git a//w/out b//w/out\n"),
            "{shown}"
        );
    }
}
