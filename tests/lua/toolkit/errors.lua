-- What every binding gets from the toolkit, shown on the module json.
local json = require "json"

test("an error is a string with this file's line", function()
  local ok, message = pcall(function()
    json.decode(5) ---@diagnostic disable-line: param-type-mismatch
  end)
  assert(not ok and type(message) == "string")
  assert(message:match("errors%.lua:6: json%.decode: text must be a string, got 5 %(integer%)$"), message)
end)

test("the line is right where the call is the last thing of a function", function()
  local ok, message = pcall(function()
    return json.decode(5) ---@diagnostic disable-line: param-type-mismatch
  end)
  assert(not ok and message:match("errors%.lua:14: json%.decode:"), message)
end)

test("the line is right without a Lua function between", function()
  local ok, message = pcall(json.decode, 5)
  assert(not ok and message:match("errors%.lua:20: json%.decode:"), message)
end)

test("errors cross coroutines as strings", function()
  local ok, message = coroutine.resume(coroutine.create(function()
    json.decode(5) ---@diagnostic disable-line: param-type-mismatch
  end))
  assert(not ok and message:match("errors%.lua:26: json%.decode:"), message)
end)

test("unknown options suggest", function()
  assert_error(function() json.encode({}, { prety = true }) end, "unknown option `prety`; did you mean `pretty`%?")
  assert_error(function() json.encode({}, { pretty = 1 }) end, "pretty must be true or false, got 1 %(integer%)")
  assert_error(function() json.encode({}, { true }) end, "options must be a table of named options")
  assert_error(function() json.encode({}, 5) end, "options must be a table of named options.*got 5")
end)

test("too many and too few arguments are errors", function()
  assert_error(function() json.decode("1", 2) end, "json%.decode: takes one argument, got 2: json%.decode%(text%)")
  assert_error(function() json.decode() end, "text is missing: it must be a string; call it as json%.decode%(text%)")
end)

test("modules are read-only and know their fields", function()
  assert_error(function() return json.decod end, "errors%.lua:%d+: module json has no field `decod`; did you mean `decode`%?")
  assert_error(function() json.x = 1 end, "module json is read%-only")
  local names = {}
  for name in pairs(json) do
    names[name] = true
  end
  assert(names.encode and names.decode)
end)

test("require suggests", function()
  assert_error(function() require "jsom" end, "no module `jsom` .*did you mean `json`%?")
end)
