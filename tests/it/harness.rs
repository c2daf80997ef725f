//! What the scenarios are written with: a home and a workspace of their own, a scripted model, and a client that
//! speaks JSONL with the server under test.
//!
//! A scenario scripts the model, speaks, and compares the trace. When its client is dropped, the server is ended and
//! the whole trace is held against the rules of order (`order`) and the JSON Schema (`schema`).

pub(crate) mod client;
pub(crate) mod event;
pub(crate) mod home;
pub(crate) mod issuer;
pub(crate) mod model;
pub(crate) mod order;
mod random;
pub(crate) mod schema;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod trace;

use serde_json::{Value, json};

pub(crate) use client::Client;
pub(crate) use event as ev;
pub(crate) use home::{CATALOG, Config, Home};
pub(crate) use model::{Gate, Model, Request, Step, cut, held, http};
pub(crate) use random::Random;
pub(crate) use server::{runs, until};
pub(crate) use socket::{Address, Listening};

/// Ends a scenario early when another binary than ours is under test: what follows is better than the reference.
macro_rules! ours_only {
    () => {
        if crate::harness::server::is_another() {
            return;
        }
    };
}
pub(crate) use ours_only;

/// Ends a scenario early while the schema does not have this method: it starts to count when the method arrives.
macro_rules! waits_for {
    ($method:literal) => {
        if !crate::harness::schema::has($method) {
            return;
        }
    };
}
pub(crate) use waits_for;

/// One scenario's world.
pub(crate) struct Lab {
    pub(crate) home: Home,
    pub(crate) model: Model,
}

impl Lab {
    /// A fresh world with the default configuration.
    pub(crate) fn new() -> Self {
        Self::with(&Config::default())
    }

    /// A fresh world with this configuration.
    pub(crate) fn with(config: &Config) -> Self {
        let model = Model::start();
        let home = Home::new();
        home.write_config(config, &model.url());
        Self { home, model }
    }

    /// A fresh world whose model is known, with these changes to its description.
    pub(crate) fn describing(model: &Value, config: Config) -> Self {
        let top = format!("{CATALOG}\n{}", config.top);
        let lab = Self::with(&Config { top, ..config });
        lab.home.describe_model(model);
        lab
    }

    /// Starts a server without the handshake.
    pub(crate) fn spawn(&self) -> Client {
        Client::spawn(&self.home, &["app-server"])
    }

    /// Starts a server and shakes hands, with the experimental interface.
    pub(crate) fn start(&self) -> Client {
        self.start_with(&json!({"experimentalApi": true}))
    }

    /// Starts a server and shakes hands with these capabilities.
    pub(crate) fn start_with(&self, capabilities: &Value) -> Client {
        let client = self.spawn();
        client.shake_hands(capabilities);
        client
    }

    /// Starts a server that listens on a port of its own.
    pub(crate) fn listen(&self) -> Listening<'_> {
        Listening::start(&self.home, "ws://127.0.0.1:0", &[])
    }
}
