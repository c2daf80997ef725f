//! Loading: the layers in their order, checked one by one, merged, and decoded.
//!
//! Every load reads the files anew; nothing is kept between two of them.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::effective::{Effective, root_markers};
use super::hook::HookSettings;
use super::layer::{self, Layer, Source};
use super::overrides::{self, Overrides};
use super::problem::{LoadError, Problem};
use super::trust::{Project, Trust};
use super::{permission, setting};

/// Where settings come from, for the life of the process.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    pub(crate) home: PathBuf,
    pub(crate) overrides: Arc<Overrides>,
    system: PathBuf,
}

/// A configuration that was loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) effective: Effective,
    pub(crate) problems: Vec<Problem>,
}

/// The layers of one load, lowest first, and the project that was looked at for them.
struct Layers {
    enabled: Vec<Layer>,
    project: Project,
    /// Folders whose files are not used because the project is not trusted.
    disabled: Vec<PathBuf>,
    problems: Vec<Problem>,
}

impl Sources {
    /// The usual sources: the system's file, the user's below `home`, and the command line.
    pub(crate) fn new(home: PathBuf, overrides: Overrides) -> Self {
        Self {
            home,
            overrides: Arc::new(overrides),
            system: PathBuf::from("/etc/codex/config.toml"),
        }
    }

    /// The configuration for `cwd`, with what a request sets on top.
    pub(crate) fn load(
        &self,
        cwd: Option<&Path>,
        request: Option<&Map<String, Value>>,
    ) -> Result<Loaded, LoadError> {
        self.layers(cwd, request).and_then(Layers::decode)
    }

    /// The configuration without a project, as it would be with another file of the user's.
    pub(super) fn load_with_user(&self, user: Layer) -> Result<Loaded, LoadError> {
        self.layers_on(user, None, None).and_then(Layers::decode)
    }

    /// The configuration of the server itself. A broken one is replaced by defaults and told as a problem, and so
    /// are project files that do not count yet.
    pub(crate) fn load_or_default(&self, cwd: &Path) -> Loaded {
        let loaded = self.layers(Some(cwd), None).and_then(|layers| {
            let user = self.user_file();
            let disabled = layers.disabled_problem(&user);
            let mut loaded = layers.decode()?;
            loaded.problems.extend(disabled);
            Ok(loaded)
        });
        match loaded {
            Ok(loaded) => loaded,
            Err(error) => Loaded { effective: Effective::default(), problems: vec![error.into()] },
        }
    }

    pub(super) fn user_file(&self) -> PathBuf {
        self.home.join("config.toml")
    }

    fn layers(
        &self,
        cwd: Option<&Path>,
        request: Option<&Map<String, Value>>,
    ) -> Result<Layers, LoadError> {
        self.layers_on(Layer::read(Source::User(self.user_file()))?, cwd, request)
    }

    fn layers_on(
        &self,
        user: Layer,
        cwd: Option<&Path>,
        request: Option<&Map<String, Value>>,
    ) -> Result<Layers, LoadError> {
        let mut enabled = vec![Layer::read(Source::System(self.system.clone()))?, user];
        let mut flags = vec![Layer::made(Source::SessionFlags, self.overrides.content().clone())];
        flags.extend(
            request.map(|request| Layer::made(Source::Request, overrides::nested(request))),
        );

        // A project has no say in whether it is trusted or where it begins.
        let mut settings = Map::new();
        for layer in enabled.iter().chain(&flags) {
            layer::merge(&mut settings, &layer.content);
        }
        let project = match cwd {
            Some(cwd) => Project::of(cwd, &settings, &root_markers(&settings)),
            None => Project::default(),
        };
        let mut layers =
            Layers { enabled: Vec::new(), project, disabled: Vec::new(), problems: Vec::new() };
        let files = layers
            .project
            .folders
            .iter()
            .map(|folder| folder.join(".codex"))
            .filter(|folder| *folder != self.home);
        let folders: Vec<PathBuf> = files.filter(|folder| folder.is_dir()).collect();
        if layers.project.trust == Trust::Trusted {
            for folder in folders {
                enabled.push(layers.project_layer(&folder.join("config.toml"))?);
            }
        } else {
            layers.disabled = folders;
        }
        enabled.append(&mut flags);
        layers.enabled = enabled;
        Ok(layers)
    }
}

