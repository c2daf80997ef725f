//! The permission profiles of `[permissions]`, and what they amount to: the nearest sandbox policy, and rules about
//! single paths that no policy can express.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Effective;
use super::problem::LoadError;
use crate::protocol::{AbsolutePathBuf, FileSystemAccessMode as Access, SandboxPolicy};

/// The profiles that need no configuration, in the order in which they are listed.
pub(crate) const BUILT_IN: [&str; 3] = [READ_ONLY, WORKSPACE, FULL_ACCESS];
pub(super) const READ_ONLY: &str = ":read-only";
pub(super) const WORKSPACE: &str = ":workspace";
pub(super) const FULL_ACCESS: &str = ":danger-full-access";
/// How many profiles may extend one another.
const MAX_DEPTH: usize = 16;

/// A profile of `[permissions]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Profile {
    pub(crate) description: Option<String>,
    pub(crate) extends: Option<String>,
    filesystem: Map<String, Value>,
    network: Option<bool>,
}

/// What is said of one path, or of all that match a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileRule {
    /// Absolute.
    pub(crate) path: PathBuf,
    /// Which paths below `path` are meant, instead of that one.
    pub(crate) pattern: Option<String>,
    pub(crate) access: Access,
}

impl FileRule {
    fn new(path: PathBuf, access: Access) -> Self {
        if !is_pattern(&path) {
            return Self { path, pattern: None, access };
        }
        let plain = path.components().take_while(|part| !is_pattern(part.as_ref()));
        let folder: PathBuf = plain.collect();
        let pattern = path.strip_prefix(&folder).ok().map(|below| below.display().to_string());
        Self { path: folder, pattern, access }
    }
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// What a rule is about, before it is known for which workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Root,
    SlashTmp,
    TmpDir,
    /// Below each folder of the workspace.
    Workspace(PathBuf),
    Path(PathBuf),
}

/// What a profile says, together with those that it extends.
#[derive(Debug, Default)]
struct Resolved {
    rules: BTreeMap<Place, Access>,
    network: bool,
}

/// The profiles of a configuration; `None` without a table of them.
pub(super) fn profiles(merged: &Map<String, Value>) -> Option<BTreeMap<String, Profile>> {
    let table = merged.get("permissions")?.as_object()?;
    Some(table.iter().map(|(name, value)| (name.clone(), Profile::of(value))).collect())
}

impl Profile {
    fn of(value: &Value) -> Self {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            description: text("description"),
            extends: text("extends"),
            filesystem: value
                .get("filesystem")
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default(),
            network: value.pointer("/network/enabled").and_then(Value::as_bool),
        }
    }

    fn rules(&self, name: &str) -> Result<Vec<(Place, Access)>, LoadError> {
        let mut rules = Vec::new();
        for (key, value) in &self.filesystem {
            let below = value.as_object().filter(|_| key == ":workspace_roots");
            let Some(below) = below else {
                let access = access_of(value, name, key)?;
                rules.push((place_of(key, name, access)?, access));
                continue;
            };
            for (path, access) in below {
                let access = access_of(access, name, path)?;
                rules.push((workspace_place(path, name, access)?, access));
            }
        }
        Ok(rules)
    }
}

/// The sandbox policy that is nearest to a profile of `[permissions]`.
pub(super) fn policy(name: &str, effective: &Effective) -> Result<SandboxPolicy, LoadError> {
    let Resolved { rules, network } = resolve(name, effective, 0)?;
    let writes = |place: &Place| rules.get(place) == Some(&Access::Write);
    if !rules.contains_key(&Place::Root) {
        return Err(LoadError::new(format!(
            "permission profile `{name}` must extend another one or have `:root`: what may be read cannot be a list yet"
        )));
    }
    if rules.values().all(|access| *access == Access::Write) && writes(&Place::Root) && network {
        return Ok(SandboxPolicy::DangerFullAccess);
    }
    if rules.values().all(|access| *access != Access::Write) {
        return Ok(SandboxPolicy::ReadOnly { network_access: network });
    }
    let writable = rules.iter().filter(|(_, access)| **access == Access::Write);
    let roots = writable.filter_map(|(place, _)| match place {
        Place::Root => Some(PathBuf::from("/")),
        Place::Path(path) => Some(path.clone()),
        Place::SlashTmp | Place::TmpDir | Place::Workspace(_) => None,
    });
    Ok(SandboxPolicy::WorkspaceWrite {
        writable_roots: roots.map(AbsolutePathBuf::from).collect(),
        network_access: network,
        exclude_tmpdir_env_var: !writes(&Place::TmpDir),
        exclude_slash_tmp: !writes(&Place::SlashTmp),
    })
}

