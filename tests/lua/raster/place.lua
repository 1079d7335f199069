local raster = require "raster"
local geometry = require "geometry"
local fs = require "fs"

local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 4, cols = 6 }
local rows = {}
for r = 1, 4 do
  rows[r] = {}
  for c = 1, 6 do rows[r][c] = r * 10 + c end
end
local image = raster.from_table(grid, rows, { name = "n" }):cast "int16"

local function text(found)
  local lines = {}
  for _, row in ipairs(found:read():totable()) do
    for i, v in ipairs(row) do row[i] = v ~= v and "-" or ("%g"):format(v) end
    lines[#lines + 1] = table.concat(row, " ")
  end
  return table.concat(lines, "|")
end

test("clip keeps the pixels that bounds touch", function()
  local part = image:clip { 500015, 3999975, 500031, 3999989 }
  assert(text(part) == "22 23 24|32 33 34", text(part))
  assert(part.grid.bounds[1] == 500010.0 and part.dtypes.n == "int16")
  assert(text(image:clip { 500010, 3999980, 500030, 3999990 }) == "22 23")
  assert(text(image:clip { 0, 0, 1e6, 1e7 }) == text(image))
  assert(text(image:clip(part)) == text(part) and text(image:clip(part.grid)) == text(part))
  assert_error(function() image:clip { 0, 0, 1, 1 } end, "bounds must be an area that overlaps the image")
  assert_error(function() image:clip { 1, 1, 0, 0 } end, "area must be bounds { min_x, min_y, max_x, max_y } with min < max")
end)

test("clip by bounds in another CRS", function()
  local b = image:clip({ 500015, 3999975, 500031, 3999989 }).grid:bounds_in "EPSG:4326"
  local part = image:clip(b, { crs = "EPSG:4326" })
  assert(part.rows <= 4 and part.cols >= 3 and part.cols <= 5 and part.rows >= 2)
  assert_error(function() image:clip({ 0, 0, 1, 1 }, { crs = "EPSG:4326" }) end, "an area that overlaps the image")
end)

test("clip by a geometry masks what it does not cover", function()
  local triangle = geometry.polygon({ { 500000, 4000000 }, { 500040, 4000000 }, { 500000, 3999960 }, { 500000, 4000000 } }, "EPSG:32611")
  local part = image:clip(triangle)
  -- Pixel centres below the diagonal; those on it are a matter of the burning rule.
  local rows = part:read():totable()
  assert(part.rows == 4 and part.cols == 4)
  for r = 1, 4 do
    for c = 1, 4 do
      local sum = r + c
      if sum < 5 then assert(rows[r][c] == r * 10 + c) end
      if sum > 5 then assert(rows[r][c] ~= rows[r][c]) end
    end
  end
  local touched = image:clip(triangle, { all_touched = true })
  assert(touched:stats().n.count >= part:stats().n.count)
  local lonlat = triangle:to_crs "EPSG:4326"
  assert(image:clip(lonlat):stats().n.count >= 6)
  assert_error(function() image:clip(geometry.bbox(0, 0, 1, 1, "EPSG:32611")) end, "an area that overlaps the image")
end)

test("crop counts from 0", function()
  assert(text(image:crop { row = 1, col = 2, rows = 2, cols = 2 }) == "23 24|33 34")
  assert(text(image:crop { row = 3 }) == "41 42 43 44 45 46")
  assert_error(function() image:crop { rows = 5 } end, "window must be inside the image: rows 0 to 3, got row = 0, rows = 5")
end)

test("shift moves whole pixels without a change", function()
  assert(text(image:shift { cols = 2, rows = 1 }) == "- - - - - -|- - 11 12 13 14|- - 21 22 23 24|- - 31 32 33 34")
  assert(text(image:shift { x = -10, y = 10 }) == "22 23 24 25 26 -|32 33 34 35 36 -|42 43 44 45 46 -|- - - - - -")
  assert(image:shift({ cols = 1 }).dtypes.n == "int16" and image:shift({ cols = 1 }).grid == grid)
  local half = image:shift({ cols = 0.5, resampling = "bilinear" }):read()
  assert_close(half:get(1, 3), 23.5, 1e-5)
  assert_error(function() image:shift {} end, "say how far: cols and rows in pixels, or x and y")
  assert_error(function() image:shift { cols = 1, x = 1 } end, "say how far")
  assert_error(function() image:shift { cols = 1 / 0 } end, "cols must be a finite number")
end)

test("align onto the same lattice changes no value", function()
  local other = raster.grid { crs = 32611, origin = { 499990, 4000010 }, resolution = 10, rows = 3, cols = 3 }
  for _, method in ipairs { "nearest", "bilinear", "cubic", "average" } do
    assert(text(image:align(other, { resampling = method })) == "- - -|- 11 12|- 21 22")
  end
  assert(image:align(image + 1).grid == grid)
end)

test("coarser pixels", function()
  local mean = image:resample(20, { resampling = "average" })
  assert(text(mean) == "16.5 18.5 20.5|36.5 38.5 40.5" and mean.dtypes.n == "float32")
  assert(text(image:resample({ 30, 20 }, { resampling = "max" })) == "23 26|43 46")
  assert(text(image:resample(20, { resampling = "median" })) == "16.5 18.5 20.5|36.5 38.5 40.5")
  local near = image:resample(20)
  assert(near.dtypes.n == "int16" and near.rows == 2 and near.cols == 3)
  assert_error(function() image:resample(0) end, "resolution must be a positive pixel size")
  assert_error(function() image:resample(20, { resampling = "nearst" }) end, 'resampling must be "nearest" or .*did you mean "nearest"%?')
end)

test("reprojection goes there and back", function()
  local fine = raster.random(raster.grid { like = grid, resolution = 1 }, { distribution = "smooth", scale = 40, octaves = 1 })
  local there = fine:reproject { crs = "EPSG:4326", resampling = "cubic" }
  assert(there.crs == "EPSG:4326" and there.rows > 30)
  local back = there:align(fine, { resampling = "cubic" })
  local difference = (back - fine):abs():crop { row = 3, col = 3, rows = 34, cols = 54 }
  assert(difference:stats().random.max < 0.01, difference:stats().random.max)
  assert_error(function() image:reproject {} end, "the option crs is missing")
  local nowhere = raster.constant(raster.grid { rows = 2, cols = 2 }, 1)
  assert_error(function() nowhere:reproject { crs = 4326 } end, "the image has no CRS, and lies in pixel coordinates; say where it lies")
  local somewhere = raster.constant(raster.grid { origin = { 5e5, 4e6 }, resolution = 10, rows = 2, cols = 2 }, 1)
  assert_error(function() somewhere:reproject { crs = 4326 } end, "the image has no CRS; say which CRS the image is in: `:set_crs")
end)

test("mosaics of shifted images", function()
  local left, right = image:crop { cols = 4 }, image:crop { col = 2 } + 100
  local function row(method)
    return text(raster.mosaic({ left, right }, { method = method }):crop { rows = 1 })
  end
  assert(row "first" == "11 12 13 14 115 116")
  assert(row "last" == "11 12 113 114 115 116")
  assert(row "min" == "11 12 13 14 115 116")
  assert(row "max" == "11 12 113 114 115 116")
  assert(row "mean" == "11 12 63 64 115 116")
  local holes = left:mask(left:ne(14))
  assert(text(raster.mosaic({ holes, right }):crop { rows = 1 }) == "11 12 13 114 115 116")
  local target = raster.grid { like = grid, bounds = { 499990, 3999990, 500020, 4000000 } }
  assert(text(raster.mosaic({ left }, { grid = target })) == "- 11 12")
  assert_error(function() raster.mosaic {} end, "images must be at least one image, got none")
  assert_error(function() raster.mosaic({ left }, { method = "median" }) end, 'method must be "first" or "last"')
  assert_error(function() raster.mosaic { left, raster.bands(right, right:rename "m") } end, "images must be the first image's bands %(n%), got n, m")
end)

test("a CRS that a file beside the image states is believed, also where many images have the same keys", function()
  local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 3, cols = 4 }
  for i = 1, 3 do raster.from_table(grid, { { 1, 2, 3, 4 }, { 1, 2, 3, 4 }, { 1, 2, 3, 4 } }):write(("same%d.tif"):format(i)) end
  assert(raster.open("same1.tif").grid.crs == raster.open("same2.tif").grid.crs)
  fs.write("same3.tif.aux.xml", "<PAMDataset><SRS>EPSG:32612</SRS></PAMDataset>")
  assert(raster.open("same3.tif").grid.crs == "EPSG:32612")
  assert(raster.open("same2.tif").grid.crs == "EPSG:32611")
end)
