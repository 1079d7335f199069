-- Seasons against statsmodels (tests/reference/itslive.py season), and against the harmonics of stacks.
local raster, itslive, time = require "raster", require "itslive", require "time"

local pairs = { -- days since 2000-01-01, days of the span, velocity, error
  { 5571.72, 352.0, 1497.1, 79.2 },
  { 5676.05, 120.0, 1697.4, 61.2 },
  { 5707.79, 6.0, 1513.3, 41.6 },
  { 5821.43, 16.0, 1212.9, 42.2 },
  { 5821.9, 48.0, 1258.8, 26.2 },
  { 5824.43, 352.0, 1451.1, 32.1 },
  { 5844.92, 352.0, 1410.5, 21.7 },
  { 5869.23, 16.0, 1135.9, 78.7 },
  { 5869.82, 120.0, 1246.6, 52.6 },
  { 6011.27, 6.0, 1612.9, 28.9 },
  { 6088.25, 6.0, 1580.5, 71.7 },
  { 6188.27, 16.0, 1248.8, 33.7 },
  { 6192.86, 48.0, 1278.0, 24.3 },
  { 6383.19, 16.0, 1684.9, 61.9 },
  { 6422.48, 120.0, 1643.1, 82.7 },
  { 6574.87, 48.0, 1279.6, 21.9 },
  { 6667.68, 16.0, 1343.4, 76.4 },
  { 6709.06, 352.0, 1491.3, 33.3 },
  { 6748.19, 120.0, 1704.7, 26.5 },
  { 6778.48, 120.0, 1690.0, 21.3 },
  { 6780.96, 120.0, 1635.3, 40.5 },
  { 6872.69, 16.0, 1590.5, 70.9 },
  { 6884.33, 352.0, 1549.4, 54.5 },
  { 6978.99, 6.0, 1496.9, 79.7 },
  { 7003.75, 16.0, 1385.9, 35.2 },
  { 7054.71, 6.0, 1546.0, 42.1 },
  { 7157.11, 6.0, 1708.0, 38.1 },
  { 7175.9, 352.0, 1678.9, 88.5 },
  { 7470.1, 6.0, 1989.4, 85.9 },
  { 7505.51, 48.0, 1768.9, 43.8 },
  { 7541.84, 352.0, 1569.1, 50.5 },
  { 7668.33, 120.0, 1461.0, 42.0 },
  { 7739.86, 352.0, 1551.6, 72.3 },
  { 7820.53, 6.0, 1763.7, 22.8 },
  { 7870.82, 48.0, 1836.3, 24.7 },
  { 7952.28, 6.0, 1684.3, 48.3 },
}
local expected = {
  v_mean = 1502.5375388454902,
  v_slope = 37.33943063617829,
  v_annual_amplitude = 212.98340814221135,
  v_annual_amplitude_std_error = 10.271510288159584,
  v_annual_phase = 196.5596011854062,
  v_annual_phase_std_error = 4.519179323405606,
  v_residual = 1.0864894324408048,
}

local grid = raster.grid { crs = 3413, origin = { 0, 0 }, resolution = 120, rows = 2, cols = 3 }

local function stack_of(make)
  local images = {}
  for i, pair in ipairs(pairs) do
    local v, e = make(pair)
    images[i] = raster.bands(raster.constant(grid, v):rename "v", raster.constant(grid, e):rename "v_error"):set_unit "m/yr"
      :set_time(time.seconds "2000-01-01" + pair[1] * 86400):set("date_dt", pair[2])
  end
  return raster.stack(images)
end

test("weighted fits of means over spans are statsmodels'", function()
  local fit = itslive.seasonal(stack_of(function(pair) return pair[3], pair[4] end), { of = "speed" }):stats()
  for name, value in next, expected do assert_close(fit[name].mean, value, 2e-4 * math.max(1, math.abs(value))) end
  assert(fit.count.mean == #pairs)
end)

test("without spans and weights it is the harmonics of the stack", function()
  local stack = stack_of(function(pair) return pair[3], 1 end)
  local own = itslive.seasonal(stack, { of = "speed", spans = false, weight = "none" }):stats()
  local theirs = stack:select "v":harmonics({ periods = { 1 } }):stats()
  for _, name in ipairs { "annual_amplitude", "annual_amplitude_std_error", "annual_phase", "annual_phase_std_error", "slope" } do
    assert_close(own["v_" .. name].mean, theirs["v_" .. name].mean, 1e-3 * math.max(1, math.abs(theirs["v_" .. name].mean)))
  end
end)

test("too few pairs are said, and mask a pixel", function()
  local few = raster.stack { stack_of(function(pair) return pair[3], pair[4] end)[1] }
  assert_error(function() itslive.seasonal(few, { of = "speed" }) end, "needs 5 images at least")
  local stack = stack_of(function(pair) return pair[3], pair[4] end)
  local n = 0
  stack = stack:map(function(image)
    n = n + 1
    return n > 4 and image:mask(raster.coordinates(grid).x:gt(120)) or image
  end)
  local fit = itslive.seasonal(stack, { of = "speed" })
  assert(fit:stats().v_mean.count == 4)
end)

test("velocities along the flow have no bias, speeds have", function()
  local fine = raster.grid { crs = 3413, origin = { 0, 0 }, resolution = 120, rows = 40, cols = 40 }
  local images = {}
  for i = 1, 30 do
    local function noise(seed) return raster.random(fine, { distribution = "normal", seed = seed }) * 100 end
    images[i] = raster.bands((noise(i) + 30):rename "vx", (noise(i + 100) - 40):rename "vy"):set_unit "m/yr":set_time(86400 * i)
  end
  local stack = raster.stack(images)
  assert_close(itslive.along_flow(stack, {
    direction = raster.bands(raster.constant(fine, 3):rename "vx", raster.constant(fine, -4):rename "vy"),
  }):mean():stats().v.mean, 50, 1.5)
  assert(itslive.speed(stack):mean():stats().v.mean > 100)
  assert_error(function() itslive.along_flow(stack:select "vx") end, "have no band vy")
end)
