//! Why GDAL got no bytes on this thread, kept for those who can say it better: GDAL says at best that there is no such file, and goes on
//! without what it could not read of a header.

use std::cell::RefCell;

use crate::error::Error;

#[derive(Default)]
struct Reasons {
    /// The policy forbids a file.
    refused: Option<Error>,
    /// A server does not give what it should.
    broken: Option<Error>,
    /// A server has no such file.
    absent: Option<Error>,
}

thread_local!(static REASONS: RefCell<Reasons> = RefCell::default());

pub(super) fn refuse(error: Error) {
    REASONS.with_borrow_mut(|reasons| reasons.refused = Some(error));
}

/// The first one counts: others follow from it.
pub(super) fn break_off(error: Error) {
    REASONS.with_borrow_mut(|reasons| _ = reasons.broken.get_or_insert(error));
}

pub(super) fn miss(error: Error) {
    REASONS.with_borrow_mut(|reasons| _ = reasons.absent.get_or_insert(error));
}

/// Forgets what went wrong before.
pub fn forget_refusals() {
    REASONS.take();
}

/// Why something that GDAL did on this thread has failed, since this was asked last: a server has broken off, or the policy has refused a file.
pub fn refusal() -> Option<Error> {
    let reasons = REASONS.take();
    reasons.broken.or(reasons.refused)
}

/// As [`refusal`], where a file that a server does not have is a reason, too.
pub fn reason() -> Option<Error> {
    let reasons = REASONS.take();
    reasons.broken.or(reasons.refused).or(reasons.absent)
}

/// The server has broken off while GDAL did something on this thread, which may take it for a file with less in it.
pub fn broken() -> Option<Error> {
    REASONS.with_borrow_mut(|reasons| reasons.broken.take())
}
