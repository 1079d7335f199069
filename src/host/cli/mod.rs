//! The command line: options, commands, exit codes (0 done, 1 a script failed, 2 wrong usage, 130 interrupted).

mod ask;
mod asked;
mod bundle;
mod bundled;
mod convert;
mod difference;
mod doctor;
mod dry_run;
mod fetch;
mod fmt;
mod inspect;
mod jupyter;
mod lint;
mod login;
mod manual;
mod permissions;
mod project;
mod provenance;
mod reported;
mod script;
mod scripts;
mod setup;
mod test;
mod texts;
mod types;
mod unpack;
mod untrusted;
mod verify;
mod workflows;

use std::io::Write;
use std::os::fd::IntoRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory, Parser, Subcommand};

use super::confine::{Confine, Level, confine, without_sockets};
use super::{Limits, documentation, repl, signals};
use crate::bounds::{parse_size, process};
use crate::bytes::credentials::Vault;
use crate::bytes::http::{Grant, Hosts, hold_hosts};
use crate::console::Console;
use crate::error::{Error, Result};
use crate::lua::Access;
use crate::raster::file::probe;
use crate::work::Context;
use crate::{console, panics, scratch};
use permissions::Permissions;
pub use scripts::Script;

/// A scripting host for Earth observation: lazy rasters, SAR filters and figures from Lua.
#[derive(Parser)]
#[command(name = "perilune", version, args_conflicts_with_subcommands = false)]
struct Cli {
    /// Run CODE; the modules are in scope
    #[arg(short = 'e', value_name = "CODE")]
    code: Option<String>,

    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    command: Option<Command>,
}

/// Options of every command.
#[derive(Args, Clone)]
pub struct Global {
    /// Threads that compute; all cores unless given
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,

