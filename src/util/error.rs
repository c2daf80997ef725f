//! Errors as people read them.

use std::error::Error;
use std::iter::successors;

/// An error with its causes.
pub(crate) fn chain(error: &dyn Error) -> String {
    let causes = successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| text + &format!(": {cause}"))
}
