//! Reads LuaCATS comments. Only what the library uses: `@class`, `@field`, `@operator`, `@param`, `@return`, `@alias`,
//! `@deprecated`.

use super::{Entry, Example, Field, Kind};

/// One block of `---` lines.
struct Block {
    /// Number of the first line, from 1, and the texts without `---`.
    line: usize,
    lines: Vec<String>,
}

/// The documented things of a file, in order.
pub fn parse(module: &str, source: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut block: Option<Block> = None;
    let mut classes: Vec<String> = Vec::new();
    let mut first = true;
    let lines = source.lines().chain([""]);
    for (number, line) in lines.enumerate() {
        if let Some(text) = line.trim_start().strip_prefix("---") {
            let text = text.strip_prefix(' ').unwrap_or(text).to_string();
            block
                .get_or_insert_with(|| Block {
                    line: number + 1,
                    lines: Vec::new(),
                })
                .lines
                .push(text);
            continue;
        }
        let Some(mut block) = block.take() else {
            continue;
        };
        // Aliases may stand one below the other.
        while let Some(at) = second_alias(&block) {
            let rest = block.lines.split_off(at);
            entries.push(from_block(&block, module));
            block = Block {
                line: block.line + at,
                lines: rest,
            };
        }
        if block
            .lines
            .iter()
            .all(|l| l.starts_with("@meta") || l.trim().is_empty())
        {
            continue;
        }
        let function = line
            .trim_start()
            .strip_prefix("function ")
            .and_then(|rest| rest.split_once('('));
        let is_first = std::mem::take(&mut first);
        let mut entry = from_block(&block, module);
        match function {
            Some((name, rest)) if entry.kind == Kind::Function => {
                (entry.name, entry.kind) = function_name(name.trim(), module, &classes);
                let names = rest.split(')').next().unwrap_or("");
                complete_parameters(&mut entry, names);
            }
            _ if matches!(entry.kind, Kind::Class | Kind::Table | Kind::Module | Kind::Alias) => {
                classes.push(entry.name.clone());
            }
            // The first comment of a library module describes the module.
            _ if is_first => {
                entry.kind = Kind::Module;
                entry.name = module.to_string();
            }
            _ => continue,
        }
        match entries
            .iter_mut()
            .find(|e| e.kind == Kind::Module && e.name == entry.name)
        {
            // `---@class sentinel1` below the module's own comment.
            Some(known) => {
                known.fields.append(&mut entry.fields);
                if known.body.is_empty() {
                    (known.body, known.summary) = (entry.body, entry.summary);
                }
            }
            None => entries.push(entry),
        }
    }
    entries
}

/// The line of a block's second alias.
fn second_alias(block: &Block) -> Option<usize> {
    let lines = block.lines.iter().enumerate();
    let mut aliases = lines.filter(|(_, line)| line.starts_with("@alias "));
    aliases.nth(1).map(|(at, _)| at)
}

/// `M.open` is `sentinel1.open`; `Raster:write` is a method if `Raster` is a class.
fn function_name(written: &str, module: &str, classes: &[String]) -> (String, Kind) {
    if let Some((owner, name)) = written.split_once(':') {
        let owner = if owner == "M" { module } else { owner };
        return (format!("{owner}:{name}"), Kind::Method);
    }
    match written.split_once('.') {
        Some((owner, name)) if owner == "M" || !classes.iter().any(|c| c == owner) => {
            (format!("{module}.{name}"), Kind::Function)
        }
        Some((owner, name)) => (format!("{owner}.{name}"), Kind::Function),
        None => (written.to_string(), Kind::Function),
    }
}

/// Parameters in the order of the code; those without a comment get an empty one.
fn complete_parameters(entry: &mut Entry, names: &str) {
    let mut found = std::mem::take(&mut entry.parameters);
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let field = match found.iter().position(|f| f.name == name) {
            Some(at) => found.remove(at),
            None => Field {
                name: name.to_string(),
                ..Field::default()
            },
        };
        entry.parameters.push(field);
    }
}

