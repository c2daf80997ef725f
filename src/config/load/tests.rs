//! The layers of the configuration, merged from files, flags and requests.

use std::fs;

use serde_json::json;

use super::*;
use crate::config::Trust;
use crate::protocol::{AskForApproval, SandboxMode, Verbosity};

const PROVIDER: &str = "[model_providers.mock]\nname = \"Mock\"\n";

struct Place {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

/// A fresh home with this configuration, and a git repository `w` beside it.
fn place(config: &str) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap();
    let place = Place { _folder: folder, root };
    place.write("home/config.toml", config);
    place.write("w/.git/HEAD", "");
    place
}

impl Place {
    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn sources(&self, args: &[&str]) -> Sources {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let mut sources = Sources::new(self.root.join("home"), Overrides::parse(&args).unwrap());
        sources.system = self.root.join("system.toml");
        sources
    }

    fn load(&self, cwd: &str, request: &Value) -> Result<Loaded, LoadError> {
        self.sources(&[]).load(Some(&self.root.join(cwd)), request.as_object())
    }

    fn refused(&self) -> String {
        let error = self.load("w", &Value::Null).unwrap_err();
        error.message.replace(self.root.to_str().unwrap(), "R")
    }

    fn trust(&self) -> String {
        format!("[projects.\"{}\"]\ntrust_level = \"trusted\"\n", self.root.join("w").display())
    }
}

#[test]
fn an_empty_home_has_defaults() {
    let place = place("");
    let loaded = place.load("w", &Value::Null).unwrap();
    let effective = &loaded.effective;
    assert_eq!((effective.model.as_deref(), effective.model_provider.as_str()), (None, "openai"));
    assert_eq!(
        (effective.project_doc_max_bytes, effective.background_terminal_max_timeout),
        (32768, 300_000)
    );
    assert_eq!(effective.project_root_markers, [".git"]);
    assert!(
        effective.allow_login_shell
            && effective.include_environment_context
            && loaded.problems.is_empty()
    );
    assert_eq!(effective.project_root, Some(place.root.join("w")));
}

#[test]
fn nearer_layers_win_key_by_key() {
    let place = place(
        "model = \"user\"\nservice_tier = \"user\"\n[shell_environment_policy]\ninherit = \"core\"\n",
    );
    place.write("system.toml", "model = \"system\"\ncompact_prompt = \"system\"\n");
    let sources = place.sources(&[
        "service_tier=flag",
        "shell_environment_policy.exclude=[\"A*\"]",
        "model_verbosity=low",
    ]);
    let request = json!({"model_verbosity": "high", "bogus": 1, "sandboxPolicy": "workspaceWrite"});
    let loaded = sources.load(Some(&place.root), request.as_object()).unwrap();
    let effective = loaded.effective;
    assert_eq!(effective.model.as_deref(), Some("user"));
    assert_eq!(
        (effective.compact_prompt.as_deref(), effective.service_tier.as_deref()),
        (Some("system"), Some("flag"))
    );
    assert_eq!(
        Value::Object(effective.shell_environment_policy),
        json!({"inherit": "core", "exclude": ["A*"]})
    );
    assert_eq!(effective.model_verbosity, Some(Verbosity::High));
    assert_eq!(loaded.problems, []);
}

#[test]
fn errors_of_files_have_a_place() {
    for (config, text) in [
        ("model = = 1\n", "R/home/config.toml:1:9: extra `=`, expected nothing"),
        ("a=1\na=2\n", "R/home/config.toml:2:1: duplicate key"),
        ("model = 3\n", "R/home/config.toml:1:9: invalid type: integer `3`, expected a string"),
        (
            "[features.goals]\n[features.x]\n",
            "R/home/config.toml:2:1: invalid type: map, expected a boolean",
        ),
        (
            "notify = [\"é\", 1]\n",
            "R/home/config.toml:1:16: invalid type: integer `1`, expected a string",
        ),
        (
            "[model_providers.x]\nname = 5\n",
            "R/home/config.toml:2:8: invalid type: integer `5`, expected a string",
        ),
    ] {
        assert_eq!(place(config).refused(), text);
    }
}

#[test]
fn a_range_ends_at_its_last_character() {
    let place = place("approval_policy=\"bogus\"\n");
    let error = place.load("w", &Value::Null).unwrap_err();
    let range = error.range.clone().unwrap();
    assert_eq!(
        (range.start.line, range.start.column, range.end.line, range.end.column),
        (1, 17, 1, 23)
    );
    let problem = place.sources(&[]).load_or_default(&place.root).problems.remove(0);
    assert_eq!(
        (problem.summary.as_str(), problem.details),
        ("Invalid configuration; using defaults.", Some(error.message))
    );
    let reserved =
        self::place("[model_providers.openai]\nname=\"x\"\n").load("w", &Value::Null).unwrap_err();
    let range = reserved.range.unwrap();
    assert_eq!((range.start.column, range.end.column), (2, 16));
}

