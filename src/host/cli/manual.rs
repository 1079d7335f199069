//! `perilune manual`: a page for the program, and one for each command, as `man` reads them.

use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use super::DONE;
use crate::error::{Error, Result};
use crate::files::write_whole;

pub fn run(folder: &Path, program: Command) -> Result<u8> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let mut program = program.disable_help_subcommand(true);
    program.build();
    let mut pages = vec![program];
    let mut count = 0;
    while let Some(command) = pages.pop() {
        pages.extend(command.get_subcommands().filter(|c| !c.is_hide_set()).cloned());
        let page = Man::new(command);
        let path = folder.join(page.get_filename());
        let mut text = Vec::new();
        page.render(&mut text).map_err(|e| Error::io(&path, e))?;
        write_whole(&path, &text)?;
        count += 1;
    }
    crate::say!("wrote {count} pages to {}", folder.display());
    Ok(DONE)
}
