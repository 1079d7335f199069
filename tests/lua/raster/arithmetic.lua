local raster = require "raster"

local grid = raster.grid { rows = 2, cols = 3 }
local nan = 0 / 0

local function image(rows, name, unit)
  return raster.from_table(grid, rows, { name = name or "b1", unit = unit })
end

local function assert_pixels(found, expected)
  local rows = found:read():totable()
  for r, row in ipairs(expected) do
    for c, value in ipairs(row) do
      local got = rows[r][c]
      if value ~= value then
        assert(got ~= got, ("pixel (%d, %d) is %s, expected a masked one"):format(r - 1, c - 1, got))
      else
        assert_close(got, value, 1e-6 * math.max(1, math.abs(value)))
      end
    end
  end
end

local a = image { { 1, 2, 3 }, { 4, false, 6 } }
local b = image { { 2, 0, -1 }, { 0.5, 1, false } }

test("operators work pixel by pixel and keep masks", function()
  assert_pixels(a + b, { { 3, 2, 2 }, { 4.5, nan, nan } })
  assert_pixels(a - b, { { -1, 2, 4 }, { 3.5, nan, nan } })
  assert_pixels(a * b, { { 2, 0, -3 }, { 2, nan, nan } })
  assert_pixels(a ^ 2, { { 1, 4, 9 }, { 16, nan, 36 } })
  assert_pixels(-a, { { -1, -2, -3 }, { -4, nan, -6 } })
  assert_pixels(a % 2, { { 1, 0, 1 }, { 0, nan, 0 } })
  assert_pixels(-a % 4, { { 3, 2, 1 }, { 0, nan, 2 } })
end)

test("a division by zero is masked", function()
  assert_pixels(a / b, { { 0.5, nan, -3 }, { 8, nan, nan } })
end)

test("numbers stand on either side", function()
  assert_pixels(1 + a, { { 2, 3, 4 }, { 5, nan, 7 } })
  assert_pixels(10 - a, { { 9, 8, 7 }, { 6, nan, 4 } })
  assert_pixels(12 / a, { { 12, 6, 4 }, { 3, nan, 2 } })
  assert_pixels(2 ^ a, { { 2, 4, 8 }, { 16, nan, 64 } })
end)

test("comparisons are methods and give 0 and 1", function()
  assert_pixels(a:gt(2), { { 0, 0, 1 }, { 1, nan, 1 } })
  assert_pixels(a:ge(2), { { 0, 1, 1 }, { 1, nan, 1 } })
  assert_pixels(a:lt(b), { { 1, 0, 0 }, { 0, nan, nan } })
  assert_pixels(a:le(1), { { 1, 0, 0 }, { 0, nan, 0 } })
  assert_pixels(a:eq(6), { { 0, 0, 0 }, { 0, nan, 1 } })
  assert_pixels(a:ne(6), { { 1, 1, 1 }, { 1, nan, 0 } })
  assert(a:gt(2).dtypes.b1 == "uint8" and a:gt(2).units.b1 == "1")
end)

test("Lua's own comparisons name the methods", function()
  assert_error(function() return a > b end, "operator <: Lua's comparisons give true or false.*a:lt%(b%)")
  assert_error(function() return a <= 2 end, "operator <=: Lua's comparisons.*a:le%(b%)")
  assert_error(function() return a:mask(a == 2) end, "Raster:mask: condition must be a Raster; to compare images use `a:eq%(b%)`")
  assert_error(function() return a + (a == 2) end, "operator %+: right must be a Raster or a number, got false %(boolean%); to compare images use")
end)

test("masks combine with & | ~", function()
  local m = a:gt(1) & a:lt(6)
  assert_pixels(m, { { 0, 1, 1 }, { 1, nan, 0 } })
  assert_pixels(~m, { { 1, 0, 0 }, { 0, nan, 1 } })
  assert_pixels(a:lt(2) | a:gt(5), { { 1, 0, 0 }, { 0, nan, 1 } })
end)

