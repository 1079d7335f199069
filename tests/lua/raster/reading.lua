-- Arrays, statistics, histograms, percentiles, samples.
local raster = require "raster"
local geometry = require "geometry"

local grid = raster.grid { rows = 3, cols = 4 }
local image = raster.from_table(grid, { { 1, 2, 3, 4 }, { 5, false, 7, 8 }, { 9, 10, 11, 12 } }, { name = "VV", unit = "m" })
local two = raster.bands(image, (image * -1):rename "VH")

test("arrays", function()
  local a = image:read()
  assert(a.rows == 3 and a.cols == 4 and a.bands[1] == "VV" and a.grid == grid)
  assert(a:get(0, 0) == 1 and a:get(2, 3) == 12 and a:get(1, 1) ~= a:get(1, 1))
  assert(a:count() == 11 and a:min() == 1 and a:max() == 12 and a:sum() == 72)
  assert_close(a:mean(), 72 / 11)
  local values = a:values()
  assert(#values == 11 and values[6] == 7)
  assert(tostring(a):match "^[^\n]*" == "Array 3 × 4 (rows × cols)")
  local window = image:read { row = 1, col = 2, rows = 2 }
  assert(window.rows == 2 and window.cols == 2 and window:get(0, 0) == 7 and window.grid == grid:crop { row = 1, col = 2 })
end)

test("arrays of several bands", function()
  local a = two:read()
  local vv, vh = a:get(2, 3)
  assert(vv == 12 and vh == -12 and a:max "VH" == -1 and a.VH:max() == -1)
  assert_error(function() a:max() end, "Array:max: band must be one of: VV, VH, got none")
  assert_error(function() a:max "VX" end, "no band `VX`; did you mean `VV`%?")
  assert_error(function() return a.VX end, "an Array has no field or method `VX`; did you mean `VV`%?")
end)

test("arrays know their limits", function()
  local a = image:read()
  assert_error(function() a:get(3, 0) end, "Array:get: row must be from 0 to 2, got 3")
  assert_error(function() a:get(0, -1) end, "col must be from 0 to 3, got %-1")
  assert_error(function() image:read { row = 2, rows = 2 } end, "Raster:read: window must be inside the image")
  local huge = raster.constant(raster.grid { rows = 900000, cols = 900000 }, 1)
  assert_error(function() huge:read() end, "an array of 1 × 900000 × 900000 %(bands × rows × cols%) needs %d+ MiB, more than the memory limit")
end)

test("an array becomes an image again", function()
  local back = image:set("orbit", 5):read({ row = 1 }):raster()
  assert(back.orbit == 5 and back.units.VV == "m" and back:stats().VV.count == 7 and back.grid.rows == 2)
end)

test("no valid pixel", function()
  local empty = image:mask(image:gt(100))
  assert(empty:stats().VV.count == 0 and empty:stats().VV.mean == nil)
  assert(empty:read():min() == nil and empty:read():sum() == 0)
  assert_error(function() empty:percentile(50) end, "every pixel is masked")
  assert_error(function() empty:histogram() end, "every pixel is masked")
end)

test("statistics", function()
  local s = two:stats()
  assert(s.VV.count == 11 and s.VV.min == 1 and s.VV.max == 12 and s.VH.min == -12)
  assert_close(s.VV.mean, 72 / 11)
  local sum = 0
  for _, v in ipairs(image:read():values()) do sum = sum + (v - 72 / 11) ^ 2 end
  assert_close(s.VV.std, math.sqrt(sum / 11))
end)

test("histograms", function()
  local h = image:histogram { bins = 3, min = 0, max = 9 }
  assert(table.concat(h.counts, " ") == "2 3 3" and h.above == 3 and h.below == 0)
  assert(table.concat(h.edges, " ") == "0.0 3.0 6.0 9.0")
  local all = image:histogram()
  assert(#all.counts == 256 and all.min == 1 and all.max == 12)
  assert_error(function() two:histogram() end, "histogram must be an image of one band; choose one of its bands: `:select")
  assert_error(function() image:histogram { min = 1 } end, "give both min and max, or neither")
  assert_error(function() image:histogram { min = 2, max = 1 } end, "low < high")
  assert_error(function() image:histogram { bins = 0 } end, "bins must be an integer of at least 1")
end)

test("percentiles", function()
  assert(image:percentile(0) == 1 and image:percentile(100) == 12 and image:percentile(50) == 7)
  local p = image:percentile { 25, 75 }
  assert_close(p[1], 3.5)
  assert_close(p[2], 9.5)
  assert_error(function() image:percentile(101) end, "percentile must be a number from 0 to 100, got 101")
  assert_error(function() image:percentile "x" end, 'p must be a number, got "x"')
end)

test("samples", function()
  local rows = two:sample { { 0.5, 0.5 }, { x = 3.99, y = 2.01, name = "last" }, { 100, 0 }, { 1.5, 1.5 } }
  assert(#rows == 4 and rows[1].VV == 1 and rows[1].VH == -1 and rows[1].x == 0.5)
  assert(rows[2].VV == 12 and rows[2].name == "last")
  assert(rows[3].VV == nil and rows[4].VV == nil)
  assert_error(function() image:sample { { 1 } } end, "points%[1%]%.y must be a number: points are { x, y } or { x = …, y = … }, got nil")
  assert_error(function() image:sample { 1, 2 } end, "points must be a list of { x, y } or { x = …, y = …, … }, or Features of points")
  assert_error(function() image:sample({ { 1, 1 } }, { crs = 4326 }) end, "the image has no CRS")
end)

test("samples at features, in their CRS", function()
  local place = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 3, cols = 4 }
  local at = raster.from_table(place, image:unmask(0):read():totable(), { name = "VV" })
  local x, y = geometry.point(500025, 3999985, "EPSG:32611"):to_crs("EPSG:4326"):position()
  if type(x) == "table" then x, y = x[1], x[2] end
  local features = geometry.features {
    { geometry = geometry.point(x, y), properties = { name = "lake", depth = 3 } },
  }
  local rows = at:sample(features)
  assert(rows[1].VV == 7 and rows[1].name == "lake" and rows[1].depth == 3)
  assert(at:sample({ { x, y } }, { crs = "EPSG:4326" })[1].VV == 7)
  assert_error(function() at:sample(geometry.bbox(0, 0, 1, 1)) end, "feature 1 must be a Point")
end)

test("statistics by zone", function()
  local zones = geometry.features {
    { geometry = geometry.bbox(0, 0, 2, 3), properties = { name = "left" } },
    { geometry = geometry.bbox(2, 0, 4, 3), properties = { name = "right" } },
  }
  local t = image:zonal(zones, { statistics = { "count", "mean", "max" } })
  assert(t[1].name == "left" and t[1].count == 5 and t[2].count == 6 and t[2].max == 12)
  assert_close(t[1].mean, (1 + 2 + 5 + 9 + 10) / 5)
  local both = two:zonal(zones, { statistics = "mean" })
  assert_close(both[2].VH_mean, -(3 + 4 + 7 + 8 + 11 + 12) / 6)
  assert_error(function() image:zonal(zones, { statistic = "mean" }) end, "unknown option `statistic`; did you mean `statistics`%?")
  assert_error(function() image:zonal(5) end, "features must be Features")
end)