#[test]
fn what_only_shows_in_the_whole_has_no_place() {
    for (config, text) in [
        ("model_provider = \"zzz\"\n", "Model provider `zzz` not found"),
        (
            "approval_policy = \"untrusted\"\n",
            "approval_policy = \"untrusted\" is no longer supported; remove this setting",
        ),
        (
            "model_instructions_file = \"x.md\"\n",
            "failed to read model instructions file R/home/x.md: No such file or directory (os error 2)",
        ),
        ("default_permissions = \"x\"\n", "default_permissions requires a `[permissions]` table"),
        (
            "default_permissions = \":x\"\n",
            "default_permissions refers to unknown built-in profile `:x`",
        ),
    ] {
        assert_eq!(place(config).refused(), text);
    }
    assert!(
        place("profile = \"x\"\n")
            .refused()
            .starts_with("legacy `profile = \"x\"` config is no longer supported; ")
    );
}

#[test]
fn errors_of_requests_name_the_key() {
    let place = place("");
    let text = |request: Value| place.load("w", &request).unwrap_err().message;
    assert_eq!(
        text(json!({"sandbox_mode": 5})),
        "invalid type: integer `5`, expected a string\nin `sandbox_mode`\n"
    );
    assert_eq!(
        text(json!({"sandbox_workspace_write.network_access": 3})),
        "invalid type: integer `3`, expected a boolean\nin `sandbox_workspace_write.network_access`\n"
    );
    assert_eq!(text(json!({"model_provider": "zz"})), "Model provider `zz` not found");
}

#[test]
fn unknown_settings_are_one_problem() {
    let place = place(&format!("weird = 1\n[features]\nnope = true\n[foo]\na = 1\n{PROVIDER}"));
    let loaded = place.sources(&["bogus=1"]).load(Some(&place.root), None).unwrap();
    let user = place.root.join("home/config.toml").display().to_string();
    let [problem] = loaded.problems.as_slice() else { panic!("{:?}", loaded.problems) };
    let lines: Vec<&str> = problem.summary.lines().collect();
    assert!(lines[0].starts_with("Codex is ignoring 4 unrecognized configuration settings."));
    assert_eq!(lines[1], "  session-flags: `bogus` is ignored.");
    assert_eq!(lines[2], format!("  user ({user}): `features.nope` is ignored."));
    assert_eq!(lines[4..], ["  ... and 1 more."]);
}

#[test]
fn projects_count_when_trusted() {
    let place = place("model = \"user\"\n");
    place.write(
        "w/.codex/config.toml",
        "model = \"root\"\nservice_tier = \"root\"\nnotify = [\"x\"]\nmodel_provider = \"evil\"\n",
    );
    place.write("w/a/.codex/config.toml", "model = \"deep\"\nmodel_catalog_json = \"m.json\"\n");
    let cwd = place.root.join("w/a/b");
    let loaded = place.sources(&[]).load_or_default(&cwd);
    assert_eq!(loaded.effective.model.as_deref(), Some("user"));
    let [problem] = loaded.problems.as_slice() else { panic!("{:?}", loaded.problems) };
    assert!(problem.summary.contains(place.root.join("w/.codex").to_str().unwrap()));
    assert!(place.load("w/a/b", &Value::Null).unwrap().problems.is_empty());

    place.write("home/config.toml", &format!("model = \"user\"\n{}", place.trust()));
    let loaded = place.sources(&[]).load_or_default(&cwd);
    let effective = loaded.effective;
    assert_eq!(
        (effective.model.as_deref(), effective.service_tier.as_deref()),
        (Some("deep"), Some("root"))
    );
    assert_eq!((effective.model_provider.as_str(), effective.trust), ("openai", Trust::Trusted));
    assert_eq!(effective.model_catalog_json, Some(place.root.join("w/a/.codex/m.json")));
    let [problem] = loaded.problems.as_slice() else { panic!("{:?}", loaded.problems) };
    assert!(problem.summary.contains("model_provider, notify"), "{}", problem.summary);
}

#[test]
fn a_broken_project_matters_only_when_trusted() {
    let place = place("");
    place.write("w/.codex/config.toml", "model = 5\n");
    assert!(place.load("w", &Value::Null).is_ok());
    place.write("home/config.toml", &place.trust());
    assert_eq!(
        place.refused(),
        "R/w/.codex/config.toml:1:9: invalid type: integer `5`, expected a string"
    );
}

#[test]
fn the_home_is_no_project() {
    let place = place("");
    place.write(".codex/config.toml", "model = 5\n");
    let mut sources = place.sources(&[]);
    sources.home = place.root.join(".codex");
    fs::write(sources.home.join("config.toml"), "model = \"m\"\n").unwrap();
    let loaded = sources.load_or_default(&place.root);
    assert_eq!((loaded.effective.model.as_deref(), loaded.problems.len()), (Some("m"), 0));
}

#[test]
fn old_names_are_understood_and_the_nearer_sandbox_setting_counts() {
    let place = place("approval_policy = \"on-failure\"\ndefault_permissions = \":workspace\"\n");
    let effective = place.load("w", &Value::Null).unwrap().effective;
    assert_eq!(effective.approval_policy, Some(AskForApproval::OnRequest));
    assert_eq!(effective.default_permissions.as_deref(), Some(":workspace"));
    let effective = place.load("w", &json!({"sandbox_mode": "read-only"})).unwrap().effective;
    assert_eq!(
        (effective.default_permissions, effective.sandbox_mode),
        (None, Some(SandboxMode::ReadOnly))
    );
}
