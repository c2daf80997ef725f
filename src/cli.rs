//! The command line: from arguments to a mode, an exit code, and nothing else.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{self, Overrides, Sources};
use crate::frontend::demo;
use crate::server::{Server, StartError};
use crate::util::error::chain;
use crate::{logging, schema};

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (protocol 0.169.0)");

/// An agent harness for client programs: JSON-RPC messages in and out, one a line.
///
/// Without a command it serves one client on standard input and output until the input ends.
#[derive(Debug, Parser)]
#[command(name = "app-server", version = VERSION, about, long_about)]
struct Cli {
    #[command(flatten)]
    server: ServerArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct ServerArgs {
    /// Override one setting of config.toml, for example `-c model=gpt-5.5`. The key is a dotted path, the value TOML or
    /// else plain text. May be repeated; later ones win.
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE", global = true)]
    config: Vec<String>,
    /// Switch a feature on: the same as `-c features.NAME=true`.
    #[arg(long, value_name = "FEATURE", global = true)]
    enable: Vec<String>,
    /// Switch a feature off: the same as `-c features.NAME=false`.
    #[arg(long, value_name = "FEATURE", global = true)]
    disable: Vec<String>,
    /// Where to listen: only `stdio://` for now.
    #[arg(long, value_name = "URL", default_value = "stdio://", value_parser = listen_url, conflicts_with = "stdio")]
    listen: String,
    /// The same as `--listen stdio://`.
    #[arg(long)]
    stdio: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the TypeScript types of the protocol to a folder.
    GenerateTs {
        /// The folder; it is created when it is missing.
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        /// Include what is not stable yet.
        #[arg(long)]
        experimental: bool,
        /// Format the files with this Prettier executable.
        #[arg(short, long, value_name = "BIN")]
        prettier: Option<PathBuf>,
    },
    /// Write the JSON Schemas of the protocol to a folder.
    GenerateJsonSchema {
        /// The folder; it is created when it is missing.
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        /// Include what is not stable yet.
        #[arg(long)]
        experimental: bool,
    },
    /// Play a session against a server of this program, without network or key, and show it.
    Demo {
        /// Print the raw lines instead of a transcript.
        #[arg(long)]
        json: bool,
    },
}

fn listen_url(url: &str) -> Result<String, String> {
    match url {
        "stdio://" => Ok(url.to_owned()),
        _ => Err(format!("unsupported --listen URL `{url}`; expected `stdio://`")),
    }
}

/// Why the program could not do what it was called for.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Config(#[from] config::Error),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Schema(#[from] schema::Error),
    #[error(transparent)]
    Demo(#[from] demo::Error),
    #[error("the runtime cannot be started")]
    Runtime(#[source] std::io::Error),
}

pub(crate) fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(arguments(std::env::args_os())) {
        Ok(cli) => cli,
        // Help and version are "errors" too; clap knows where to print them and with which code to exit.
        Err(error) => error.exit(),
    };
    logging::start();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::FAILURE
        }
    }
}

/// Existing clients spawn `<binary> app-server …`; that word, in first place or behind global options, says nothing.
fn arguments(all: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut all: Vec<OsString> = all.collect();
    let mut index = 1;
    while all.get(index).is_some_and(|word| word == "-c" || word == "--config") {
        index += 2;
    }
    if all.get(index).is_some_and(|word| word == "app-server") {
        all.remove(index);
    }
    all
}

fn run(cli: Cli) -> Result<(), Error> {
    match cli.command {
        Some(Command::GenerateTs { out, experimental, prettier }) => {
            schema::write_typescript(&out, experimental, prettier.as_deref())?;
        }
        Some(Command::GenerateJsonSchema { out, experimental }) => {
            schema::write_json(&out, experimental)?;
        }
        Some(Command::Demo { json }) => {
            demo::run(if json { demo::Show::Lines } else { demo::Show::Transcript })?;
        }
        None => serve(&cli.server)?,
    }
    Ok(())
}

fn serve(args: &ServerArgs) -> Result<(), Error> {
    let overrides = Overrides::parse(&args.config)?.with_features(&args.enable, &args.disable)?;
    let server = Server::new(Sources::new(config::home()?, overrides));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let served = runtime.block_on(server.serve_stdio());
    // A read of stdin that is still blocked must not hold up the end.
    runtime.shutdown_background();
    Ok(served?)
}

/// The work is waiting for models, commands and clients; more threads would only cost memory.
const WORKERS: usize = 2;

#[expect(
    clippy::print_stderr,
    reason = "the one place where the program speaks to the shell that called it"
)]
fn report(error: &Error) {
    eprintln!("Error: {}", chain(error));
}
