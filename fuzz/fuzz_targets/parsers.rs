//! The parser that PERILUNE_FUZZ names, of `perilune::fuzzing::TARGETS`; scripts/fuzz runs them all.

#![no_main]

use std::sync::LazyLock;

use perilune::fuzzing::TARGETS;

static READ: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("PERILUNE_FUZZ").unwrap_or_default();
    let found = TARGETS.iter().find(|(target, ..)| *target == name);
    let Some((_, read, seeds)) = found else {
        let names: Vec<&str> = TARGETS.iter().map(|(name, ..)| *name).collect();
        eprintln!("PERILUNE_FUZZ={name} names no target; there are: {}", names.join(" "));
        std::process::exit(2);
    };
    if let Some(folder) = std::env::var_os("PERILUNE_FUZZ_SEEDS") {
        for (at, seed) in seeds.iter().enumerate() {
            let path = std::path::Path::new(&folder).join(format!("seed-{at}"));
            if let Err(e) = std::fs::write(&path, seed) {
                eprintln!("{}: {e}", path.display());
                std::process::exit(2);
            }
        }
    }
    *read
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| READ(bytes));
