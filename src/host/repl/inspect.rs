//! What a piece of code speaks of at one place: the name there, or the function whose call is open there.

use super::session::Session;
use super::{commands, resolve};
use crate::host::documentation;
use crate::host::lexer::{Token, TokenKind, tokens};

/// The help on what stands at byte `at` of `code`.
pub fn inspect(session: &Session, code: &str, at: usize) -> Option<String> {
    let all = tokens(code);
    let under = all
        .iter()
        .position(|t| t.kind == TokenKind::Name && t.start <= at && at <= t.end());
    if let Some(under) = under
        && let Some(text) = of_name(session, code, &all[..=under])
    {
        return Some(text);
    }
    let mut before: &[Token] = &all[..all.partition_point(|t| t.start < at)];
    while let Some(open) = resolve::open_bracket(before) {
        before = &before[..open];
        if let Some(text) = of_name(session, code, before) {
            return Some(text);
        }
    }
    None
}

/// The help on the name that ends `before`.
fn of_name(session: &Session, code: &str, before: &[Token]) -> Option<String> {
    let last = before.last().filter(|t| t.kind == TokenKind::Name)?;
    let mut first = before.len() - 1;
    while let Some([name, mark]) = first.checked_sub(2).map(|at| &before[at..first])
        && (mark.is(".") || mark.is(":"))
        && name.kind == TokenKind::Name
    {
        first -= 2;
    }
    let chain = &code[before[first].start..last.end()];
    let is_member = first > 0 && (before[first - 1].is(".") || before[first - 1].is(":"));
    // What is like a name that nobody has is no help on it.
    let is_known = || {
        documentation::find(chain).is_some() || resolve::value_of(&session.lua(), &before[first..]).is_some()
    };
    let explained = match !is_member && is_known() {
        true => commands::explain(session, chain).ok(),
        false => None,
    };
    explained.or_else(|| {
        let entry = resolve::callee_entry(&session.lua(), before)?;
        documentation::show(&entry.name, session.width()).ok()
    })
}
