-- What `print` and `tostring` show.
local raster, tables, json = require "raster", require "tables", require "json"

local grid = raster.grid { rows = 2, cols = 2 }
local image = raster.from_table(grid, { { 1, 2 }, { 3, 6 } }, { name = "VV" })

test("tables show what they hold", function()
  assert(tostring({ 1, "a", x = { y = true } }) == '{ 1, "a", x = { y = true } }')
  assert(tostring({}) == "{}")
  assert(tostring(setmetatable({}, { __tostring = function() return "mine" end })) == "mine")
  assert(tostring(setmetatable({}, { __name = "Mine" })):find "^Mine: ")
  assert(tostring(json) == "module json")
  local loop = {}
  loop.loop = loop
  assert(tostring(loop) == "{ loop = { … itself … } }")
  assert(tostring(nil) == "nil" and tostring(1.5) == "1.5" and tostring("a") == "a")
  assert_error(function() tostring() end, "bad argument #1 to 'tostring'")
end)

test("tables of rows and stacks show their rows", function()
  local text = tostring(tables.new { { id = "a", n = 1 }, { id = "b", n = 2 } })
  assert(text:find "2 × 2" and text:find "a +1" and text:find "b +2", text)
  local stack = tostring(raster.stack { image, image })
  assert(stack:find "^Stack of 2 images\n" and stack:find "VV", stack)
end)

test("parameters show their values", function()
  local p = params { radius = 3, name = "x" }
  assert(tostring(p) == '{ name = "x", radius = 3 }', tostring(p))
end)

test("statistics print as a table, and suggest", function()
  local stats = image:stats()
  local text = tostring(stats)
  assert(text:find "band" and text:find "VV +4 +1 +6 +3", text)
  assert(tostring(stats.VV):find "mean")
  -- They stay tables.
  assert(stats.VV.mean == 3 and next(stats) == "VV" and json.encode(stats.VV):find '"count":4')
  assert_error(function() return stats.VH end, "stats%(%) has no band `VH`; did you mean `VV`%?")
  assert_error(function() return stats.mean end, "statistics are by band: stats%(%)%.VV%.mean")
  assert_error(function() return stats.VV.meen end, "stats%(%) of VV has no field `meen`; did you mean `mean`%?")
  -- Where no pixel is valid there is no mean.
  assert(image:mask(image:gt(9)):stats().VV.mean == nil)
end)

test("a wrong option lists all", function()
  local message = assert_error(function() image:plot { wrong = "x" } end, "unknown option `wrong`; the options are: ")
  for _, name in ipairs { "colormap", "dpi", "scale_bar", "percentiles", "title", "opacity" } do
    assert(message:find(name, 1, true), message)
  end
end)
