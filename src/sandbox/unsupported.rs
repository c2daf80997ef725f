//! Systems on which commands cannot be confined: every confinement is refused, so nothing that needs one runs.

use std::ffi::OsString;
use std::process::ExitCode;

use super::{Confinement, Method, Missing};

pub(crate) fn enforceable(_confinement: &Confinement) -> Result<Method, Missing> {
    Err(Missing::System)
}

pub(crate) fn run(_request: &str, _argv: &[OsString]) -> ExitCode {
    ExitCode::FAILURE
}
