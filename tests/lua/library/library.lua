-- What modules of stdlib/ lean on; here seen through one of them.
local s1 = require "sentinel1"

test("errors of the library name the script's line", function()
  local ok, message = pcall(function()
    s1.open_stack("nowhere")
  end)
  assert(not ok and message:match "^tests/lua/library/library%.lua:6: raster%.find: nowhere: no such folder", message)
  ok, message = pcall(function()
    ---@diagnostic disable-next-line: param-type-mismatch
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

test("options of the library are what their comments declare", function()
  local network, dswe, catalog = require "network", require "dswe", require "catalog"
  local days = { "2022-01-01", "2022-01-13", "2022-01-25" }
  local function said(pattern, options)
    assert_error(function() network.pairs(days, options) end, "^tests/lua/library/library%.lua:%d+: network%.pairs: " .. pattern)
  end
  said("neighbours must be an integer of at least 1, got 0 %(integer%)$", { neighbours = 0 })
  said("neighbours must be an integer of at least 1, got 1%.5", { neighbours = 1.5 })
  said("months must be a list of integers from 1 to 12, got 13 %(integer%)$", { months = { 5, 13 } })
  said("min_days must be a number, got \"long\"", { min_days = "long" })
  -- Tables inside of tables, texts of a few, what is needed.
  local ale, raster, tables = require "ale", require "raster", require "tables"
  local slc, reflectors = raster.constant(raster.grid { rows = 2, cols = 2 }, 1), tables.new { { id = 1, lat = 1, lon = 1 } }
  assert_error(function() ale.measure(slc, reflectors, { corrections = { est = 1 } }) end, "unknown option `corrections%.est`; did you mean `corrections%.east`")
  assert_error(function() ale.measure(slc, reflectors, { corrections = { east = "1 m" } }) end, "corrections%.east must be a number or a list of numbers, got \"1 m\"")
  assert_error(function() ale.measure(slc, reflectors, { look = "rigt" }) end, "look must be \"right\" or \"left\", got \"rigt\".*did you mean \"right\"")
  assert_error(function() ale.measure(slc, reflectors, { los = 3 }) end, "los must be a Raster, got 3")
  assert_error(function() dswe.download_pairs({}, {}) end, "dswe%.download_pairs: the option folder is missing: it must be a string")
  assert_error(function() dswe.download_pairs({}, { foldr = "x" }) end, "unknown option `foldr`; did you mean `folder`")
  -- What is left out has the default of its comment; the table that was given stays as it was.
  local given = {}
  assert(#dswe.search(catalog.items {}, given) == 0 and next(given) == nil)
  local ratio = s1.ratio(raster.bands(raster.constant(slc.grid, 0.1):rename "VV", raster.constant(slc.grid, 0.01):rename "VH"):set_unit "power", {})
  assert(ratio.bands[1] == "VVdVH_dB")
end)
