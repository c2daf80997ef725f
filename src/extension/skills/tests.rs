//! Finding skills, naming them, and telling of them within a budget.

use std::fs;

use tempfile::TempDir;

use super::scan::scan;
use super::*;
use crate::protocol::SkillScope;

struct Folder {
    _temporary: TempDir,
    path: PathBuf,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        Self { _temporary: folder, path }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn skill(&self, folder: &str, name: &str) -> PathBuf {
        self.write(
            &format!("{folder}/SKILL.md"),
            &format!("---\nname: {name}\ndescription: About {name}.\n---\n"),
        )
    }

    fn found(&self) -> Found {
        scan(&[(self.path.clone(), SkillScope::User)])
    }
}

fn names(found: &Found) -> Vec<&str> {
    found.skills.iter().map(Skill::name).collect()
}

fn named(found: &Found, text: &str) -> Vec<String> {
    let input = [UserInput::Text { text: text.to_owned(), text_elements: Vec::new() }];
    let skills = found.named(&input, &Effective::default());
    skills.iter().map(|skill| skill.name().to_owned()).collect()
}

#[test]
fn finds_what_is_within_bounds() {
    let folder = Folder::new();
    folder.skill("b", "second");
    folder.skill("a/nested/deep", "first");
    folder.skill(".hidden", "hidden");
    folder.skill("1/2/3/4/5/6/7", "too deep");
    folder.write("c/SKILL.md", "---\ndescription: Named by its folder.\n---\n");
    folder.write("none/SKILL.md", "no front matter");
    folder.write("silent/SKILL.md", "---\nname: x\n---\n");
    folder.write("long/SKILL.md", &format!("---\nname: {}\ndescription: d\n---\n", "x".repeat(65)));
    std::os::unix::fs::symlink(folder.path.join("b"), folder.path.join("link")).unwrap();
    let found = folder.found();
    assert_eq!(names(&found), ["c", "first", "second"]);
    let problems: Vec<&str> =
        found.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        problems,
        [
            "invalid name: exceeds maximum length of 64 characters",
            "missing YAML frontmatter delimited by ---",
            "missing field `description`",
        ]
    );
}

#[test]
fn notices_changes() {
    let folder = Folder::new();
    folder.skill("a", "one");
    let found = folder.found();
    assert!(found.is_fresh());
    folder.write("a/SKILL.md", "---\nname: another one\ndescription: d\n---\n");
    assert!(!found.is_fresh(), "a file has changed");
    let found = folder.found();
    folder.skill("b", "two");
    assert!(!found.is_fresh(), "a folder is new");
    let found = folder.found();
    fs::remove_file(folder.path.join("a/SKILL.md")).unwrap();
    assert!(!found.is_fresh(), "a file is gone");
    assert_eq!(names(&folder.found()), ["two"]);
}

#[test]
fn reads_what_is_for_people() {
    let folder = Folder::new();
    folder.skill("a", "one");
    folder.write("a/assets/icon.svg", "");
    folder.write(
        "a/agents/openai.yaml",
        "interface:\n  display_name: One\n  icon_small: ./assets/icon.svg\n  icon_large: ./no.svg\n  \
         brand_color: '#12abEF'\ndependencies:\n  tools:\n    - type: mcp\n      value: server\n    - type: mcp\n\
         policy:\n  allow_implicit_invocation: false\n",
    );
    let found = folder.found();
    let metadata = &found.skills[0].metadata;
    let interface = metadata.interface.as_ref().unwrap();
    assert_eq!(interface.display_name.as_deref(), Some("One"));
    assert_eq!(interface.brand_color.as_deref(), Some("#12abEF"));
    let icon = folder.path.join("a/assets/icon.svg");
    assert_eq!(
        interface.icon_small.as_ref().map(crate::protocol::AbsolutePathBuf::as_path),
        Some(icon.as_path())
    );
    assert_eq!(interface.icon_large, None, "it is not there");
    assert_eq!(metadata.dependencies.as_ref().map(|all| all.tools.len()), Some(1));
    assert_eq!(listing(&found, &Effective::default(), 1000), None, "only the user may choose it");
    assert_eq!(named(&found, "$one"), ["one"]);
}

#[test]
fn names_are_whole_words() {
    let folder = Folder::new();
    folder.skill("a", "one");
    folder.skill("b", "plugin:two");
    let twin = folder.skill("c", "twin");
    folder.skill("d", "twin");
    let found = folder.found();
    for (text, wanted) in [
        ("use $one", vec!["one"]),
        ("($one), $plugin:two.", vec!["one", "plugin:two"]),
        ("$plugin:two: do it; $one $one", vec!["one", "plugin:two"]),
        ("$one-more $ones $One one $", vec![]),
        ("$twin", vec![]),
    ] {
        assert_eq!(named(&found, text), wanted, "{text}");
    }
    assert_eq!(named(&found, &format!("[$twin]({})", twin.display())), ["twin"]);
    let by_path = [UserInput::Skill { name: "whatever".to_owned(), path: twin.clone() }];
    let skills = found.named(&by_path, &Effective::default());
    assert_eq!(skills.iter().map(|skill| skill.path()).collect::<Vec<&Path>>(), [twin]);
}

#[test]
fn a_list_keeps_its_budget() {
    let folder = Folder::new();
    for name in ["one", "two", "six"] {
        let text = format!("---\nname: {name}\ndescription: {}\n---\n", "d".repeat(100));
        folder.write(&format!("{name}/SKILL.md"), &text);
    }
    let found = folder.found();
    let list = |budget| listing(&found, &Effective::default(), budget).unwrap();
    let entries =
        |list: &Listing| list.text.lines().filter(|line| line.contains("SKILL.md)")).count();
    let whole = list(1000);
    assert_eq!((entries(&whole), &whole.warning), (3, &None));
    assert!(whole.text.contains(&format!("- `r0`: {}\n", folder.path.display())));
    assert!(whole.text.contains("(r0/one/SKILL.md)\n"));
    let cut = list(200);
    assert_eq!(entries(&cut), 3);
    assert!(
        cut.text.contains("ddd...") && cut.warning.is_some_and(|text| text.contains("in part"))
    );
    let dropped = list(60);
    assert_eq!(entries(&dropped), 2);
    assert!(dropped.warning.is_some_and(|text| text.contains("not told of 1 of 3")));
}
