//! `needs { … }`: what a script states that it reads, writes and asks.

use serde_json::{Map, Value as Json};

use super::version::Requirement;
use crate::bounds::parse_size;
use crate::bytes::http::Grant;
use crate::error::{Error, Result, nearest};

/// As the script writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Files and folders; `--name` is what a parameter of that name holds.
    pub read: Vec<String>,
    pub write: Vec<String>,
    pub hosts: Vec<String>,
    /// Archives, or hosts, whose logins are used.
    pub logins: Vec<String>,
    /// Bytes for pixels.
    pub memory: Option<u64>,
    pub version: Option<Requirement>,
}

const KEYS: &[&str] = &["read", "write", "hosts", "logins", "memory", "version"];

/// A question must be read to its end by somebody.
const MOST: usize = 40;
const LONGEST: usize = 400;

impl Needs {
    /// # Errors
    /// When there is anything else in the table, or more than a question can name.
    pub fn from_json(table: &Json) -> Result<Needs> {
        let fields = match table {
            Json::Object(fields) => fields,
            // An empty table of Lua.
            Json::Array(list) if list.is_empty() => return Ok(Needs::default()),
            other => return Err(Error::argument("needs", "a table with names", other.to_string())),
        };
        if let Some(unknown) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let hint = match nearest(unknown, KEYS.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", KEYS.join(", ")),
            };
            return Err(Error::message(format!("needs has no `{unknown}`; {hint}")));
        }
        let field = |name: &str| fields.get(name).filter(|value| !value.is_null());
        let list = |name: &str| -> Result<Vec<String>> {
            let found = match field(name) {
                None => Vec::new(),
                Some(Json::String(text)) => vec![text.clone()],
                Some(Json::Array(list)) => {
                    let texts: Option<Vec<String>> = list
                        .iter()
                        .map(|entry| entry.as_str().map(str::to_string))
                        .collect();
                    texts.ok_or_else(|| expected(name, &Json::from(list.clone())))?
                }
                Some(Json::Object(empty)) if empty.is_empty() => Vec::new(),
                Some(other) => return Err(expected(name, other)),
            };
            if found.len() > MOST {
                return Err(Error::message(format!(
                    "needs.{name} has {} entries, and a question names at most {MOST}; ask for the folder that they are in",
                    found.len()
                )));
            }
            match found
                .iter()
                .find(|text| text.trim().is_empty() || text.len() > LONGEST || text.contains('\0'))
            {
                Some(text) => Err(Error::argument(
                    format!("an entry of needs.{name}"),
                    format!("a text of 1 to {LONGEST} bytes"),
                    format!("{:?}", text.chars().take(60).collect::<String>()),
                )),
                None => Ok(found),
            }
        };
        let needs = Needs {
            read: list("read")?,
            write: list("write")?,
            hosts: list("hosts")?,
            logins: list("logins")?,
            memory: match field("memory") {
                None => None,
                Some(Json::String(text)) => {
                    let bytes = parse_size(text)
                        .map_err(|why| Error::message(format!("needs.memory is {text:?}; {why}")))?;
                    Some(bytes as u64)
                }
                Some(other) => {
                    return Err(Error::argument(
                        "needs.memory",
                        "a size such as \"8GiB\"",
                        other.to_string(),
                    ));
                }
            },
            version: match field("version") {
                None => None,
                Some(Json::String(text)) => Some(Requirement::parse(text)?),
                Some(other) => {
                    return Err(Error::argument(
                        "needs.version",
                        "a text such as \">= 0.3\"",
                        other.to_string(),
                    ));
                }
            },
        };
        for host in &needs.hosts {
            Grant::parse(host).map_err(|e| Error::message(format!("needs.hosts: {e}")))?;
        }
        Ok(needs)
    }

    /// As the script wrote it.
    pub fn to_json(&self) -> Map<String, Json> {
        let mut table = Map::new();
        for (name, list) in [
            ("read", &self.read),
            ("write", &self.write),
            ("hosts", &self.hosts),
            ("logins", &self.logins),
        ] {
            if !list.is_empty() {
                table.insert(name.into(), list.clone().into());
            }
        }
        if let Some(bytes) = self.memory {
            const UNITS: [(&str, u32); 2] = [("GiB", 30), ("MiB", 20)];
            let whole = UNITS.iter().find(|(_, power)| bytes % (1 << power) == 0);
            let text = whole.map_or(bytes.to_string(), |(unit, power)| {
                format!("{}{unit}", bytes >> power)
            });
            table.insert("memory".into(), text.into());
        }
        if let Some(version) = &self.version {
            table.insert("version".into(), version.to_string().into());
        }
        table
    }

    /// What a script states while it runs is what it stated before.
    ///
    /// # Errors
    /// When it is more; names it.
    pub fn within(&self, stated: &Needs) -> Result<()> {
        match self.beyond(stated) {
            None => Ok(()),
            Some(more) => Err(Error::message(format!(
                "asks for more than it stated before it ran: {more}; what a script needs stands in one `needs {{ … }}` of \
                 plain texts, which is read before it runs"
            ))),
        }
    }

    /// The first that is asked for here and not in `stated`, as it is written.
    pub fn beyond(&self, stated: &Needs) -> Option<String> {
        for (name, now, before) in [
            ("read", &self.read, &stated.read),
            ("write", &self.write, &stated.write),
            ("hosts", &self.hosts, &stated.hosts),
            ("logins", &self.logins, &stated.logins),
        ] {
            if let Some(more) = now.iter().find(|entry| !before.contains(entry)) {
                return Some(format!("{name} = {{ {more:?} }}"));
            }
        }
        None
    }
}

fn expected(name: &str, got: &Json) -> Error {
    Error::argument(
        format!("needs.{name}"),
        "a list of texts such as { \"data\" }",
        got.to_string(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn needs_are_lists_of_texts() {
        let needs = Needs::from_json(&json!({
            "read": ["data", "--scene"], "write": "out", "hosts": ["*.example.org"], "logins": [], "memory": "8GiB", "version": ">= 0.1"
        }))
        .unwrap();
        assert_eq!(needs.read, ["data", "--scene"]);
        assert_eq!(needs.write, ["out"]);
        assert_eq!(needs.memory, Some(8 << 30));
        assert_eq!(Needs::from_json(&Json::Object(needs.to_json())).unwrap(), needs);
        assert_eq!(needs.to_json()["memory"], "8GiB");
        assert_eq!(Needs::from_json(&json!([])).unwrap(), Needs::default());
        for (wrong, said) in [
            (json!({ "reads": [] }), "did you mean `read`"),
            (json!({ "read": [1] }), "a list of texts"),
            (json!({ "read": [""] }), "1 to 400 bytes"),
            (json!({ "read": vec!["a"; 41] }), "at most 40"),
            (json!({ "hosts": ["a b"] }), "name of a host"),
            (json!({ "memory": 3 }), "8GiB"),
            (json!({ "version": "new" }), ">= 0.3"),
            (json!(["data"]), "a table with names"),
        ] {
            let error = Needs::from_json(&wrong).unwrap_err().to_string();
            assert!(error.contains(said), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_is_stated_later_is_no_more() {
        let before = Needs::from_json(&json!({ "read": ["a", "b"] })).unwrap();
        assert!(
            Needs::from_json(&json!({ "read": ["b"] }))
                .unwrap()
                .within(&before)
                .is_ok()
        );
        let error = Needs::from_json(&json!({ "write": ["b"] }))
            .unwrap()
            .within(&before)
            .unwrap_err();
        assert!(error.to_string().contains("more than it stated"), "{error}");
    }
}