fn from_block(block: &Block, module: &str) -> Entry {
    let mut entry = Entry {
        name: String::new(),
        kind: Kind::Function,
        module: module.to_string(),
        summary: String::new(),
        body: String::new(),
        examples: Vec::new(),
        parameters: Vec::new(),
        returns: Vec::new(),
        fields: Vec::new(),
        operators: Vec::new(),
        parents: Vec::new(),
        deprecated: None,
        line: block.line,
    };
    let mut body: Vec<&str> = Vec::new();
    let mut example: Option<Example> = None;
    // The tag that the lines without one go on with.
    let mut tag = Tag::None;
    for (i, line) in block.lines.iter().enumerate() {
        if let Some(open) = &mut example {
            if line.trim() == "```" {
                entry.examples.extend(example.take());
            } else {
                open.code.push_str(line);
                open.code.push('\n');
            }
            continue;
        }
        if line.trim() == "```lua" {
            example = Some(Example {
                code: String::new(),
                line: block.line + i + 1,
            });
            continue;
        }
        let Some(rest) = line.strip_prefix('@') else {
            match tag.text(&mut entry) {
                Some(text) => {
                    text.push(' ');
                    text.push_str(line.trim());
                }
                None => body.push(line),
            }
            continue;
        };
        tag = read_tag(&mut entry, rest, module);
    }
    let deprecated = entry
        .deprecated
        .as_ref()
        .map(|instead| format!("**Deprecated.** {instead}"));
    if let Some(text) = &deprecated {
        body.extend(["", text]);
    }
    entry.body = squeeze(&body);
    entry.summary = summary(&entry.body);
    entry
}

enum Tag {
    None,
    Parameter,
    Return,
    Field,
    Other,
}

impl Tag {
    fn text<'a>(&self, entry: &'a mut Entry) -> Option<&'a mut String> {
        let fields = match self {
            Tag::None | Tag::Other => return None,
            Tag::Parameter => &mut entry.parameters,
            Tag::Return => &mut entry.returns,
            Tag::Field => &mut entry.fields,
        };
        fields.last_mut().map(|field| &mut field.text)
    }
}

