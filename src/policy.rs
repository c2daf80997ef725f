//! What may run: approval policies, rules, and what can be learned from a command without running it.
//!
//! Pure decisions over protocol types and paths. Asking, remembering across threads, sandboxes and processes belong to
//! others.

pub(crate) mod action;
pub(crate) mod amendment;
pub(crate) mod decide;
pub(crate) mod denial;
pub(crate) mod grant;
pub(crate) mod redact;
pub(crate) mod removal;
pub(crate) mod roots;
pub(crate) mod rules;
pub(crate) mod shell;
pub(crate) mod widening;
pub(crate) mod writable;
