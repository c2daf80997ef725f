//! Clients of our own server, which speak the protocol like everybody else, and commands that need no server.

pub(crate) mod demo;
pub(crate) mod sandbox;
pub(crate) mod startup;