    /// Memory for pixels and what searches find, such as 2GiB; a quarter of RAM unless given. The program takes 80 MiB beside it
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size)]
    memory: Option<usize>,

    /// Memory for the script's own tables and strings
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size, default_value = "1GiB")]
    lua_memory: usize,

    /// Stop the script after this many seconds
    #[arg(long, global = true, value_name = "SECONDS", value_parser = parse_seconds)]
    time_limit: Option<Duration>,

    #[command(flatten)]
    permissions: Permissions,

    /// Whether the system itself holds scripts to their folders, and refuses them programs and logins
    #[arg(long, global = true, value_name = "HOW", value_enum, default_value = "auto")]
    confine: Confine,

    /// Write below FOLDER, by whole paths, what scripts write elsewhere, and read it from there; files named in FOLDER/.hidden are as if they
    /// were not
    #[arg(long, global = true, value_name = "FOLDER", hide = true)]
    aside: Option<PathBuf>,

    /// No progress on standard error
    #[arg(long, short, global = true)]
    quiet: bool,

    /// The page that `run` writes
    #[arg(skip)]
    report: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run a script, or a workflow that ships, by its name
    #[command(disable_help_flag = true)]
    Run {
        /// Compute, download and write nothing, and tell what would be
        #[arg(long)]
        dry_run: bool,
        /// Also write a page about the run: code in steps (lines --%%), what they say and show, files, versions
        #[arg(long, value_name = "FILE.html")]
        report: Option<PathBuf>,
        /// Refuse a bundle where perilune, its library, GDAL, PROJ or EPSG are of other versions than those that it was made with
        #[arg(long)]
        as_locked: bool,
        /// A Lua file, an address, a name in perilune.toml or one that `perilune workflows` lists, and its parameters as --name value; --help lists them
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "SCRIPT [--NAME VALUE]"
        )]
        script: Vec<String>,
    },
    /// Make of a script one file that can be handed on: with its modules, parameters, permissions, and the hashes of its data and results
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Bundle {
        #[command(subcommand)]
        action: Option<bundle::Action>,
        #[command(flatten)]
        wanted: Option<bundle::Wanted>,
    },
    /// Write the script and the modules of a bundle out, never over files that are there
    Unpack {
        /// The bundle, or its address
        bundle: PathBuf,
        /// Where to; a folder of the script's name unless given
        folder: Option<PathBuf>,
    },
    /// Tell how two bundles differ: what they need, their parameters, data, results and texts
    Diff {
        /// The older one, or its address
        old: PathBuf,
        /// The newer one
        new: PathBuf,
    },
    /// Tell what a script is, what it reads, writes and contacts, without running it
    Inspect {
        /// A Lua file, its address, or the name of a workflow
        script: String,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Forget what you have granted to this very content, so that it asks again
        #[arg(long, conflicts_with = "json")]
        forget: bool,
    },
    /// Make a notebook (.ipynb) of a script, or a script of a notebook: steps (lines --%%) are cells
    Convert {
        /// A Lua file, the name of a workflow, or a notebook
        from: PathBuf,
        /// The other one
        to: PathBuf,
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Add a library to perilune.toml, with the hash of what is fetched; without a name, fetch those that it names
    Add(project::Wanted),
    /// Run the tests of a project: the files in its folder tests
    Test(test::Wanted),
    /// Fetch what lies at an address into the cache, and say its hash
    #[command(hide = true)]
    Fetch {
        address: String,
        /// The hash that it has to have
        sha256: Option<String>,
    },
    /// Set scripts out as the library is: indentation, spaces, blank lines and quotes; lines end where they do
    Fmt {
        /// Tell what would change, and change nothing; exit code 1 where something would
        #[arg(long)]
        check: bool,
        /// Lua files, folders of such, or - for standard input
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Tell what scripts get wrong, without running them: unknown fields and options, wrong types, unused variables
    #[command(after_help = lint::rules())]
    Lint {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Lua files, folders of such, or - for standard input; the working folder unless given
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Start the prompt; so does perilune alone
    Repl,
    /// Run cells of Jupyter's notebooks
    Jupyter {
        #[command(subcommand)]
        action: jupyter::Action,
    },
    /// List the workflows, or copy one to edit it
    Workflows {
        #[command(subcommand)]
        action: Option<workflows::Action>,
    },
    /// Tell how files were made: of what, by which script, with which parameters and versions
    Provenance {
        /// Files that perilune has made
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The record itself
        #[arg(long, conflicts_with_all = ["methods", "ro_crate"])]
        json: bool,
        /// A paragraph for a paper, with the literature of what was used, as BibTeX too
        #[arg(long, conflicts_with = "ro_crate")]
        methods: bool,
        /// Make an RO-Crate of the file: a folder that repositories take
        #[arg(long, value_name = "FOLDER")]
        ro_crate: Option<PathBuf>,
    },
    /// Make files again, in a folder that goes, and tell whether they come out the same
    Verify {
        /// Files that perilune has made, folders of such, or bundles, or their addresses, that name what they make
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// Only look whether script and inputs are what they were
        #[arg(long)]
        no_run: bool,
    },
    /// Show the help of a module, function or method
    Doc {
        /// Such as raster, filter.lee or Raster:write
        name: String,
    },
    /// Show versions, formats and resources, and what is missing
    Doctor,
    /// Bring a library that models need, out of its wheel on PyPI
    Setup {
        /// Which one
        #[arg(value_enum)]
        library: setup::Name,
        /// With what computes on NVIDIA's GPUs
        #[arg(long)]
        cuda: bool,
        /// A folder with the wheels, where there is no network
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
    },
    /// Ask for a login of an archive, check it and store it for the catalogues
    Login {
        /// A host, or earthdata, usgs, m2m, planetary-computer
        host: String,
        /// The user's name there; asked for unless given
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// A token instead of a user and a password
        #[arg(long)]
        token: bool,
        /// Store it without asking the host
        #[arg(long)]
        no_check: bool,
    },
    /// Forget the stored logins of a host
    Logout {
        /// A host or an archive, as for login
        host: String,
    },
    /// List the hosts that logins are known for, and where they were found
    Logins,
    /// Write type stubs and .luarc.json into a folder, for editors
    Types {
        /// The folder that the editor opens
        folder: PathBuf,
    },
    /// Write manual pages, for `man`, into a folder
    Manual {
        /// Such as ~/.local/share/man/man1
        folder: PathBuf,
    },
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

pub const DONE: u8 = 0;
pub const SCRIPT_ERROR: u8 = 1;
pub const USAGE: u8 = 2;
pub const INTERRUPTED: u8 = 130;
/// As for a program that SIGPIPE ended: nobody reads the output any more.
pub const READER_GONE: u8 = 141;

pub fn main() -> ! {
    panics::keep_places();
    signals::install();
    configure_libraries();
    let cli = Cli::try_parse().unwrap_or_else(|error| refuse(&error));
    let console = Arc::new(Console::new(cli.global.quiet));
    let mut context = Context::new().with_progress(console.clone()).with_output(console);
    if let Some(threads) = cli.global.threads {
        context = context.with_threads(threads.into());
    }
    if let Some(memory) = cli.global.memory.filter(|memory| *memory > 0) {
        context = context.with_memory(memory);
    }
    let _entered = context.enter();
    process::limit(cli.global.lua_memory);
    let code = panics::caught(|| dispatch(cli)).unwrap_or_else(|error| {
        crate::complain!("error: {error}");
        USAGE
    });
    scratch::remove();
    leave(code)
}

/// Ends the process. What libraries have registered for its end is left out: it would take apart what other threads of theirs and ours
/// still use, and all files are closed by now.
fn leave(code: u8) -> ! {
    let _ = (std::io::stdout().flush(), std::io::stderr().flush());
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(code.into()) }
}

/// Says what is wrong with the command line, and ends. A script or workflow in the place of a command is answered by what runs it.
fn refuse(error: &clap::Error) -> ! {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && (word.ends_with(".lua") || Path::new(word).is_file() || Script::find(word).is_ok())
    {
        crate::complain!("error: {word} is a script; write `perilune run {word}`");
        std::process::exit(USAGE.into());
    }
    error.exit()
}

/// The netCDF library reads `.ncrc`, `.daprc` and `.dodsrc` of the working folder and the home folder, which can name cookie jars,
/// certificates and hosts, and asks addresses by a client of its own, past ours. It gets a configuration in which there are none: what
/// it asks goes to a port that is none.
fn configure_libraries() {
    const NOWHERE: &str = "HTTP.PROXY.SERVER=http://127.0.0.1:0\nHTTP.TIMEOUT=1\nHTTP.NETRC=/dev/null\n";
    let file = rustix::fs::memfd_create("netcdf", rustix::fs::MemfdFlags::CLOEXEC).map(std::fs::File::from);
    let Ok(mut file) = file else { return };
    if file.write_all(NOWHERE.as_bytes()).is_ok() {
        // It stays open, for the library reads it at its first file.
        let path = format!("/proc/self/fd/{}", file.into_raw_fd());
        // SAFETY: no other thread runs yet.
        unsafe { std::env::set_var("NCRCENV_RC", path) };
    }
}

/// `Err` is wrong usage; what goes wrong inside scripts is reported where it happens.
fn dispatch(cli: Cli) -> Result<u8> {
    let global = cli.global;
    match (cli.command, cli.code) {
        (None, Some(_)) | (None | Some(Command::Repl), None) if global.permissions.untrusted => Err(
            Error::message("--untrusted is for a file: perilune run --untrusted FILE"),
        ),
        (None, Some(code)) => script::run_code(&code, &global),
        (Some(_), Some(_)) => Err(Error::message("-e CODE stands alone, without a command")),
        (None | Some(Command::Repl), None) => {
            // The system lets the prompt write its history only where the folder is there before.
            if let Some(folder) = repl::history_path().as_deref().and_then(Path::parent) {
                let _ = std::fs::create_dir_all(folder);
            }
            let project = project::around(Path::new("."), project::Fetch::Yes)?;
            repl::start(global.limits(), global.confined(&[])?, project)
        }
        (
            Some(Command::Run {
                dry_run,
                report,
                as_locked,
                script,
            }),
            None,
        ) => match script.split_first() {
            Some((name, _)) if name == "--help" || name == "-h" => {
                print_help("run");
                Ok(DONE)
            }
            Some((name, _)) if name.starts_with('-') => Err(Error::message(format!(
                "perilune has no option {name}; `perilune run --help` lists them"
            ))),
            Some((name, parameters)) => {
                let global = Global { report, ..global };
                script::run(name, parameters, script::How { dry_run, as_locked }, &global)
            }
            None => {
                print_help("run");
                Ok(USAGE)
            }
        },
        (Some(Command::Jupyter { action }), None) => jupyter::run(action, &global),
        (Some(command), None) => print(command, &global),
    }
}

/// The commands that only print. Where nobody reads any more, as in `| head`, they end like other programs.
fn print(command: Command, global: &Global) -> Result<u8> {
    // SAFETY: nothing else runs yet, and SIG_DFL is a valid disposition of SIGPIPE.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    match command {
        Command::Repl | Command::Run { .. } | Command::Jupyter { .. } => Ok(DONE),
        Command::Workflows { action } => workflows::run(action),
        Command::Doc { name } => {
            crate::say!("{}", documentation::show(&name, console::width())?);
            Ok(DONE)
        }
        Command::Provenance {
            files,
            json,
            methods,
            ro_crate,
        } => provenance::run(&files, &provenance::Form::of(json, methods, ro_crate), global),
        Command::Verify { paths, no_run } => verify::run(&paths, no_run, global),
        Command::Convert { from, to, force } => convert::run(&from, &to, force),
        Command::Bundle {
            action: Some(action), ..
        } => action.run(),
        Command::Bundle {
            wanted: Some(wanted), ..
        } => bundle::run(&wanted),
        Command::Bundle { .. } => {
            print_help("bundle");
            Ok(USAGE)
        }
        Command::Add(wanted) => project::add(&wanted),
        Command::Test(wanted) => test::run(&wanted, global),
        Command::Fetch { address, sha256 } => fetch::run(&address, sha256.as_deref()),
        Command::Unpack { bundle, folder } => unpack::run(&bundle, folder.as_deref()),
        Command::Diff { old, new } => difference::run(&old, &new),
        Command::Doctor => doctor::run(global),
        Command::Inspect {
            script, forget: true, ..
        } => inspect::forget(&script),
        Command::Inspect { script, json, .. } => inspect::run(&script, json),
        Command::Setup { library, cuda, from } => setup::run(library, cuda, from.as_deref()),
        Command::Login {
            host,
            user,
            token,
            no_check,
        } => login::login(&host, user, token, no_check),
        Command::Logout { host } => login::logout(&host),
        Command::Logins => login::list(),
        Command::Fmt { check, paths } => fmt::run(&paths, check),
        Command::Lint { json, paths } => lint::run(&paths, json),
        Command::Types { folder } => types::run(&folder),
        Command::Manual { folder } => manual::run(&folder, Cli::command()),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "perilune", &mut std::io::stdout());
            Ok(DONE)
        }
    }
}

