//! Comments that silence rules: `---@diagnostic disable-next-line: undefined-field, unused-local`, `disable-line`, and `disable` up to `enable`
//! or the end. Without names all rules are meant.

use super::{Finding, Rule};
use crate::host::lexer::{TokenKind, tokens};

pub struct Silenced(Vec<Stretch>);

struct Stretch {
    /// All of them where it is empty.
    rules: Vec<String>,
    first: usize,
    last: usize,
}

impl Stretch {
    fn names(&self, rule: &str) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|name| name == rule)
    }
}

impl Silenced {
    pub fn covers(&self, finding: &Finding) -> bool {
        let within = |stretch: &&Stretch| (stretch.first..=stretch.last).contains(&finding.line);
        finding.rule != Rule::Syntax
            && self
                .0
                .iter()
                .filter(within)
                .any(|stretch| stretch.names(finding.rule.name()))
    }
}

pub fn of(text: &str) -> Silenced {
    let mut found: Vec<Stretch> = Vec::new();
    for token in tokens(text)
        .iter()
        .filter(|token| token.kind == TokenKind::Comment)
    {
        let said = token.text.trim_start_matches('-').trim_start();
        let Some(said) = said.strip_prefix("@diagnostic").map(str::trim) else {
            continue;
        };
        let (action, names) = said.split_once(':').unwrap_or((said, ""));
        let names = names
            .split([',', ' '])
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let rules: Vec<String> = names.map(str::to_string).collect();
        let mut add = |first, last| {
            found.push(Stretch {
                rules: rules.clone(),
                first,
                last,
            })
        };
        match action.trim() {
            "disable-next-line" => add(token.line + 1, token.line + 1),
            "disable-line" => add(token.line, token.line),
            "disable" => add(token.line, usize::MAX),
            "enable" => {
                let open = found.iter_mut().filter(|stretch| stretch.last == usize::MAX);
                for stretch in open.filter(|stretch| {
                    rules.is_empty() || stretch.rules.iter().any(|name| rules.contains(name))
                }) {
                    stretch.last = token.line;
                }
            }
            _ => {}
        }
    }
    Silenced(found)
}