fn read_tag(entry: &mut Entry, rest: &str, module: &str) -> Tag {
    let (tag, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let rest = rest.trim();
    match tag {
        "class" => {
            let name = rest.trim_start_matches("(exact)").trim();
            let (name, parents) = name.split_once(':').unwrap_or((name, ""));
            entry.name = name.split(' ').next().unwrap_or(name).to_string();
            entry.parents = parents
                .split(',')
                .map(|p| p.trim().to_string())
                .filter(|p| !p.is_empty())
                .collect();
            entry.kind = match entry.name.as_str() {
                name if name == module => Kind::Module,
                name if name.contains('.') => Kind::Table,
                _ => Kind::Class,
            };
            Tag::None
        }
        "alias" => {
            let (name, type_name) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            entry.name = name.to_string();
            entry.kind = Kind::Alias;
            entry.operators.push(type_name.trim().to_string());
            Tag::None
        }
        "param" => {
            entry.parameters.push(named_field(rest));
            Tag::Parameter
        }
        "field" => {
            entry.fields.push(named_field(rest));
            Tag::Field
        }
        "return" => {
            let (type_name, rest) = split_type(rest);
            let (name, text) = match rest.split_once(char::is_whitespace) {
                Some((name, text)) if is_name(name) => (name, text.trim()),
                None if is_name(rest) => (rest, ""),
                _ => ("", rest),
            };
            entry.returns.push(Field {
                name: name.to_string(),
                optional: type_name.ends_with('?'),
                type_name: type_name.to_string(),
                text: text.trim_start_matches('#').trim().to_string(),
            });
            Tag::Return
        }
        "deprecated" => {
            entry.deprecated = Some(rest.to_string());
            Tag::None
        }
        "operator" => {
            entry.operators.push(rest.to_string());
            Tag::None
        }
        _ => Tag::Other,
    }
}

/// `name? type text`
fn named_field(rest: &str) -> Field {
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let (type_name, text) = split_type(rest.trim());
    Field {
        name: name.trim_end_matches('?').to_string(),
        optional: name.ends_with('?'),
        type_name: type_name.to_string(),
        text: text.to_string(),
    }
}

/// A type, which may hold spaces inside brackets, behind `|` and behind the colon of `fun(): T`; and the rest.
pub(super) fn split_type(text: &str) -> (&str, &str) {
    let (mut depth, mut quoted, mut previous) = (0i32, None, ' ');
    for (i, c) in text.char_indices() {
        match (quoted, c) {
            (Some(quote), c) if c == quote => quoted = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quoted = Some(c),
            (None, '(' | '{' | '<' | '[') => depth += 1,
            (None, ')' | '}' | '>' | ']') => depth -= 1,
            (None, c) if c.is_whitespace() && depth == 0 => {
                let goes_on = matches!(previous, '|' | ':' | ',') || text[i..].trim_start().starts_with('|');
                if !goes_on {
                    return (&text[..i], text[i..].trim());
                }
                continue;
            }
            _ => {}
        }
        previous = c;
    }
    (text, "")
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
        && !text.starts_with(|c: char| c.is_ascii_digit())
}

/// Joins lines, without blank lines at the ends and without two in a row.
fn squeeze(lines: &[&str]) -> String {
    let mut text = String::new();
    for line in lines {
        if line.trim().is_empty() && (text.is_empty() || text.ends_with("\n\n")) {
            continue;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.trim_end().to_string()
}

/// The first sentence of the first paragraph.
fn summary(body: &str) -> String {
    let paragraph = body.split("\n\n").next().unwrap_or("").replace('\n', " ");
    match paragraph.find(". ") {
        Some(end) => paragraph[..=end].to_string(),
        None => paragraph,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUB: &str = r#"---@meta filter

--- Speckle filters. Each from its paper.
---@class filter
---@field version string Of the module.
local filter = {}

---@class filter.LeeOptions
---@field looks? number Equivalent number of looks.
---@field unit? "px" | "m" What lengths are in,
---  pixels unless given.

--- The Lee filter. More of it.
---
--- **Errors.** If so.
---
--- ```lua
--- local x = 1
--- assert(x)
--- ```
---@param raster Raster What to filter.
---@param fn? fun(a: number, b: number): boolean Called.
---@param options? filter.LeeOptions
---@return Raster filtered The result.
---@return number? n
function filter.lee(raster, fn, options) end

---@class Raster
---@operator add(Raster | number): Raster
local Raster = {}

--- Writes.
---@return nil
function Raster:write(path) end
"#;

    #[test]
    fn stubs_are_read() {
        let entries = parse("filter", STUB);
        let names: Vec<(&str, Kind)> = entries.iter().map(|e| (e.name.as_str(), e.kind)).collect();
        assert_eq!(
            names,
            [
                ("filter", Kind::Module),
                ("filter.LeeOptions", Kind::Table),
                ("filter.lee", Kind::Function),
                ("Raster", Kind::Class),
                ("Raster:write", Kind::Method),
            ]
        );
        assert_eq!(entries[0].summary, "Speckle filters.");
        assert_eq!(entries[1].fields[1].type_name, "\"px\" | \"m\"");
        assert_eq!(
            entries[1].fields[1].text,
            "What lengths are in, pixels unless given."
        );
        let lee = &entries[2];
        assert_eq!(lee.signature(), "filter.lee(raster, fn?, options?)");
        assert_eq!(lee.parameters[1].type_name, "fun(a: number, b: number): boolean");
        assert_eq!(lee.returns[0].name, "filtered");
        assert_eq!(
            lee.returns[1],
            Field {
                name: "n".into(),
                optional: true,
                type_name: "number?".into(),
                text: "".into()
            }
        );
        assert_eq!(
            lee.examples,
            [Example {
                code: "local x = 1\nassert(x)\n".into(),
                line: 18
            }]
        );
        assert!(lee.body.ends_with("**Errors.** If so."));
        assert_eq!(entries[3].operators, ["add(Raster | number): Raster"]);
        assert_eq!(entries[4].signature(), "Raster:write(path)");
    }

    #[test]
    fn aliases_below_each_other_are_several() {
        let entries = parse(
            "m",
            "---@alias A \"x\"|\"y\"\n---@alias B \"z\"\n---@alias C number\n\nlocal x\n",
        );
        let found: Vec<(&str, &str)> = entries
            .iter()
            .map(|e| (e.name.as_str(), e.operators[0].as_str()))
            .collect();
        assert_eq!(found, [("A", "\"x\"|\"y\""), ("B", "\"z\""), ("C", "number")]);
        assert!(entries.iter().all(|e| e.operators.len() == 1));
    }

    #[test]
    fn library_modules_are_read() {
        let source = "--- Opens things.\n--- Nicely.\nlocal M = {}\n\n-- Not for users.\nlocal function f() end\n\n--- Opens.\n---@param path string\nfunction M.open(path)\nend\nreturn M\n";
        let entries = parse("sentinel1", source);
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].name.as_str(), entries[0].kind),
            ("sentinel1", Kind::Module)
        );
        assert_eq!(entries[1].signature(), "sentinel1.open(path)");
    }
}