fn print_help(command: &str) {
    let mut cli = Cli::command();
    cli.build();
    if let Some(command) = cli.find_subcommand_mut(command) {
        crate::say!("{}", command.render_long_help());
    }
}

impl Global {
    pub fn limits(&self) -> Limits {
        Limits {
            heap: self.lua_memory,
            time: self.time_limit,
        }
    }

    /// # Errors
    /// When the working folder is gone.
    pub fn access(&self) -> Result<Access> {
        let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
        let mut access = Access::new(working);
        for folder in &self.permissions.allow_write {
            access.allow(folder);
        }
        self.write_aside(&mut access)?;
        Ok(access)
    }

    /// # Errors
    /// When the folder for what is written elsewhere is not there.
    fn write_aside(&self, access: &mut Access) -> Result<()> {
        match &self.aside {
            Some(folder) => access.write_aside(folder, verify::hidden_in(folder)?),
            None => Ok(()),
        }
    }

    /// The policy of a script of the user's own that gets `given` as parameters, after which the system holds this process to it.
    ///
    /// # Errors
    /// As `access` and `hold`; when permissions are given that are for scripts of others.
    pub fn confined(&self, given: &[(String, Option<String>)]) -> Result<Access> {
        let p = &self.permissions;
        if p.allow_all || !(p.allow_read.is_empty() && p.allow_host.is_empty() && p.allow_login.is_empty()) {
            return Err(Error::message(
                "your own scripts read and ask what you do; --allow-read, --allow-host, --allow-login and --allow-all are for scripts of \
                 others: add --untrusted",
            ));
        }
        let mut access = self.access()?;
        for text in given.iter().filter_map(|(_, text)| text.as_deref()) {
            access.allow_place_of(text);
        }
        self.hold(access, None, None)
    }

