//! Clients of our own server: they speak the protocol like everybody else.

pub(crate) mod demo;