test("masking, unmasking, filling and choosing", function()
  assert_pixels(a:mask(b:gt(0)), { { 1, nan, nan }, { 4, nan, nan } })
  assert_pixels(a:mask_outside(1, 6), { { nan, 2, 3 }, { 4, nan, nan } })
  assert_pixels(a:unmask(-9), { { 1, 2, 3 }, { 4, -9, 6 } })
  assert_pixels(a:fill(b), { { 1, 2, 3 }, { 4, 1, 6 } })
  assert_pixels(a:fill(0), { { 1, 2, 3 }, { 4, 0, 6 } })
  assert_pixels(a:is_valid(), { { 1, 1, 1 }, { 1, 0, 1 } })
  assert_pixels(raster.where(a:gt(2), b, 100), { { 100, 100, -1 }, { 0.5, nan, nan } })
  assert_pixels(a:where(a:gt(2), 0), { { 0, 0, 3 }, { 4, nan, 6 } })
end)

test("minimum and maximum of several", function()
  assert_pixels(raster.min(a, b, 1), { { 1, 0, -1 }, { 0.5, nan, nan } })
  assert_pixels(raster.max { a, 3 }, { { 3, 3, 3 }, { 4, nan, 6 } })
  assert_error(function() raster.min(1, 2) end, "raster%.min: needs at least one image")
  assert_error(function() raster.max() end, "raster%.max: needs at least one image")
  assert_error(function() raster.max(a, "x") end, 'image 2 must be a Raster or a number, got "x" %(string%)')
end)

test("functions", function()
  local x = image { { 0, 0.5, 1 }, { -1, 2, 100 } }
  local function each(found, f)
    assert_pixels(found, { { f(0), f(0.5), f(1) }, { f(-1), f(2), f(100) } })
  end
  each(x:abs(), math.abs)
  each(x:exp(), function(v) return v < 89 and math.exp(v) or nan end)
  each(x:sin(), math.sin)
  each(x:cos(), math.cos)
  each(x:atan(), math.atan)
  each(x:sqrt(), function(v) return v >= 0 and math.sqrt(v) or nan end)
  each(x:log(), function(v) return v > 0 and math.log(v) or nan end)
  each(x:log10(), function(v) return v > 0 and math.log(v, 10) or nan end)
  each(x:floor(), math.floor)
  each(x:ceil(), math.ceil)
  assert_pixels(x:round(), { { 0, 1, 1 }, { -1, 2, 100 } })
  assert_pixels(x:clamp(0, 1.5), { { 0, 0.5, 1 }, { 0, 1.5, 1.5 } })
  assert_pixels(raster.atan2(x, 1), { { 0, math.atan(0.5), math.atan(1) }, { math.atan(-1), math.atan(2), math.atan(100) } })
  assert(raster.atan2(x, 1).units.b1 == "rad")
end)

test("limits have to be in order", function()
  assert_error(function() a:clamp(3, 1) end, "Raster:clamp: high must be a number of at least low, got 1 %(integer%)")
  assert_error(function() a:mask_outside(nan, 1) end, "low must be a number, got nan")
  assert_error(function() a:unmask(1 / 0) end, "value must be a finite number, got inf")
end)

test("different grids are an error that names both", function()
  local other = raster.constant(raster.grid { rows = 2, cols = 4 }, 1)
  local message = assert_error(function() return a + other end, "operator %+: the grids differ")
  assert(message:find("2 × 3", 1, true) and message:find("2 × 4", 1, true) and message:find("align", 1, true), message)
end)

test("one band meets every band of the other, other counts do not", function()
  local two = raster.bands(a:rename "x", b:rename "y")
  assert(table.concat((two + a).bands, ",") == "x,y")
  assert(table.concat((a + two).bands, ",") == "x,y")
  local three = two:add_bands(a:rename "z")
  assert_error(function() return two + three end, "band count must be the same on both sides.*2 %(x, y%) and 3 %(x, y, z%)")
end)