    /// Has the system, and perilune itself, hold this process to `access` and what is denied on the command line; for a script of others, to the
    /// servers and the logins that it was granted. Logins are read before, as their files are closed then.
    ///
    /// # Errors
    /// With `--confine=require`, where a part of the hold is missing; when the process that tries damaged files cannot be started.
    pub fn hold(
        &self,
        access: Access,
        hosts: Option<Vec<Grant>>,
        logins: Option<&[String]>,
    ) -> Result<Access> {
        let mut access = access;
        if let Some(page) = &self.report {
            access.allow_file(page);
        }
        let denied = &self.permissions;
        access.deny(&denied.deny_read, &denied.deny_write);
        let denied: Vec<Grant> = denied
            .deny_host
            .iter()
            .filter_map(|text| Grant::parse(text).ok())
            .collect();
        if hosts.is_some() || !denied.is_empty() {
            hold_hosts(Hosts {
                granted: hosts,
                denied,
            });
        }
        access.hold();
        if access.is_restricted() {
            access.policy().find_numbers();
        }
        Vault::read_early(logins);
        let level = confine(&access, self.confine)?;
        if level.files.is_some() {
            access.seal();
        }
        let sockets = || {
            if level.calls {
                without_sockets();
            }
        };
        probe::start(sockets).map_err(|e| {
            Error::message(format!(
                "the process that tries damaged files cannot be started: {e}"
            ))
        })?;
        Ok(access)
    }

    /// How far the system holds a script that is run here; from then on this process.
    ///
    /// # Errors
    /// As `access`; with `--confine=require`, where a part of the hold is missing.
    pub fn level(&self) -> Result<Level> {
        confine(&self.access()?, self.confine)
    }
}

/// Whether `--name` is an option of perilune itself.
pub fn is_global_option(name: &str) -> bool {
    let name = name.replace('_', "-");
    Cli::command()
        .get_arguments()
        .any(|argument| argument.get_long() == Some(&name))
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "must be a number of seconds".to_string())?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| "must be a positive number of seconds".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
