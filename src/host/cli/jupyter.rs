//! `perilune jupyter`: the kernel of notebooks.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::{DONE, Global, project};
use crate::error::{Error, Result};
use crate::host::jupyter::{self, Connection, Kernels};

#[derive(Subcommand)]
pub enum Action {
    /// Tell Jupyter of this perilune; options of perilune that are given here hold for its kernels
    Install(Where),
    /// Have Jupyter know it no more
    Uninstall(Where),
    /// Be a kernel: Jupyter starts it so
    Run {
        /// That Jupyter has written
        connection_file: PathBuf,
    },
}

#[derive(Args)]
#[group(multiple = false)]
pub struct Where {
    /// For this user, whatever environment Jupyter is in; so it is unless told otherwise
    #[arg(long)]
    user: bool,
    /// For the environment or system below DIR, as /opt/jupyter
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// For the environment of Python or conda that is active
    #[arg(long)]
    sys_prefix: bool,
}

impl Where {
    fn kernels(self) -> Kernels {
        match self.prefix {
            Some(prefix) => Kernels::Below(prefix),
            None if self.sys_prefix => Kernels::Active,
            None => Kernels::User,
        }
    }
}

pub fn run(action: Action, global: &Global) -> Result<u8> {
    match action {
        Action::Install(place) => {
            let folder = jupyter::install(&place.kernels(), &global.words())?;
            crate::say!(
                "installed in {}; choose the kernel perilune in a new notebook",
                folder.display()
            );
        }
        Action::Uninstall(place) => {
            let folder = jupyter::uninstall(&place.kernels())?;
            crate::say!("removed from {}", folder.display());
        }
        Action::Run { connection_file } => {
            if global.permissions.untrusted {
                return Err(Error::message(
                    "--untrusted is for a file: perilune run --untrusted FILE",
                ));
            }
            let connection = Connection::read(&connection_file)?;
            // The sockets are opened behind this: nothing that it starts then holds their ports when the kernel has gone.
            let project = project::around(Path::new("."), project::Fetch::Yes)?;
            let access = global.confined(&[])?;
            jupyter::run(&connection, global.limits(), access, project, global.quiet)?;
        }
    }
    Ok(DONE)
}
