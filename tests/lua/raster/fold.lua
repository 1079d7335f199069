-- Reductions of many images, which are taken eight at a time: against loops over all values.
local raster = require "raster"

local grid = raster.grid { rows = 7, cols = 9 }
local COUNT = 37

local images, arrays = {}, {}
for i = 1, COUNT do
  local value = raster.random(grid, { seed = i, distribution = "normal" }) * 3 + 1000
  -- Some pixels are valid in no image, some in one.
  local keep = raster.random(grid, { seed = 900 + i }):gt(0.4) & raster.coordinates(grid).x:gt(1)
  if i ~= 5 then keep = keep & raster.coordinates(grid).x:gt(2) end
  images[i] = value:mask(keep):set_time(("20%02d-%02d-15"):format(10 + i // 12, 1 + i % 12)):rename "v"
  arrays[i] = images[i]:read()
end
local stack = raster.stack(images)

local function close(found, expected, what)
  if expected ~= expected then
    assert(found ~= found, what)
  else
    assert(math.abs(found - expected) <= 1e-6 * math.max(1, math.abs(expected)), ("%s: %s for %s"):format(what, found, expected))
  end
end

test("means, deviations, extremes, sums, counts, first and last", function()
  local reduced = stack:reduce { "mean", "std", "min", "max", "sum", "count", "first", "last" }
  local bands = {}
  for _, band in ipairs(reduced.bands) do bands[band] = reduced:select(band):read() end
  for r = 0, 6 do
    for c = 0, 8 do
      local values = {}
      for i = 1, COUNT do
        local v = arrays[i]:get(r, c)
        if v == v then values[#values + 1] = v end
      end
      local nan, n = 0 / 0, #values
      local sum, low, high = 0, math.huge, -math.huge
      for _, v in ipairs(values) do sum, low, high = sum + v, math.min(low, v), math.max(high, v) end
      local squares = 0
      for _, v in ipairs(values) do squares = squares + (v - sum / n) ^ 2 end
      local expected = {
        mean = sum / n, std = math.sqrt(squares / n), min = low, max = high, sum = sum, first = values[1], last = values[n],
      }
      for name, v in pairs(expected) do
        close(bands["v_" .. name]:get(r, c), n == 0 and nan or v, ("%s at %d, %d of %d"):format(name, r, c, n))
      end
      if n == 0 then close(bands.v_first:get(r, c), nan, "first of none") end
      assert(bands.v_count:get(r, c) == n)
    end
  end
end)

test("one image of 37 and none are results, too", function()
  local count = stack:count():read()
  local seen = {}
  for r = 0, 6 do
    for c = 0, 8 do seen[count:get(r, c)] = true end
  end
  assert(seen[0] and seen[1], "the masks of this test leave no such pixel")
end)

test("the line of least squares by its normal equations", function()
  local fit = stack:linear_fit()
  assert(table.concat(fit.bands, " ") == "v_slope v_offset v_residual v_slope_std_error v_offset_std_error v_r2")
  local slope, offset, residual = fit.v_slope:read(), fit.v_offset:read(), fit.v_residual:read()
  local days = stack:days(images[1].time)
  local first = math.huge
  for _, d in ipairs(days) do first = math.min(first, d) end
  for r = 0, 6 do
    for c = 0, 8 do
      local n, t, v, tt, tv = 0, 0, 0, 0, 0
      for i = 1, COUNT do
        local y, x = arrays[i]:get(r, c), (days[i] - first) / 365.25
        if y == y then n, t, v, tt, tv = n + 1, t + x, v + y - 1000, tt + x * x, tv + x * (y - 1000) end
      end
      if n < 2 then
        assert(slope:get(r, c) ~= slope:get(r, c))
      else
        local b = (n * tv - t * v) / (n * tt - t * t)
        local a = (v - b * t) / n
        local left = 0
        for i = 1, COUNT do
          local y, x = arrays[i]:get(r, c), (days[i] - first) / 365.25
          if y == y then left = left + (y - 1000 - a - b * x) ^ 2 end
        end
        assert(math.abs(slope:get(r, c) - b) < 1e-4, ("%s for %s"):format(slope:get(r, c), b))
        assert(math.abs(offset:get(r, c) - a - 1000) < 2e-4, ("%s for %s"):format(offset:get(r, c), a + 1000))
        assert(math.abs(residual:get(r, c) - math.sqrt(left / n)) < 1e-4)
      end
    end
  end
end)

test("a line needs times, and two of them", function()
  local plain = raster.constant(grid, 1)
  assert_error(function() raster.stack({ plain, plain }):linear_fit() end, "image 1 has no time; give the image a time")
  local one = plain:set_time "2020-01-01"
  assert_error(function() raster.stack({ one, one }):linear_fit() end, "images must be of two times at least, got 2, all of one")
end)
