//! Which folders are trusted, and how trust is written down.

use serde_json::json;

use super::*;

struct Place {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap();
    Place { _folder: folder, root }
}

impl Place {
    fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn project(&self, cwd: &str, said: &[(&str, &str)]) -> Project {
        let projects: Map<String, Value> = said
            .iter()
            .map(|(path, level)| {
                (self.root.join(path).to_str().unwrap().to_owned(), json!({"trust_level": level}))
            })
            .collect();
        let settings = json!({"projects": projects});
        Project::of(&self.root.join(cwd), settings.as_object().unwrap(), &[".git".to_owned()])
    }
}

#[test]
fn a_repository_is_trusted_from_its_root() {
    let place = place();
    place.write("r/.git/HEAD", "");
    fs::create_dir_all(place.root.join("r/a/b")).unwrap();
    let project = place.project("r/a/b", &[]);
    assert_eq!((project.trust, project.root), (Trust::Undecided, Some(place.root.join("r"))));
    assert_eq!(project.folders, ["r", "r/a", "r/a/b"].map(|path| place.root.join(path)));
    assert_eq!(place.project("r/a/b", &[("r", "trusted")]).trust, Trust::Trusted);
    assert_eq!(place.project("r/a/b", &[("r/a", "trusted")]).trust, Trust::Undecided);
    assert_eq!(
        place.project("r/a/b", &[("r", "trusted"), ("r/a/b", "untrusted")]).trust,
        Trust::Untrusted
    );
}

#[test]
fn a_plain_folder_is_trusted_by_its_own_path_only() {
    let place = place();
    fs::create_dir_all(place.root.join("p/a")).unwrap();
    assert_eq!(place.project("p", &[("p", "trusted")]).trust, Trust::Trusted);
    let below = place.project("p/a", &[("p", "trusted")]);
    assert_eq!(
        (below.trust, below.root, below.folders),
        (Trust::Undecided, None, vec![place.root.join("p/a")])
    );
    place.write("p/.codex/config.toml", "");
    assert_eq!(place.project("p", &[]).root, Some(place.root.join("p")));
}

#[test]
fn a_worktree_belongs_to_the_main_repository() {
    let place = place();
    place.write("m/.git/HEAD", "");
    place.write("m/.git/worktrees/w/commondir", "../..\n");
    place
        .write("w/.git", &format!("gitdir: {}\n", place.root.join("m/.git/worktrees/w").display()));
    assert_eq!(place.project("w", &[]).root, Some(place.root.join("m")));
    assert_eq!(place.project("w", &[("m", "trusted")]).trust, Trust::Trusted);
    place.write("sub/.git", "gitdir: ../m/.git/modules/sub\n");
    assert_eq!(
        place.project("sub", &[]).root,
        Some(place.root.join("sub")),
        "a submodule is its own"
    );
}

#[test]
fn a_linked_folder_is_known_by_both_names() {
    let place = place();
    place.write("r/.git/HEAD", "");
    std::os::unix::fs::symlink(place.root.join("r"), place.root.join("l")).unwrap();
    assert_eq!(place.project("l", &[("r", "trusted")]).trust, Trust::Trusted);
    assert_eq!(place.project("l", &[("l", "trusted")]).trust, Trust::Trusted);
    assert_eq!(place.project("l", &[]).root, Some(place.root.join("r")));
}

#[track_caller]
fn written(before: &str, after: &str) {
    let place = place();
    let file = place.write("config.toml", before);
    write_trust(&place.root, Path::new("/w")).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), after);
    write_trust(&place.root, Path::new("/w")).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), after, "once is enough");
}

#[test]
fn trust_is_appended_and_the_rest_stays() {
    written("", "[projects.\"/w\"]\ntrust_level = \"trusted\"\n");
    written(
        "# mine\nmodel = \"m\" # why\n[tools]\na = 1\n",
        "# mine\nmodel = \"m\" # why\n[tools]\na = 1\n\n[projects.\"/w\"]\ntrust_level = \"trusted\"\n",
    );
    written(
        "[projects.\"/a\"]\ntrust_level = \"untrusted\"\n",
        "[projects.\"/a\"]\ntrust_level = \"untrusted\"\n\n[projects.\"/w\"]\ntrust_level = \"trusted\"\n",
    );
    written(
        "[projects.\"/w\"]\ntrust_level = \"untrusted\"\n",
        "[projects.\"/w\"]\ntrust_level = \"untrusted\"\n",
    );
}

#[test]
fn projects_may_be_written_in_any_form() {
    for projects in [
        "projects = {\"/x\" = {trust_level = \"trusted\"}}",
        "projects.\"/x\".trust_level = \"trusted\"",
    ] {
        let place = place();
        let file =
            place.write("config.toml", &format!("{projects}\nmodel = \"m\"\n[tools]\na = 1\n"));
        write_trust(&place.root, Path::new("/w")).unwrap();
        let text = fs::read_to_string(&file).unwrap();
        let document: toml_edit::DocumentMut = text.parse().unwrap();
        for path in ["/x", "/w"] {
            assert_eq!(
                document["projects"][path]["trust_level"].as_str(),
                Some("trusted"),
                "{text}"
            );
        }
        assert_eq!(
            (document["model"].as_str(), document["tools"]["a"].as_integer()),
            (Some("m"), Some(1)),
            "{text}"
        );
    }
}
