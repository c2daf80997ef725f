//! Loading: the layers in their order, checked one by one, merged, and decoded.
//!
//! Every load reads the files anew; nothing is kept between two of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use super::effective::{Effective, root_markers};
use super::features::{Feature, SWITCHABLE};
use super::hook::HookSettings;
use super::layer::{self, Layer, Source};
use super::overrides::{self, Overrides};
use super::problem::{LoadError, Problem};
use super::trust::Project;
use super::{features, permission, setting};

/// Where settings come from, for the life of the process.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    pub(crate) home: PathBuf,
    pub(crate) overrides: Arc<Overrides>,
    system: PathBuf,
    /// Features that clients have switched, which counts where nothing else is said.
    switched: Arc<Mutex<BTreeMap<String, bool>>>,
}

/// A configuration that was loaded.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) effective: Effective,
    pub(crate) problems: Vec<Problem>,
}

/// The layers of one load, lowest first, and the project that was looked at for them.
pub(super) struct Layers {
    /// What counts where no layer says anything.
    base: Map<String, Value>,
    pub(super) all: Vec<Layer>,
    project: Project,
    problems: Vec<Problem>,
}

impl Sources {
    /// The usual sources: the system's file, the user's below `home`, and the command line.
    pub(crate) fn new(home: PathBuf, overrides: Overrides) -> Self {
        Self {
            home,
            overrides: Arc::new(overrides),
            system: PathBuf::from("/etc/codex/config.toml"),
            switched: Arc::default(),
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

    /// Whether the configuration for `cwd` can be loaded, and says nothing that is not known.
    pub(crate) fn check_strictly(&self, cwd: &Path) -> Result<(), LoadError> {
        let layers = self.layers(Some(cwd), None)?;
        layers.check_names()?;
        layers.decode().map(drop)
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

    /// Switches features for the life of the process; those that cannot be are left out. Returns what is switched now.
    pub(crate) fn switch(&self, wanted: BTreeMap<String, bool>) -> BTreeMap<String, bool> {
        let taken = wanted.into_iter().filter(|(name, _)| SWITCHABLE.contains(&name.as_str()));
        let taken: BTreeMap<String, bool> = taken.collect();
        self.switched().extend(taken.clone());
        taken
    }

    fn switched(&self) -> MutexGuard<'_, BTreeMap<String, bool>> {
        self.switched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What counts where no layer says anything, of what clients can change.
    fn base(&self) -> Map<String, Value> {
        let switched = self.switched();
        let features = SWITCHABLE.iter().filter_map(|&name| {
            let on = switched.get(name).copied().or_else(|| features::default_of(name))?;
            Some((name.to_owned(), Value::Bool(on)))
        });
        Map::from_iter([("features".to_owned(), features.collect())])
    }

    pub(super) fn user_file(&self) -> PathBuf {
        self.home.join("config.toml")
    }

    pub(super) fn layers(
        &self,
        cwd: Option<&Path>,
        request: Option<&Map<String, Value>>,
    ) -> Result<Layers, LoadError> {
        self.layers_on(Layer::read(Source::User(self.user_file()))?, cwd, request)
    }

    pub(super) fn layers_on(
        &self,
        user: Layer,
        cwd: Option<&Path>,
        request: Option<&Map<String, Value>>,
    ) -> Result<Layers, LoadError> {
        let mut all = vec![Layer::read(Source::System(self.system.clone()))?, user];
        let flags = Layer::made(Source::SessionFlags, self.overrides.content().clone());
        let request =
            request.map(|request| Layer::made(Source::Request, overrides::nested(request)));

        // A project has no say in whether it is trusted or where it begins.
        let mut settings = Map::new();
        for layer in all.iter().chain([&flags]).chain(&request) {
            layer::merge(&mut settings, &layer.content);
        }
        setting::fill_in(&mut settings);
        let project = match cwd {
            Some(cwd) => Project::of(cwd, &settings, &root_markers(&settings)),
            None => Project::default(),
        };
        let mut problems = Vec::new();
        for folder in project.folders.iter().map(|folder| folder.join(".codex")) {
            if folder != self.home && folder.is_dir() {
                all.push(self.project_layer(&project, &folder, &mut problems)?);
            }
        }
        all.push(flags);
        all.extend(request);
        Ok(Layers { base: self.base(), all, project, problems })
    }

    /// A project's layer without the settings that are not for projects.
    fn project_layer(
        &self,
        project: &Project,
        folder: &Path,
        problems: &mut Vec<Problem>,
    ) -> Result<Layer, LoadError> {
        let source = Source::Project(folder.join("config.toml"));
        let shown = source.shown();
        let disabled = project.disabled_reason(&self.user_file());
        let mut layer = match Layer::read(source.clone()) {
            Ok(layer) => layer,
            // What does not count cannot do harm.
            Err(_) if disabled.is_some() => Layer::made(source, Map::new()),
            Err(error) => return Err(error),
        };
        let refused = |name: &&&str| layer.content.contains_key(**name);
        let dropped: Vec<&str> =
            setting::NOT_FOR_PROJECTS.iter().filter(refused).copied().collect();
        layer.content.retain(|name, _| !dropped.contains(&name.as_str()));
        if !dropped.is_empty() && disabled.is_none() {
            problems.push(Problem::note(format!(
                "These settings of {shown} are not taken from a project: {}. They belong into your own config.toml.",
                dropped.join(", "),
            )));
        }
        layer.disabled = disabled;
        Ok(layer)
    }
}

impl Layers {
    /// The layers that count, lowest first.
    pub(super) fn enabled(&self) -> impl Iterator<Item = &Layer> {
        self.all.iter().filter(|layer| layer.disabled.is_none())
    }

    /// The layers that count, one over the other.
    pub(super) fn merged(&self) -> Map<String, Value> {
        let mut merged = self.base.clone();
        for layer in self.enabled() {
            lay(&mut merged, layer);
        }
        merged
    }

    /// What is not known in a layer that counts.
    fn check_names(&self) -> Result<(), LoadError> {
        let unknown = |layer: &Layer| {
            setting::check(&layer.content).unknown.first().map(|path| layer.unknown(path))
        };
        self.enabled().find_map(unknown).map_or(Ok(()), Err)
    }

    /// What is wrong with a layer that counts.
    fn check(&mut self) -> Result<(), LoadError> {
        let mut unknown = Vec::new();
        for layer in self.enabled() {
            let found = setting::check(&layer.content);
            if let Some(wrong) = found.wrong {
                return Err(layer.error(&wrong));
            }
            // Clients send whatever they like in a request; what is not known there is nobody's mistake.
            if layer.source != Source::Request {
                let shown = layer.source.shown();
                let ignored =
                    |path: &Vec<String>| format!("{shown}: `{}` is ignored.", path.join("."));
                unknown.extend(found.unknown.iter().map(ignored));
            }
        }
        self.problems.extend(unknown_problem(unknown));
        Ok(())
    }

    pub(super) fn decode(mut self) -> Result<Loaded, LoadError> {
        self.check()?;
        let mut merged = self.merged();
        setting::fill_in(&mut merged);
        let hooks = HookSettings::of(self.enabled());
        let mut effective = Effective::new(&merged, self.project)?;
        if effective.features.on(Feature::Hooks) {
            effective.hooks = hooks;
        }
        permission::check_default(&effective)?;
        Ok(Loaded { effective, problems: self.problems })
    }

    fn disabled_problem(&self, user: &Path) -> Option<Problem> {
        let disabled = self.all.iter().filter(|layer| layer.disabled.is_some());
        let lines: Vec<String> = disabled
            .filter_map(|layer| layer.source.file()?.parent())
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
            self.project.place().display(),
            user.display(),
        )))
    }
}

/// Lays a layer over what is below it.
fn lay(merged: &mut Map<String, Value>, layer: &Layer) {
    let content = &layer.content;
    // A sandbox mode is an answer to the same question as a permission profile, so the nearer one counts.
    if content.contains_key("sandbox_mode") && !content.contains_key("default_permissions") {
        merged.remove("default_permissions");
    }
    layer::merge(merged, &layer.content);
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
