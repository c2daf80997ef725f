//! How agents that know each other are called: by their place in the tree of agents, which begins with `/root`.

use crate::protocol::AgentPath;

const ROOT: &str = "/root";

/// Why a text names no agent. The texts are for models.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    #[error("the name of an agent must not be empty")]
    Empty,
    #[error("the name of an agent must not contain `/`")]
    Slash,
    #[error("`{0}` is reserved and cannot be the name of an agent")]
    Reserved(String),
    #[error("the name of an agent must only have lowercase letters, digits and underscores")]
    Characters,
    #[error("absolute paths of agents must start with `/root`")]
    Elsewhere,
}

/// The session's first agent.
pub(crate) fn root() -> AgentPath {
    AgentPath::from(ROOT)
}

/// The agent of this name that another one has started.
pub(crate) fn child(parent: &AgentPath, name: &str) -> Result<AgentPath, PathError> {
    match name {
        "" => Err(PathError::Empty),
        _ if name.contains('/') => Err(PathError::Slash),
        "root" | "." | ".." => Err(PathError::Reserved(name.to_owned())),
        _ if name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_')) => {
            Ok(AgentPath::from(format!("{}/{name}", parent.as_str())))
        }
        _ => Err(PathError::Characters),
    }
}

/// The agent that another one means: one below itself, or any by its whole path.
pub(crate) fn resolve(from: &AgentPath, target: &str) -> Result<AgentPath, PathError> {
    let (base, names) = match target.strip_prefix('/') {
        None => (from.clone(), Some(target)),
        Some("root") => (root(), None),
        Some(rest) => (root(), Some(rest.strip_prefix("root/").ok_or(PathError::Elsewhere)?)),
    };
    let names = names.into_iter().flat_map(|names| names.split('/'));
    names.into_iter().try_fold(base, |path, name| child(&path, name))
}

/// Whether an agent is `top` or below it.
pub(crate) fn is_within(path: &AgentPath, top: &AgentPath) -> bool {
    let rest = path.as_str().strip_prefix(top.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let named = |name| child(&root(), name).map(|path| path.as_str().to_owned());
        assert_eq!(named("worker_1"), Ok("/root/worker_1".to_owned()));
        assert_eq!(named(""), Err(PathError::Empty));
        assert_eq!(named("a/b"), Err(PathError::Slash));
        assert_eq!(named("root"), Err(PathError::Reserved("root".to_owned())));
        assert_eq!(named(".."), Err(PathError::Reserved("..".to_owned())));
        assert_eq!(named("Worker-1"), Err(PathError::Characters));
    }

    #[test]
    fn targets() {
        let from = AgentPath::from("/root/a");
        let meant = |target| resolve(&from, target).map(|path| path.as_str().to_owned());
        assert_eq!(meant("b"), Ok("/root/a/b".to_owned()));
        assert_eq!(meant("b/c"), Ok("/root/a/b/c".to_owned()));
        assert_eq!(meant("/root"), Ok("/root".to_owned()));
        assert_eq!(meant("/root/b"), Ok("/root/b".to_owned()));
        assert_eq!(meant("/rootless"), Err(PathError::Elsewhere));
        assert_eq!(meant("../b"), Err(PathError::Reserved("..".to_owned())));
        assert_eq!(meant(""), Err(PathError::Empty));
    }

    #[test]
    fn trees() {
        let top = AgentPath::from("/root/a");
        assert!(is_within(&top, &top));
        assert!(is_within(&AgentPath::from("/root/a/b"), &top));
        assert!(!is_within(&AgentPath::from("/root/ab"), &top));
    }
}
