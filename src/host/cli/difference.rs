//! `perilune diff`: how two bundles differ.

use std::path::Path;

use super::unpack::bundle;
use super::{DONE, SCRIPT_ERROR};
use crate::error::Result;
use crate::share::bundle::differences;
use crate::share::permissions::escaped;

/// Exit code 1 where they differ.
///
/// # Errors
/// When one of both is no bundle.
pub fn run(old: &Path, new: &Path) -> Result<u8> {
    let (old, new) = (bundle(old)?, bundle(new)?);
    let mut parts = Vec::new();
    if let (Some(old), Some(new)) = (&old.bundle, &new.bundle) {
        parts = differences(&old.bundle, &new.bundle);
    }
    let (before, after) = (old.signed_by(), new.signed_by());
    if before != after {
        crate::say!("signed by\n  {} → {}", escaped(&before), escaped(&after));
    }
    for part in &parts {
        crate::say!("{}", escaped(&part.name));
        part.lines.iter().for_each(|line| crate::say!("  {line}"));
    }
    Ok(match parts.is_empty() && before == after {
        true => {
            crate::say!("the same");
            DONE
        }
        false => SCRIPT_ERROR,
    })
}
