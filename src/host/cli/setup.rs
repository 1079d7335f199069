//! `perilune setup`: brings the shared libraries that are opened at run time, out of wheels that pip fetches or that lie in a folder.

mod pip;

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use rustix::fs::{FlockOperation, flock};

use super::{DONE, INTERRUPTED};
use crate::catalog::archive::{self, UnzipOptions};
use crate::error::{Error, Result, free_space, shown_bytes};
use crate::files::DraftFolder;
use crate::interrupt;
use crate::libraries::{self, Library, Part};

#[derive(Clone, Copy, ValueEnum)]
pub enum Name {
    /// ONNX Runtime, which computes models
    Onnxruntime,
    /// libtorch, which trains them
    Torch,
}

impl Name {
    fn library(self, cuda: bool) -> &'static Library {
        match (self, cuda) {
            (Name::Onnxruntime, false) => &libraries::ONNX_RUNTIME,
            (Name::Onnxruntime, true) => &libraries::ONNX_RUNTIME_CUDA,
            (Name::Torch, false) => &libraries::TORCH,
            (Name::Torch, true) => &libraries::TORCH_CUDA,
        }
    }
}

/// # Errors
/// On machines that no wheel is pinned for; where there is no room, or a wheel cannot be fetched or is not what is pinned.
pub fn run(name: Name, cuda: bool, from: Option<&Path>) -> Result<u8> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Error::message(format!(
            "libraries are set up on Linux on x86_64 only, and this is {} on {}; models in ONNX are computed without them, slower",
            std::env::consts::OS,
            std::env::consts::ARCH
        )));
    }
    let library = name.library(cuda);
    match set_up(library, &libraries::folder()?, from) {
        Err(Error::Interrupted) => {
            crate::complain!("interrupted; `{}` goes on where it was", library.command);
            Ok(INTERRUPTED)
        }
        done => done.map(|()| DONE),
    }
}

fn set_up(library: &Library, folder: &Path, from: Option<&Path>) -> Result<()> {
    fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let _alone = alone(folder)?;
    let mut missing: Vec<&Part> = Vec::new();
    for part in library.parts {
        if !part.is_in(folder)? {
            missing.push(part);
        }
    }
    let (title, version, place) = (library.title, library.version(), folder.display());
    if missing.is_empty() {
        crate::say!("{title} {version} is there: {place}");
    } else {
        has_room(library, &missing, folder)?;
        if let Some(from) = from {
            has_wheels(&missing, from)?;
        }
        for part in &missing {
            install(part, folder, from)?;
        }
        crate::say!("{title} {version} is set up: {place}");
    }
    for old in libraries::outdated(folder) {
        fs::remove_file(&old).map_err(|e| Error::io(&old, e))?;
        crate::say!("removed {}, of another version", old.display());
    }
    if let (true, Err(why)) = (library.cuda, libraries::driver()) {
        crate::say!("note: {why}; until then the CPU computes");
    }
    Ok(())
}

/// Held until it is dropped, or the process ends however it may.
fn alone(folder: &Path) -> Result<File> {
    let path = folder.join(".lock");
    let failed = |e| Error::io(&path, e);
    let mut options = File::options();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    let mut told = false;
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(e) => return Err(failed(e.into())),
        }
        if !std::mem::replace(&mut told, true) {
            crate::say!("waiting for another `perilune setup`");
        }
        interrupt::check()?;
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Says what comes, and checks that the disk takes it.
fn has_room(library: &Library, missing: &[&Part], folder: &Path) -> Result<()> {
    let fetched: u64 = missing.iter().map(|part| part.bytes).sum();
    let kept: u64 = missing
        .iter()
        .flat_map(|part| part.members)
        .map(|member| member.bytes)
        .sum();
    // One wheel lies there at a time.
    let largest = missing.iter().map(|part| part.bytes).max().unwrap_or(0);
    crate::say!(
        "{} {}: {} to fetch, {} on the disk, in {}",
        library.title,
        library.version(),
        shown_bytes(fetched),
        shown_bytes(kept),
        folder.display()
    );
    match free_space(folder) {
        Some(free) if free < kept + largest => Err(Error::file(
            folder,
            format!(
                "the disk has {} free, and {} needs {} while it is set up; make room there, or name a folder of another disk in \
                 PERILUNE_LIBRARIES",
                shown_bytes(free),
                library.title,
                shown_bytes(kept + largest)
            ),
        )),
        _ => Ok(()),
    }
}

/// Before the first is unpacked.
fn has_wheels(missing: &[&Part], from: &Path) -> Result<()> {
    let absent: Vec<&Part> = missing
        .iter()
        .filter(|part| !from.join(part.wheel).is_file())
        .copied()
        .collect();
    match absent.is_empty() {
        true => Ok(()),
        false => Err(Error::file(
            from,
            format!(
                "has not all the wheels that are needed; {}",
                pip::by_hand(&absent)
            ),
        )),
    }
}

