local raster, filter = require "raster", require "filter"

local rows = { { 1, 2, 3, 4 }, { 5, false, 7, 8 }, { 9, 10, 11, 90 } }
local image = raster.from_table(raster.grid { rows = 3, cols = 4 }, rows, { name = "VV", unit = "dB" })

local function at(result, row, col)
  return result:read():totable()[row][col]
end

test("statistics of the valid pixels under a disk", function()
  -- Around row 2, column 3: 3, 7, 8 and 11; its left neighbour is masked.
  local disk = { radius = 1 }
  assert(at(filter.focal_median(image, disk), 2, 3) == 7.5)
  assert(at(filter.focal_mean(image, disk), 2, 3) == 7.25)
  assert(at(filter.focal_min(image, disk), 2, 3) == 3)
  assert(at(filter.focal_max(image, disk), 2, 3) == 11)
  assert_close(at(filter.focal_std(image, disk), 2, 3), math.sqrt(8.1875))
  assert(at(filter.focal_percentile(image, { radius = 1, percentile = 100 / 3 }), 2, 3) == 7)
end)

test("a square reaches the corners", function()
  -- Around row 3, column 4: 7, 8, 11, 90.
  assert(at(filter.focal_max(image, { radius = 1, shape = "square" }), 2, 3) == 90)
  assert(at(filter.boxcar(image, { size = 3 }), 3, 4) == 29)
end)

test("the mode is the most frequent value, the smallest of equals", function()
  local classes = raster.from_table(raster.grid { rows = 1, cols = 5 }, { { 3, 1, 3, 2, 1 } }, { dtype = "uint8" })
  local mode = filter.focal_mode(classes, { radius = 1, shape = "square" }):read():totable()[1]
  assert(mode[1] == 1 and mode[2] == 3 and mode[3] == 1 and mode[4] == 1 and mode[5] == 1)
end)

test("masked pixels stay masked, names and units stay", function()
  local smooth = filter.focal_median(image, { radius = 2 })
  assert(smooth:read():count() == 11)
  assert(smooth.VV)
  assert(tostring(smooth):find("dB"))
end)

test("a radius in metres counts pixels of the grid", function()
  local grid = raster.grid { rows = 3, cols = 4, crs = "EPSG:32610", bounds = { 500000, 4000000, 500040, 4000030 } }
  local metric = raster.from_table(grid, rows)
  assert(at(filter.focal_max(metric, { radius = 10, unit = "m" }), 2, 3) == 11)
  assert(at(filter.focal_max(metric, { radius = 15, unit = "m" }), 2, 3) == 90)
  assert_error(function() filter.focal_max(image, { radius = 10, unit = "m" }) end, "needs an image with a CRS")
end)

test("wrong options are named", function()
  assert_error(function() filter.focal_median(image) end, "filter%.focal_median: .*radius.* missing")
  assert_error(function() filter.focal_median(image, { radius = -1 }) end,
    "filter%.focal_median: radius must be a number of at least 0, got %-1")
  assert_error(function() filter.focal_median(image, { radius = 1, shap = "circle" }) end,
    "unknown option `shap`; did you mean `shape`%?")
  assert_error(function() filter.focal_mean(image, { radius = 1, shape = "round" }) end, "shape must be \"circle\" or \"square\"")
  assert_error(function() filter.boxcar(image, { size = 4 }) end,
    "filter%.boxcar: size must be an odd number of pixels from 1 to 1025, got 4")
  assert_error(function() filter.focal_percentile(image, { radius = 1, percentile = 101 }) end,
    "percentile must be a number from 0 to 100, got 101")
  assert_error(function() filter.focal_median(5, { radius = 1 }) end, "raster must be a Raster, got 5")
end)