/// What a profile says of single paths in a workspace of these folders; nothing for a built-in one, or for none. A
/// profile that is gone by now says nothing either.
pub(crate) fn file_rules(
    name: Option<&str>,
    effective: &Effective,
    workspace: &[PathBuf],
) -> Vec<FileRule> {
    let Some(name) = name.filter(|name| !BUILT_IN.contains(name)) else { return Vec::new() };
    let Ok(Resolved { rules, .. }) = resolve(name, effective, 0) else { return Vec::new() };
    let top = Place::Workspace(PathBuf::new());
    // A policy that lets something be written takes the workspace for writable.
    let default = (!rules.contains_key(&top)).then_some((top, Access::Read));
    let mut all = Vec::new();
    for (place, access) in default.into_iter().chain(rules) {
        match place {
            Place::Root | Place::SlashTmp | Place::TmpDir => {}
            Place::Path(path) => all.push(FileRule::new(path, access)),
            Place::Workspace(below) => {
                let paths =
                    workspace.iter().map(|root| root.components().chain(below.components()));
                all.extend(paths.map(|path| FileRule::new(path.collect(), access)));
            }
        }
    }
    all
}

fn resolve(name: &str, effective: &Effective, depth: usize) -> Result<Resolved, LoadError> {
    if let Some(resolved) = built_in(name) {
        return Ok(resolved);
    }
    let profile = find(name, effective)?;
    let mut resolved = match &profile.extends {
        Some(_) if depth >= MAX_DEPTH => {
            return Err(LoadError::new(format!(
                "permission profile `{name}` extends itself, or too many others"
            )));
        }
        Some(base) => resolve(base, effective, depth + 1)?,
        None => Resolved::default(),
    };
    resolved.rules.extend(profile.rules(name)?);
    resolved.network = profile.network.unwrap_or(resolved.network);
    Ok(resolved)
}

/// The profile of `[permissions]` with this name.
pub(super) fn find<'a>(name: &str, effective: &'a Effective) -> Result<&'a Profile, LoadError> {
    if name.starts_with(':') {
        return Err(LoadError::new(format!(
            "default_permissions refers to unknown built-in profile `{name}`"
        )));
    }
    let Some(profiles) = &effective.permissions else {
        return Err(LoadError::new("default_permissions requires a `[permissions]` table"));
    };
    profiles.get(name).ok_or_else(|| {
        LoadError::new(format!("default_permissions refers to undefined profile `{name}`"))
    })
}

fn built_in(name: &str) -> Option<Resolved> {
    let rules: &[(Place, Access)] = match name {
        READ_ONLY => &[(Place::Root, Access::Read)],
        WORKSPACE => &[
            (Place::Root, Access::Read),
            (Place::SlashTmp, Access::Write),
            (Place::TmpDir, Access::Write),
            (Place::Workspace(PathBuf::new()), Access::Write),
        ],
        FULL_ACCESS => &[(Place::Root, Access::Write)],
        _ => return None,
    };
    Some(Resolved { rules: rules.iter().cloned().collect(), network: name == FULL_ACCESS })
}

fn access_of(value: &Value, profile: &str, key: &str) -> Result<Access, LoadError> {
    match value.as_str() {
        Some("read") => Ok(Access::Read),
        Some("write") => Ok(Access::Write),
        Some("deny" | "none") => Ok(Access::Deny),
        _ => Err(LoadError::new(format!(
            "permissions.{profile}.filesystem: `{key}` must be \"read\", \"write\" or \"deny\""
        ))),
    }
}

fn place_of(key: &str, profile: &str, access: Access) -> Result<Place, LoadError> {
    check_pattern(key, profile, access)?;
    if let Some(below) = key.strip_prefix("~/") {
        let home = std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"));
        return Ok(Place::Path(home.join(below)));
    }
    match key {
        ":root" => Ok(Place::Root),
        ":slash_tmp" => Ok(Place::SlashTmp),
        ":tmpdir" => Ok(Place::TmpDir),
        ":workspace_roots" => Ok(Place::Workspace(PathBuf::new())),
        path if Path::new(path).is_absolute() => Ok(Place::Path(PathBuf::from(path))),
        _ => Err(LoadError::new(format!(
            "permissions.{profile}.filesystem: `{key}` is neither an absolute path nor a known place"
        ))),
    }
}

fn workspace_place(path: &str, profile: &str, access: Access) -> Result<Place, LoadError> {
    check_pattern(path, profile, access)?;
    let below = if path == "." { PathBuf::new() } else { PathBuf::from(path) };
    let leaves = below.components().any(|part| !matches!(part, std::path::Component::Normal(_)));
    if leaves {
        return Err(LoadError::new(format!(
            "permissions.{profile}.filesystem: `{path}` is not a path within the workspace"
        )));
    }
    Ok(Place::Workspace(below))
}

/// What matches a pattern is known when a command starts, and only for what is to be kept from it.
fn check_pattern(key: &str, profile: &str, access: Access) -> Result<(), LoadError> {
    if access != Access::Deny && is_pattern(Path::new(key)) {
        return Err(LoadError::new(format!(
            "permissions.{profile}.filesystem: patterns such as `{key}` can only be denied"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
