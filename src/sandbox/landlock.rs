//! Confinement by Landlock alone: what may be written is a list of folders without exceptions, signals stay within
//! the command, and the filter of system calls keeps it off the network.

use ::landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope,
};

use super::{Access, Confinement};

/// The first version that covers all that is needed here: truncation, and signals to others.
const NEEDED: ABI = ABI::V6;
/// Devices that are written to although nothing may be written.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/shm"];

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Error(#[from] Box<RulesetError>);

impl From<RulesetError> for Error {
    fn from(error: RulesetError) -> Self {
        Self(Box::new(error))
    }
}

/// Puts this process, and all that it starts, under the confinement for good.
pub(super) fn restrict(confinement: &Confinement) -> Result<(), Error> {
    let writes = AccessFs::from_write(NEEDED);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(writes)?
        .scope(Scope::from_all(NEEDED))?
        .create()?;
    let writable = confinement.rules.iter().filter(|rule| rule.access == Access::Write);
    let paths = writable.map(|rule| rule.path.as_path()).chain(DEVICES.iter().map(AsRef::as_ref));
    for path in paths {
        // What does not exist cannot be written, and cannot be made outside of a writable folder.
        let Ok(file) = PathFd::new(path) else { continue };
        let allowed = if path.is_dir() { writes } else { writes & AccessFs::from_file(NEEDED) };
        ruleset = ruleset.add_rule(PathBeneath::new(file, allowed))?;
    }
    ruleset.restrict_self()?;
    Ok(())
}
