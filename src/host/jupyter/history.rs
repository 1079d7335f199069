//! The cells that have run in this session, for front ends that go back through them.

use serde_json::{Value as Json, json};

/// Front ends number sessions; a kernel knows its own alone.
const SESSION: u64 = 1;

#[derive(Default)]
pub struct History(Vec<(usize, String)>);

impl History {
    pub fn keep(&mut self, number: usize, text: &str) {
        self.0.push((number, text.to_string()));
    }

    /// The content of the answer to a `history_request`.
    pub fn answer(&self, request: &Json) -> Json {
        let number = |name: &str| request[name].as_i64();
        let mut found: Vec<&(usize, String)> = match request["hist_access_type"].as_str() {
            Some("range") => {
                let start = usize::try_from(number("start").unwrap_or(0)).unwrap_or(0);
                let stop = number("stop").and_then(|stop| usize::try_from(stop).ok());
                let is_own =
                    matches!(number("session"), None | Some(0)) || number("session") == Some(SESSION as i64);
                let within = |n: usize| is_own && n >= start && stop.is_none_or(|stop| n < stop);
                self.0.iter().filter(|(n, _)| within(*n)).collect()
            }
            Some("search") => {
                let pattern = request["pattern"].as_str().unwrap_or("*");
                let matching = self.0.iter().filter(|(_, text)| is_like(text, pattern));
                match request["unique"].as_bool() {
                    Some(true) => matching.fold(Vec::new(), |mut found: Vec<&(usize, String)>, entry| {
                        found.retain(|(_, text)| *text != entry.1);
                        found.push(entry);
                        found
                    }),
                    _ => matching.collect(),
                }
            }
            _ => self.0.iter().collect(),
        };
        if let Some(most) = number("n").and_then(|n| usize::try_from(n).ok()) {
            found.drain(..found.len().saturating_sub(most));
        }
        let with_output = request["output"].as_bool() == Some(true);
        let entries: Vec<Json> = found
            .into_iter()
            .map(|(n, text)| match with_output {
                true => json!([SESSION, n, [text, null]]),
                false => json!([SESSION, n, text]),
            })
            .collect();
        json!({ "status": "ok", "history": entries })
    }
}

/// Whether a text is like a pattern, in which `*` is any text and `?` any character.
fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    // Where the last `*` was, and to where it reaches so far.
    let (mut t, mut p, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => (t, p) = (t + 1, p + 1),
            _ => match star {
                Some((at, reached)) => {
                    star = Some((at, reached + 1));
                    (t, p) = (reached + 1, at + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(history: &History, request: Json) -> Vec<u64> {
        let answer = history.answer(&request);
        let entries = answer["history"].as_array().unwrap().iter();
        entries.map(|entry| entry[1].as_u64().unwrap()).collect()
    }

    #[test]
    fn cells_are_found_by_place_and_by_text() {
        let mut history = History::default();
        for (n, text) in [(1, "a = 1"), (2, "b = 2"), (3, "a = 1"), (4, "print(a)")] {
            history.keep(n, text);
        }
        for (request, expected) in [
            (json!({ "hist_access_type": "tail", "n": 2 }), &[3, 4][..]),
            (json!({ "hist_access_type": "tail", "n": 9 }), &[1, 2, 3, 4]),
            (
                json!({ "hist_access_type": "range", "session": 0, "start": 2, "stop": 4 }),
                &[2, 3],
            ),
            (
                json!({ "hist_access_type": "range", "session": 7, "start": 2 }),
                &[],
            ),
            (json!({ "hist_access_type": "search", "pattern": "a*" }), &[1, 3]),
            (
                json!({ "hist_access_type": "search", "pattern": "?*1", "unique": true }),
                &[3],
            ),
            (
                json!({ "hist_access_type": "search", "pattern": "*(*)", "n": 1 }),
                &[4],
            ),
        ] {
            assert_eq!(numbers(&history, request.clone()), expected, "{request}");
        }
        let answer = history.answer(&json!({ "hist_access_type": "tail", "n": 1, "output": true }));
        assert_eq!(answer["history"], json!([[1, 4, ["print(a)", null]]]));
    }

    #[test]
    fn patterns_are_those_of_shells() {
        for (text, pattern, expected) in [
            ("", "*", true),
            ("", "?", false),
            ("abc", "a*c", true),
            ("abcbd", "a*b?", true),
            ("abc", "abc*", true),
            ("abc", "b*", false),
            ("äb", "?b", true),
        ] {
            assert_eq!(is_like(text, pattern), expected, "{text} {pattern}");
        }
    }
}
