//! Hooks: commands of the user's that run at fixed points of a thread's life, are told what happens, and may add to it
//! or object.
//!
//! A [`Hooks`] is what a configuration declares; those of it that may run make the [`ThreadHooks`] of a thread, which
//! are fixed when the thread is loaded. At an [`Occasion`] the ones that match make a [`Round`]: they run together, and
//! what they say becomes one [`Outcome`]. What follows from it is decided by whoever asked. A thread without hooks has
//! no `ThreadHooks`, and pays nothing.

mod context;
mod declare;
mod event;
mod matcher;
mod occasion;
mod outcome;
mod round;
mod trust;

pub(crate) use declare::{Hook, Hooks};
pub(crate) use occasion::{
    Agent, CompactionTrigger, ModelAnswer, Occasion, SessionEndReason, SessionOrigin, Situation,
    ToolUse,
};
pub(crate) use outcome::{Objection, Outcome, Permission};
pub(crate) use round::{Report, Round, ThreadHooks, TurnHooks};
