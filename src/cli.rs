//! The command line: from arguments to a mode, an exit code, and nothing else.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::{self, LoadError, Overrides, Sources};
use crate::frontend::demo;
use crate::server::{Server, StartError};
use crate::transport::socket::{self, Listener};
use crate::transport::{auth, proxy};
use crate::util::error::chain;
use crate::util::task::AbortOnDrop;
use crate::{exec, frontend, logging, sandbox, schema};

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
    /// Where to listen: `stdio://`, `ws://IP:PORT` (0 takes a free port), `unix://` for the home's own socket, or
    /// `unix://PATH`.
    #[arg(long, value_name = "URL", default_value = "stdio://", value_parser = listen_url, conflicts_with = "stdio")]
    listen: Listen,
    /// The same as `--listen stdio://`.
    #[arg(long)]
    stdio: bool,
    #[command(flatten)]
    start: StartArgs,
    #[command(flatten)]
    auth: AuthArgs,
}

/// What comes before serving.
#[derive(Debug, Args)]
struct StartArgs {
    /// Refuse to start with a configuration that cannot be loaded or says something that is not known.
    #[arg(long)]
    strict_config: bool,
    /// Load the configuration, print as one line of JSON how that went, and end.
    #[arg(long)]
    print_startup_config: bool,
    /// For clients that say how they are counted: nothing is counted here.
    #[arg(long, hide = true)]
    analytics_default_enabled: bool,
}

