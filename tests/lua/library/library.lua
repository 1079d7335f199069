-- What modules of stdlib/ lean on; here seen through one of them.
local s1 = require "sentinel1"

test("errors of the library name the script's line", function()
  local ok, message = pcall(function()
    s1.open_stack("nowhere")
  end)
  assert(not ok and message:match "^tests/lua/library/library%.lua:6: raster%.find: nowhere: no such folder", message)
  ok, message = pcall(function()
    local image = nil
    s1.open_stack(".", { angle = "steep" })
  end)
  assert(not ok and message:match "^tests/lua/library/library%.lua:11: sentinel1%.open_stack: angle must be", message)
end)

test("options of the library are checked like those of natives", function()
  assert_error(function() s1.open_stack(".", { band = "VV" }) end, "library%.lua:%d+: sentinel1%.open_stack: unknown option `band`; did you mean `bands`%?")
  assert_error(function() s1.open_stack(".", 5) end, "sentinel1%.open_stack: options must be a table of named options")
end)

test("string.format shows tables, and names the line of its errors", function()
  assert(("%5s|%s|%-5.2f|%%"):format("a", { 2, x = 1 }, 1.5) == "    a|{ 2, x = 1 }|1.50 |%")
  assert(("%s"):format(setmetatable({}, { __tostring = function() return "own" end })) == "own")
  local ok, message = pcall(function() return (string.format("%d", {})) end)
  assert(not ok and message:match "^tests/lua/library/library%.lua:%d+: bad argument #2 to 'format' %(number expected, got table%)$", message)
end)
