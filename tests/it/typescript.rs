//! The generated TypeScript, as a compiler takes it.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use crate::harness::Home;

/// The compiler that the variable names, or the one on the `PATH`; `None` where there is none.
fn compiler() -> Option<OsString> {
    let tsc = std::env::var_os("APP_SERVER_TSC").unwrap_or_else(|| "tsc".into());
    let ran = Command::new(&tsc).arg("--version").stdout(Stdio::null()).status();
    ran.is_ok_and(|status| status.success()).then_some(tsc)
}

#[test]
#[ignore = "takes a minute, and a TypeScript compiler"]
fn the_strictest_compiler_takes_every_type() {
    let Some(tsc) = compiler() else {
        eprintln!("skipped: there is no TypeScript compiler (APP_SERVER_TSC names one)");
        return;
    };
    for options in [&[][..], &["--experimental"]] {
        let home = Home::new();
        let generated = Command::new(env!("CARGO_BIN_EXE_app-server"))
            .args(["generate-ts", "--out", "."])
            .args(options)
            .env("CODEX_HOME", home.home())
            .current_dir(home.work())
            .status();
        assert!(generated.unwrap().success());
        home.write(
            "client.ts",
            "import type { ClientRequest, ServerNotification, v2 } from \"./index\";\n\
             const request: ClientRequest = { method: \"thread/loaded/list\", id: 1, params: {} };\n\
             const thread = (note: ServerNotification): v2.Thread | undefined =>\n\
             note.method === \"thread/started\" ? note.params.thread : undefined;\n\
             export { request, thread };\n",
        );
        let checked = Command::new(&tsc)
            .args(["--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "bundler"])
            .args(["--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes", "client.ts"])
            .current_dir(home.work())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success(), "{options:?}: {said}");
        home.write(
            "client.ts",
            "import type { v2 } from \"./index\";\nexport const id: v2.Thread[\"id\"] = 1;\n",
        );
        let wrong = Command::new(&tsc)
            .args(["--noEmit", "--strict", "client.ts"])
            .current_dir(home.work())
            .status();
        assert!(!wrong.unwrap().success(), "an id is no number");
    }
}
