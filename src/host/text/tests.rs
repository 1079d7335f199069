//! Compared with Lua's own functions, on patterns and subjects drawn at random.

use mlua::{Function, Lua, MultiValue, Table, Value};
use proptest::prelude::*;

const COMPARE: &str = r##"
local theirs, ours = ...
local function both(name, ...)
  local a, b = table.pack(pcall(theirs[name], ...)), table.pack(pcall(ours[name], ...))
  if not a[1] or not b[1] then
    -- Places and the wording of replacement errors differ; whether it is an error does not.
    if a[1] ~= b[1] then return name .. ": " .. tostring(a[2]) .. " against " .. tostring(b[2]) end
    return nil
  end
  if a.n ~= b.n then return name .. ": " .. a.n .. " values against " .. b.n end
  for i = 1, a.n do
    if a[i] ~= b[i] then return name .. ": " .. tostring(a[i]) .. " against " .. tostring(b[i]) end
  end
end
local function all(library, s, p, init)
  local found = {}
  for a, b, c in library.gmatch(s, p, init) do
    found[#found + 1] = table.concat({ tostring(a), tostring(b), tostring(c) }, "|")
  end
  return table.concat(found, ";")
end
return function(s, p, init, r, n)
  local function f(...) return select("#", ...) > 1 and table.concat({ ... }, "+") or nil end
  local t = setmetatable({}, { __index = function(_, key) return key ~= "a" and tostring(key) .. "!" end })
  return both("find", s, p, init) or both("match", s, p, init) or both("find", s, p, init, true)
    or both("gsub", s, p, r, n) or both("gsub", s, p, f, n) or both("gsub", s, p, t, n)
    or both("rep", s, n, r)
    or (function()
      local ok_a, a = pcall(all, theirs, s, p, init)
      local ok_b, b = pcall(all, ours, s, p, init)
      if ok_a ~= ok_b or (ok_a and a ~= b) then return "gmatch: " .. tostring(a) .. " against " .. tostring(b) end
    end)()
end
"##;

fn compare() -> (Lua, Function) {
    let lua = Lua::new();
    let theirs: Table = lua.globals().raw_get("string").unwrap();
    let ours = lua.create_table().unwrap();
    let matches = super::install(&lua, &ours).unwrap();
    ours.raw_set(
        "gsub",
        lua.load(super::GSUB)
            .call::<Function>((ours.raw_get::<Function>("gsub").unwrap(), matches))
            .unwrap(),
    )
    .unwrap();
    let compare = lua.load(COMPARE).call((theirs, ours)).unwrap();
    (lua, compare)
}

/// Pieces of patterns, so that most patterns mean something.
fn pattern() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b", ".", "%a", "%d", "%s", "%W", "%.", "[ab]", "[^a]", "[a-c%d]", "[]]", "[^]-]", "%b()",
        "%f[%w]", "%f[^a]", "(", ")", "()", "(a)", "%1", "%2", "*", "+", "-", "?", "$", "^", "%", "[", "]",
        "\0", "%z", "1",
    ]);
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]
    #[test]
    fn patterns_mean_what_they_mean_in_lua(
        subject in "[ab1 ().\\]\0-]{0,12}",
        pattern in pattern(),
        init in -3i64..15,
        replacement in "[a%0-2]{0,4}",
        most in -1i64..6,
    ) {
        thread_local!(static BOTH: (Lua, Function) = compare());
        let difference: Option<String> =
            BOTH.with(|(_, both)| both.call((subject.as_str(), pattern.as_str(), init, replacement.as_str(), most)).unwrap());
        prop_assert_eq!(difference, None);
    }
}

#[test]
fn wrong_arguments_are_errors_as_in_lua() {
    let (lua, _) = compare();
    let string = lua.create_table().unwrap();
    super::install(&lua, &string).unwrap();
    for (name, arguments, message) in [
        (
            "find",
            vec![],
            "bad argument #1 to 'find' (string expected, got no value)",
        ),
        (
            "gsub",
            vec![Value::Integer(1), Value::Integer(1)],
            "bad argument #3 to 'gsub' (string/function/table expected",
        ),
        (
            "rep",
            vec![Value::Integer(1), Value::Number(0.5)],
            "bad argument #2 to 'rep' (number has no integer",
        ),
    ] {
        let function: Function = string.raw_get(name).unwrap();
        let error = function
            .call::<()>(MultiValue::from_vec(arguments))
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{error}");
    }
}
