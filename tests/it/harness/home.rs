//! A scenario's folders: the server's home with its `config.toml`, and the workspace that threads run in.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

/// The top-level setting that names the catalogue of [`Home::describe_model`].
pub(crate) const CATALOG: &str = "model_catalog_json = \"catalog.json\"";

/// What scenarios change about the configuration; the texts are lines of TOML.
pub(crate) struct Config {
    /// The shown name of the provider.
    pub(crate) name: &'static str,
    pub(crate) approval: &'static str,
    pub(crate) sandbox: &'static str,
    /// Top-level settings.
    pub(crate) top: String,
    /// Settings of the mock provider; a retry count here replaces the default of 0.
    pub(crate) provider: String,
    /// Further tables.
    pub(crate) tables: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "Mock",
            approval: "never",
            sandbox: "danger-full-access",
            top: String::new(),
            provider: String::new(),
            tables: String::new(),
        }
    }
}

/// The folders; removed when dropped.
pub(crate) struct Home {
    _root: TempDir,
    root: PathBuf,
    variables: RefCell<Vec<(String, String)>>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let temporary = tempfile::Builder::new().prefix("it-").tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        fs::create_dir(root.join("home")).unwrap();
        fs::create_dir(root.join("work")).unwrap();
        Self { _root: temporary, root, variables: RefCell::default() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// What the server is told to use as its home.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// Gives the servers that start from now on an environment variable.
    pub(crate) fn set_variable(&self, name: &str, value: &str) {
        self.variables.borrow_mut().push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn variables(&self) -> Vec<(String, String)> {
        self.variables.borrow().clone()
    }

    /// The workspace.
    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    /// A path in the workspace, as the server writes it.
    pub(crate) fn path(&self, name: &str) -> String {
        self.work().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file of the workspace and the folders above it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.work().join(name)).unwrap()
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.work().join(name).exists()
    }

    /// Names in the workspace, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.work())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// What the servers of this home wrote to their standard error.
    pub(crate) fn stderr(&self) -> String {
        let bytes = fs::read(self.root.join("stderr.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Paths of the stored threads below a folder of the home, relative to the home, sorted.
    pub(crate) fn rollouts(&self, folder: &str) -> Vec<String> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    walk(&path, found);
                } else if entry.file_name().to_str().is_some_and(|n| n.starts_with("rollout-")) {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.home().join(folder), &mut found);
        let mut names: Vec<String> = found
            .iter()
            .map(|p| p.strip_prefix(self.home()).unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// Makes `mock-model` a known model, with these changes to its description. The configuration has to name the
    /// catalogue: [`CATALOG`].
    pub(crate) fn describe_model(&self, changes: &Value) {
        let mut model = json!({
            "slug": "mock-model", "display_name": "Mock", "supported_reasoning_levels": [],
            "shell_type": "unified_exec", "visibility": "list", "supported_in_api": true, "priority": 1,
            "support_verbosity": false, "truncation_policy": {"mode": "tokens", "limit": 10000},
            "experimental_supported_tools": [], "description": null, "availability_nux": null, "upgrade": null,
            "default_verbosity": null, "apply_patch_tool_type": null});
        model.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let text = json!({"models": [model]}).to_string();
        fs::write(self.home().join("catalog.json"), text).unwrap();
    }

    pub(crate) fn write_config(&self, config: &Config, model: &str) {
        let Config { name, approval, sandbox, top, provider, tables } = config;
        let default =
            |key: &str| if provider.contains(key) { String::new() } else { format!("{key} = 0\n") };
        let (requests, streams) = (default("request_max_retries"), default("stream_max_retries"));
        let text = format!(
            r#"model = "mock-model"
model_provider = "mock"
approval_policy = "{approval}"
sandbox_mode = "{sandbox}"
{top}
[model_providers.mock]
name = "{name}"
base_url = "{model}/v1"
wire_api = "responses"
supports_websockets = false
{requests}{streams}{provider}
{tables}
"#
        );
        fs::write(self.home().join("config.toml"), text).unwrap();
    }
}