impl Layers {
    /// A project's layer without the settings that are not for projects.
    fn project_layer(&mut self, path: &Path) -> Result<Layer, LoadError> {
        let mut layer = Layer::read(Source::Project(path.to_owned()))?;
        let refused = |name: &&&str| layer.content.contains_key(**name);
        let dropped: Vec<&str> =
            setting::NOT_FOR_PROJECTS.iter().filter(refused).copied().collect();
        if !dropped.is_empty() {
            layer.content.retain(|name, _| !dropped.contains(&name.as_str()));
            self.problems.push(Problem::note(format!(
                "These settings of {} are not taken from a project: {}. They belong into your own config.toml.",
                path.display(),
                dropped.join(", "),
            )));
        }
        Ok(layer)
    }

    fn decode(mut self) -> Result<Loaded, LoadError> {
        let mut merged = Map::new();
        let mut unknown = Vec::new();
        for layer in &self.enabled {
            let found = setting::check(&layer.content);
            if let Some(wrong) = found.wrong {
                return Err(layer.error(&wrong));
            }
            // Clients send whatever they like in a request; what is not known there is nobody's mistake.
            if layer.source != Source::Request {
                let shown = layer.source.shown();
                unknown.extend(
                    found.unknown.into_iter().map(|name| format!("{shown}: `{name}` is ignored.")),
                );
            }
            lay(&mut merged, layer);
        }
        self.problems.extend(unknown_problem(unknown));
        let hooks = HookSettings::of(&self.enabled);
        let mut effective = Effective::new(&merged, self.project)?;
        if effective.features.on("hooks") {
            effective.hooks = hooks;
        }
        permission::check_default(&effective)?;
        Ok(Loaded { effective, problems: self.problems })
    }

    fn disabled_problem(&self, user: &Path) -> Option<Problem> {
        let root = self.project.root.as_ref().or(self.project.folders.first())?;
        let lines: Vec<String> = self
            .disabled
            .iter()
            .zip(1..)
            .map(|(folder, number)| format!("\n    {number}. {}", folder.display()))
            .collect();
        if lines.is_empty() {
            return None;
        }
        Some(Problem::note(format!(
            "Config, hooks and exec policies of these folders are not used, since the project is not trusted \
             (skills are):{}\n       To use them, add {} as a trusted project to {}.\n",
            lines.concat(),
            root.display(),
            user.display(),
        )))
    }
}

/// Lays a layer over what is below it.
fn lay(merged: &mut Map<String, Value>, layer: &Layer) {
    let mut content = layer.content.clone();
    // A sandbox mode is an answer to the same question as a permission profile, so the nearer one counts.
    if content.contains_key("sandbox_mode") && !content.contains_key("default_permissions") {
        merged.remove("default_permissions");
    }
    let base = match layer.source.file().and_then(Path::parent) {
        Some(folder) => folder.to_owned(),
        None => env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    };
    setting::resolve_paths(&mut content, &base, env::home_dir().as_deref());
    layer::merge(merged, &content);
}

/// One problem for all unknown settings: the first three by name, the others by number.
fn unknown_problem(mut unknown: Vec<String>) -> Option<Problem> {
    const SHOWN: usize = 3;
    let count = unknown.len();
    if count == 0 {
        return None;
    }
    unknown.sort();
    unknown.truncate(SHOWN);
    if count > SHOWN {
        unknown.push(format!("... and {} more.", count - SHOWN));
    }
    let settings = if count == 1 { "setting" } else { "settings" };
    Some(Problem::note(format!(
        "Codex is ignoring {count} unrecognized configuration {settings}. A name may be misspelt or no longer in use.\n  {}",
        unknown.join("\n  "),
    )))
}

#[cfg(test)]
mod tests;