/// What clients of a `ws://` listener have to show.
#[derive(Debug, Args)]
struct AuthArgs {
    /// Let in only clients that show a token.
    #[arg(long = "ws-auth", value_name = "MODE")]
    mode: Option<AuthMode>,
    /// The token is in this file.
    #[arg(long = "ws-token-file", value_name = "PATH")]
    token_file: Option<PathBuf>,
    /// The token has this SHA-256.
    #[arg(long = "ws-token-sha256", value_name = "HEX")]
    token_sha256: Option<String>,
    /// The secret that tokens are signed with is in this file.
    #[arg(long = "ws-shared-secret-file", value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// Signed tokens have to come from this issuer.
    #[arg(long = "ws-issuer", value_name = "ISSUER")]
    issuer: Option<String>,
    /// Signed tokens have to be meant for this audience.
    #[arg(long = "ws-audience", value_name = "AUDIENCE")]
    audience: Option<String>,
    /// How far the clocks may be apart that a signed token's times are held against [default: 30].
    #[arg(long = "ws-max-clock-skew-seconds", value_name = "SECONDS")]
    skew_secs: Option<u64>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AuthMode {
    /// One token for everybody.
    CapabilityToken,
    /// A JSON Web Token, signed with a shared secret.
    SignedBearerToken,
}

impl From<AuthArgs> for auth::Options {
    fn from(args: AuthArgs) -> Self {
        let AuthArgs { mode, token_file, token_sha256, secret_file, issuer, audience, skew_secs } =
            args;
        let mode = mode.map(|mode| match mode {
            AuthMode::CapabilityToken => auth::Mode::Capability,
            AuthMode::SignedBearerToken => auth::Mode::Signed,
        });
        Self { mode, token_file, token_sha256, secret_file, issuer, audience, skew_secs }
    }
}

/// Where to listen.
#[derive(Debug, Clone)]
enum Listen {
    Stdio,
    Tcp(SocketAddr),
    /// On the home's own socket, if there is no path.
    Unix(Option<PathBuf>),
    Off,
}

impl ServerArgs {
    fn overrides(&self) -> Result<Overrides, config::Error> {
        Overrides::parse(&self.config)?.with_features(&self.enable, &self.disable)
    }
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
    /// Pass bytes on between standard input and output and a server's socket.
    Proxy {
        /// The socket; the home's own, unless said otherwise.
        #[arg(long, value_name = "PATH")]
        sock: Option<PathBuf>,
    },
    /// Play a session against a server of this program, without network or key, and show it.
    Demo {
        /// Print the raw lines instead of a transcript.
        #[arg(long)]
        json: bool,
    },
    /// Run a command in the sandbox that commands of a model get.
    Sandbox {
        /// The permission profile, for example `:workspace`; by default what the configuration says.
        #[arg(short = 'P', long, value_name = "PROFILE")]
        permissions_profile: Option<String>,
        /// The folder to run it in.
        #[arg(short = 'C', long, value_name = "DIR")]
        cd: Option<PathBuf>,
        /// The command and its arguments.
        #[arg(last = true, required = true, value_name = "COMMAND")]
        argv: Vec<OsString>,
    },
    /// Confine this process and become a command; the server starts confined commands this way.
    #[command(name = sandbox::HELPER, hide = true)]
    Confined {
        request: String,
        #[arg(last = true)]
        argv: Vec<OsString>,
    },
}

fn listen_url(url: &str) -> Result<Listen, String> {
    if let Some(address) = url.strip_prefix("ws://") {
        return address.parse().map(Listen::Tcp).map_err(|_| {
            format!("invalid websocket --listen URL `{url}`; expected `ws://IP:PORT`")
        });
    }
    match (url, url.strip_prefix("unix://")) {
        ("stdio://", _) => Ok(Listen::Stdio),
        ("off", _) => Ok(Listen::Off),
        (_, Some("")) => Ok(Listen::Unix(None)),
        (_, Some(path)) => Ok(Listen::Unix(Some(PathBuf::from(path)))),
        (_, None) => Err(format!(
            "unsupported --listen URL `{url}`; expected `stdio://`, `unix://`, `unix://PATH`, `ws://IP:PORT`, or `off`"
        )),
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
    #[error(transparent)]
    Sandbox(#[from] frontend::sandbox::Error),
    #[error(transparent)]
    Proxy(#[from] proxy::Error),
    #[error(transparent)]
    Requirements(#[from] config::Unheld),
    #[error(transparent)]
    Strict(#[from] LoadError),
    #[error("startup configuration unavailable")]
    StartupConfig,
    #[error("the working directory cannot be found")]
    Here(#[source] std::io::Error),
    #[error("no transport configured; use --listen or enable remote control")]
    NoTransport,
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
    run(cli).unwrap_or_else(|error| {
        report(&error);
        ExitCode::FAILURE
    })
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

fn run(cli: Cli) -> Result<ExitCode, Error> {
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
        Some(Command::Proxy { sock }) => {
            let path = match sock {
                Some(path) => path,
                None => socket::control_path(&config::home()?),
            };
            proxy::run(&path)?;
        }
        Some(Command::Sandbox { permissions_profile, cd, argv }) => {
            let overrides = cli.server.overrides()?;
            let sources = Sources::new(config::home()?, overrides);
            return Err(
                frontend::sandbox::run(&sources, permissions_profile.as_deref(), cd, argv).into()
            );
        }
        Some(Command::Confined { request, argv }) => {
            return Ok(sandbox::run_helper(&request, &argv));
        }
        None => serve(cli.server)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(args: ServerArgs) -> Result<(), Error> {
    config::check_requirements()?;
    let overrides = args.overrides();
    if args.start.print_startup_config {
        return print_startup_config(overrides);
    }
    let overrides = overrides?;
    let auth = auth::Options::from(args.auth);
    auth.check().map_err(StartError::from)?;
    let sources = Sources::new(config::home()?, overrides);
    if args.start.strict_config {
        sources.check_strictly(&here()?)?;
    }
    let server = Server::new(sources);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(Error::Runtime)?;
    let served = runtime.block_on(async {
        let _orphans = AbortOnDrop::spawn(exec::adopt_orphans());
        let listener = match args.listen {
            Listen::Stdio => return server.serve_stdio().await.map_err(Error::from),
            Listen::Off => return Err(Error::NoTransport),
            Listen::Tcp(address) => {
                let auth = auth.read().map_err(StartError::from)?;
                Listener::tcp(address, auth).await.map_err(StartError::from)?
            }
            Listen::Unix(path) => {
                let path = path.unwrap_or_else(|| socket::control_path(server.home()));
                Listener::unix(server.home(), path).map_err(StartError::from)?
            }
        };
        announce(&listener);
        Ok(server.serve_socket(Arc::new(listener)).await?)
    });
    exec::end_descendants();
    // A read of stdin that is still blocked must not hold up the end.
    runtime.shutdown_background();
    served
}

/// Prints what a client may want to know before it starts a server.
#[expect(clippy::print_stdout, reason = "it is what the option is for")]
fn print_startup_config(overrides: Result<Overrides, config::Error>) -> Result<(), Error> {
    let refusal = match overrides {
        Ok(overrides) => Sources::new(config::home()?, overrides).load(Some(&here()?), None).err(),
        Err(config::Error::OverrideValue(wrong)) => Some(LoadError::new(wrong)),
        Err(error) => return Err(error.into()),
    };
    let is_fine = refusal.is_none();
    println!("{}", frontend::startup::report(refusal));
    if is_fine { Ok(()) } else { Err(Error::StartupConfig) }
}

fn here() -> Result<PathBuf, Error> {
    std::env::current_dir().map_err(Error::Here)
}

/// Says where the server can be reached: with port 0, nobody else knows.
fn announce(listener: &Listener) {
    let Some(address) = listener.address() else { return };
    let text = format!(
        "app-server (WebSockets)\n  listening on: ws://{address}\n  readyz: http://{address}/readyz\n  \
         healthz: http://{address}/healthz\n"
    );
    // Nobody may be reading.
    drop(std::io::stderr().write_all(text.as_bytes()));
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
