//! Why GDAL got no bytes on this thread, kept for those who can say it better: GDAL says at best that there is no such file.

use std::cell::RefCell;

use crate::error::Error;

thread_local!(static REFUSED: RefCell<Option<Error>> = const { RefCell::new(None) });

pub(super) fn refuse(error: Error) {
    REFUSED.with_borrow_mut(|refused| *refused = Some(error));
}

/// Why the policy last refused a file on this thread, since this was asked last.
pub fn refusal() -> Option<Error> {
    REFUSED.take()
}