/// Takes the members out of the wheel; all get their names at once.
fn install(part: &Part, folder: &Path, from: Option<&Path>) -> Result<()> {
    let draft = DraftFolder::new(&folder.join("wheel"))?;
    let wheel = match from {
        Some(from) => from.join(part.wheel),
        // By a path that another process can follow.
        None => {
            let place = draft.path().parent().unwrap_or(folder);
            pip::fetch(part, &place.canonicalize().map_err(|e| Error::io(folder, e))?)?
        }
    };
    let found = libraries::sha256(&wheel)?;
    if found != part.sha256 {
        return Err(Error::file(
            wheel,
            format!(
                "is not the wheel that is pinned (its SHA-256 is {found}, not {}); it is damaged or another one: fetch it again",
                part.sha256
            ),
        ));
    }
    crate::say!("unpacking {} {}", part.package, part.version);
    let mut options = UnzipOptions::new(folder);
    options.overwrite = true;
    options.members = part
        .members
        .iter()
        .map(|member| member.path.to_string())
        .collect();
    archive::unzip(&wheel, &options)?;
    match part.is_in(folder)? {
        true => Ok(()),
        false => Err(Error::file(
            folder,
            format!("{} is not what its wheel holds; is the disk sound?", part.package),
        )),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::libraries::Member;

    /// A wheel with one library, and the pin of it.
    fn wheel(place: &Path, version: &str, text: &'static str) -> &'static Part {
        let name = format!("toy-{version}-py3-none-any.whl");
        let path = place.join(&name);
        let mut zip = zip::ZipWriter::new(File::create(&path).unwrap());
        for (name, text) in [("toy/lib/libtoy.so", text), ("toy/__init__.py", "import toy")] {
            zip.start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        let inside = place.join("inside");
        fs::write(&inside, text).unwrap();
        let member = Member {
            path: "toy/lib/libtoy.so",
            bytes: text.len() as u64,
            sha256: libraries::sha256(&inside).unwrap().leak(),
        };
        Box::leak(Box::new(Part {
            package: "toy",
            version: version.to_string().leak(),
            wheel: name.leak(),
            bytes: fs::metadata(&path).unwrap().len(),
            sha256: libraries::sha256(&path).unwrap().leak(),
            members: vec![member].leak(),
        }))
    }

    fn library(part: &'static Part) -> Library {
        Library {
            title: "toy",
            what: "tests",
            command: "perilune setup toy",
            cuda: false,
            parts: std::slice::from_ref(part),
        }
    }

    #[test]
    fn a_library_is_set_up_from_a_folder_of_wheels_and_only_once() {
        let (wheels, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let part = wheel(wheels.path(), "1", "machine code");
        let toy = library(part);
        let place = folder.path().join("libraries");
        set_up(&toy, &place, Some(wheels.path())).unwrap();
        let file = place.join("toy/lib/libtoy.so");
        assert_eq!(fs::read_to_string(&file).unwrap(), "machine code");
        let names = |at: &Path| {
            let mut names: Vec<_> = fs::read_dir(at)
                .unwrap()
                .map(|e| e.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(&place), [".lock", "toy"]);
        assert_eq!(names(&place.join("toy")), ["lib"]);
        // Without the wheel: nothing is fetched.
        fs::remove_file(wheels.path().join(part.wheel)).unwrap();
        set_up(&toy, &place, Some(wheels.path())).unwrap();
        // What is damaged is brought anew.
        fs::write(&file, "machine cod!").unwrap();
        let error = set_up(&toy, &place, Some(wheels.path())).unwrap_err().to_string();
        assert!(
            error.contains("has not all the wheels") && error.contains("toy-1-py3-none-any.whl"),
            "{error}"
        );
        let newer = library(wheel(wheels.path(), "2", "better machine code"));
        set_up(&newer, &place, Some(wheels.path())).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "better machine code");
    }

    #[test]
    fn a_wheel_that_is_not_the_pinned_one_changes_nothing() {
        let (wheels, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let part = wheel(wheels.path(), "1", "machine code");
        let path = wheels.path().join(part.wheel);
        let mut bytes = fs::read(&path).unwrap();
        bytes[40] ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = set_up(&library(part), folder.path(), Some(wheels.path()))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("SHA-256") && error.contains(part.sha256) && error.contains("fetch it again"),
            "{error}"
        );
        assert!(!folder.path().join("toy").exists());
    }

    #[test]
    fn the_second_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = alone(folder.path()).unwrap();
        let place = folder.path().to_path_buf();
        let second = std::thread::spawn(move || alone(&place).map(drop));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!second.is_finished());
        drop(first);
        second.join().unwrap().unwrap();
    }
}
