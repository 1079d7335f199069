//! The file ~/.netrc, in which curl, wget and the archives' own tools look for logins.
//!
//! The crates for it put parts of passwords into their errors and stumble over comments, so it is read here.

use std::iter::Peekable;

use super::secret::Secret;

/// A `machine` with its user and password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    pub host: String,
    pub user: String,
    pub password: Secret,
}

/// Reads the machines that have a password. `default` is left out: a login that any host may have is none to be
/// trusted with. Words may stand in double quotes; a backslash keeps the next character; `#` starts a comment where a
/// key word could stand; macros end at an empty line.
///
/// # Errors
/// The number of the line that cannot be understood, and why, without what stands there.
pub fn parse(text: &str) -> Result<Vec<Machine>, (usize, &'static str)> {
    let mut machines: Vec<Machine> = Vec::new();
    let mut words = Words::new(text);
    // Whether a `machine` or `default` is open, and for `machine` its parts.
    let mut open = false;
    let mut current: Option<Machine> = None;
    while let Some((line, word)) = words.next(true)? {
        match word.as_str() {
            "machine" | "default" | "macdef" => {
                keep(&mut machines, current.take());
                open = word != "macdef";
                if word == "default" {
                    continue;
                }
                let (_, name) = words.next(false)?.ok_or((line, "the name is missing"))?;
                match word.as_str() {
                    "machine" => {
                        current = Some(Machine {
                            host: name,
                            user: String::new(),
                            password: Secret::new(""),
                        });
                    }
                    _ => words.skip_macro(),
                }
            }
            "login" | "user" | "account" | "password" if open => {
                let (_, value) = words.next(false)?.ok_or((line, "the value is missing"))?;
                match (word.as_str(), &mut current) {
                    ("login" | "user", Some(machine)) => machine.user = value,
                    ("password", Some(machine)) => machine.password = Secret::new(value),
                    _ => {}
                }
            }
            _ => {
                return Err((
                    line,
                    "neither machine, default, login, password, account nor macdef; a value with a blank needs double quotes",
                ));
            }
        }
    }
    keep(&mut machines, current);
    Ok(machines)
}

/// As with curl, the first of two entries for a host and user counts.
fn keep(machines: &mut Vec<Machine>, machine: Option<Machine>) {
    if let Some(machine) = machine
        && !machine.password.is_empty()
        && !machines
            .iter()
            .any(|m| m.host == machine.host && m.user == machine.user)
    {
        machines.push(machine);
    }
}

struct Words<'a> {
    characters: Peekable<std::str::Chars<'a>>,
    line: usize,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Words<'a> {
        Words {
            characters: text.chars().peekable(),
            line: 1,
        }
    }

    fn take(&mut self) -> Option<char> {
        let character = self.characters.next();
        if character == Some('\n') {
            self.line += 1;
        }
        character
    }

    /// The next word and its line. A `#` starts a comment only before a `keyword`: passwords may start with one.
    fn next(&mut self, keyword: bool) -> Result<Option<(usize, String)>, (usize, &'static str)> {
        loop {
            match self.characters.peek() {
                None => return Ok(None),
                Some(c) if c.is_whitespace() => {
                    self.take();
                }
                Some('#') if keyword => while self.take().is_some_and(|c| c != '\n') {},
                Some(_) => break,
            }
        }
        let line = self.line;
        let mut word = String::new();
        let quoted = self.characters.next_if_eq(&'"').is_some();
        loop {
            match self.characters.peek() {
                None if quoted => return Err((line, "a double quote is not closed")),
                None => break,
                Some('"') if quoted => {
                    self.take();
                    break;
                }
                Some('\n') if quoted => return Err((line, "a double quote is not closed on its line")),
                Some(c) if c.is_whitespace() && !quoted => break,
                Some(_) => match self.take() {
                    Some('\\') => word.extend(self.take()),
                    Some(other) => word.push(other),
                    None => break,
                },
            }
        }
        Ok(Some((line, word)))
    }

    /// Past the lines of a macro: up to an empty one.
    fn skip_macro(&mut self) {
        let mut blank = false;
        let mut first = true;
        while let Some(c) = self.take() {
            match c {
                '\n' if blank && !first => return,
                '\n' => (blank, first) = (true, false),
                c if !c.is_whitespace() => blank = false,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, String)> {
        let machines = parse(text).unwrap();
        machines
            .into_iter()
            .map(|m| (m.host, m.user, m.password.reveal().to_string()))
            .collect()
    }

    fn one(host: &str, user: &str, password: &str) -> Vec<(String, String, String)> {
        vec![(host.into(), user.into(), password.into())]
    }

    /// The cases of CPython's test_netrc.py, whose answers are known.
    #[test]
    fn the_cases_of_pythons_tests() {
        for text in [
            "machine host.domain.com login log1 password pass1 account acct1",
            "machine host.domain.com\nlogin log1\n\n\tpassword pass1\naccount acct1\n",
            "# comment\nmachine host.domain.com login log1 password pass1",
            "#comment\nmachine host.domain.com login log1 password pass1",
            "machine host.domain.com login log1 password pass1 # comment\n",
            "machine host.domain.com\nlogin log1\npassword pass1\nmacdef macro1\nline1\nline2\n\n",
            "macdef macro1\n\tline1 login x\n\tline2\n\nmachine host.domain.com login log1 password pass1",
            "machine \"host.domain.com\" login log1 password pass1",
        ] {
            assert_eq!(read(text), one("host.domain.com", "log1", "pass1"), "{text}");
        }
        let password = |word: &str| {
            read(&format!("machine h login l password {word} account a\n"))[0]
                .2
                .clone()
        };
        assert_eq!(password("#pass"), "#pass");
        assert_eq!(password("pa#ss"), "pa#ss");
        assert_eq!(password(r#""pass with blanks""#), "pass with blanks");
        assert_eq!(password(r#""pass\"th""#), "pass\"th");
        assert_eq!(password(r"pass\\th"), "pass\\th");
        assert_eq!(password(r#"pa"ss"#), "pa\"ss");
        assert_eq!(password("pass\u{a1}\u{3b1}"), "pass\u{a1}\u{3b1}");
    }

    #[test]
    fn the_default_is_for_nobody() {
        assert_eq!(
            read("machine a login l password p\ndefault login d password q"),
            one("a", "l", "p")
        );
        assert_eq!(read("default login d password q"), vec![]);
        assert_eq!(read("machine a login l"), vec![]);
    }

    #[test]
    fn errors_name_the_line_and_nothing_else() {
        for (text, line) in [
            ("machine a login l password hush hush2\n", 1),
            ("\n\nlogin hush", 3),
            ("machine a\nlogin l password \"hush", 2),
            ("machine a login l password", 1),
        ] {
            let (at, why) = parse(text).unwrap_err();
            assert_eq!(at, line, "{text}");
            assert!(!why.contains("hush"));
        }
    }
}