test("decibels and power do not mix", function()
  local db = image({ { 0, 10, -10 }, { 3, false, 20 } }, "VV", "dB")
  local power = db:to_power()
  assert(power.units.VV == "power")
  assert_pixels(power, { { 1, 10, 0.1 }, { 10 ^ 0.3, nan, 100 } })
  assert_pixels(power:to_db(), { { 0, 10, -10 }, { 3, nan, 20 } })
  assert_pixels(db - db, { { 0, 0, 0 }, { 0, nan, 0 } })
  assert_error(function() return db / db end, "dividing dB and dB makes no sense.*`vv %- vh`.*{ force = true }")
  assert_error(function() return db + power end, "adding dB and power makes no sense.*:to_power%(%)")
  assert_error(function() return db:gt(power) end, "comparing dB and power.*{ force = true }")
  assert_pixels(db:divide(db, { force = true }), { { nan, 1, 1 }, { 1, nan, 1 } })
  assert((power / power).units.VV == "1")
  assert_error(function() a:to_power() end, "band `b1` is in no known unit; say which unit it is in: `:set_unit")
  assert_error(function() db:divide(db, { forced = true }) end, "unknown option `forced`; did you mean `force`%?")
end)

test("amplitude squares to power", function()
  local amplitude = image({ { 1, 2, 3 }, { 4, false, 0 } }, "HH", "amplitude")
  assert_pixels(amplitude:to_power(), { { 1, 4, 9 }, { 16, nan, 0 } })
  assert_pixels(amplitude:to_db(), { { 0, 20 * math.log(2, 10), 20 * math.log(3, 10) }, { 20 * math.log(4, 10), nan, nan } })
  assert(amplitude:to_power():sqrt().units.HH == "amplitude")
end)

test("angles know degrees and radians", function()
  local angle = image({ { 0, 30, 90 }, { 180, false, 45 } }, "angle", "deg")
  assert_error(function() angle:cos() end, "band `angle` is in degrees; turn it into radians first: `:to_radians%(%)`")
  assert_pixels(angle:to_radians():cos(), { { 1, math.sqrt(3) / 2, 0 }, { -1, nan, math.sqrt(0.5) } })
  assert_pixels(angle:to_radians():to_degrees(), { { 0, 30, 90 }, { 180, nan, 45 } })
  local power = angle:set_unit("power")
  assert_error(function() power:to_radians() end, "is in power, which is no angle")
end)

test("cast rounds and limits", function()
  local x = image { { -1.5, 0.4, 254.5 }, { 300, false, 7 } }
  assert_pixels(x:cast("uint8"), { { 0, 0, 255 }, { 255, nan, 7 } })
  assert(x:cast("uint8").dtypes.b1 == "uint8")
  assert_error(function() x:cast("float") end, "no data type `float`")
  assert_error(function() x:cast(8) end, 'dtype must be a data type such as "float32", got 8 %(integer%)')
end)

test("wide integers keep their digits", function()
  local x = raster.from_table(grid, { { 16777217, 2, 3 }, { 4, 5, 2 ^ 40 + 1 } }, { dtype = "float64" })
  local read = (x + 1):read()
  assert(read:get(0, 0) == 16777218 and read:get(1, 2) == 2 ^ 40 + 2)
end)

test("units of scaled quantities are not those of the quantity", function()
  local x = image({ { 1, 2, 3 }, { 4, 5, 6 } }, "x", "m")
  assert((x / 1000).units.x == "" and (x * 0.1).units.x == "" and (2 * x).units.x == "")
  assert((x * -1).units.x == "m" and (-x).units.x == "m" and (x + 3).units.x == "m" and (x / x).units.x == "1")
  local power = image({ { 1, 2, 3 }, { 4, 5, 6 } }, "VV", "power")
  assert((power * 0.5).units.VV == "power" and (x * power:divide(power)).units.x == "m")
end)
