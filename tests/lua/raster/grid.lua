local raster = require "raster"

local function list(...)
  return table.concat({ ... }, " ")
end

local utm = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 20, cols = 30 }

test("a grid tells where it lies", function()
  assert(utm.rows == 20 and utm.cols == 30 and utm.crs == "EPSG:32611" and not utm.is_geographic)
  assert(list(table.unpack(utm.bounds)) == "500000.0 3999800.0 500300.0 4000000.0")
  assert(list(table.unpack(utm.resolution)) == "10.0 10.0")
  assert(list(table.unpack(utm.transform)) == "500000.0 10.0 0.0 4000000.0 0.0 -10.0")
  assert(utm.wkt:find "UTM zone 11N")
  assert(tostring(utm) == "Grid 20 × 30 (rows × cols), EPSG:32611, pixel 10, x 500000..500300, y 3999800..4000000")
end)

test("bounds and resolution grow to whole pixels", function()
  local g = raster.grid { bounds = { 0, 0, 101, 99 }, resolution = { 10, 20 } }
  assert(g.rows == 5 and g.cols == 11 and g.bounds[4] == 99.0 and g.bounds[3] == 110.0 and g.crs == nil)
  local tenth = raster.grid { bounds = { 0, 0, 0.3, 0.3 }, resolution = 0.1 }
  assert(tenth.rows == 3 and tenth.cols == 3, "a rounding error must not add a row")
end)

test("bounds, rows and cols give the resolution", function()
  local g = raster.grid { bounds = { 0, 0, 100, 50 }, rows = 10, cols = 10 }
  assert(list(table.unpack(g.resolution)) == "10.0 5.0")
end)

test("rotated grids", function()
  local g = raster.grid { transform = { 0, 1, 1, 0, 1, -1 }, rows = 2, cols = 2 }
  local x, y = g:to_map(1, 1)
  assert(x == 2.0 and y == 0.0)
  local row, col = g:to_pixel(2, 0)
  assert_close(row, 1)
  assert_close(col, 1)
  assert_error(function() g:resample(2) end, "Grid:resample: a rotated image cannot be resampled in place")
end)

test("pixels and map coordinates", function()
  local x, y = utm:to_map(0.5, 0.5)
  assert(x == 500005.0 and y == 3999995.0)
  local row, col = utm:to_pixel(500299, 3999801)
  assert(math.floor(row) == 19 and math.floor(col) == 29)
end)

test("like another grid", function()
  local image = raster.constant(utm, 1)
  assert(raster.grid { like = image } == utm and image.grid == utm)
  local part = raster.grid { like = utm, bounds = { 500011, 3999811, 500039, 3999829 } }
  assert(list(table.unpack(part.bounds)) == "500010.0 3999810.0 500040.0 3999830.0")
  local coarse = raster.grid { like = utm, resolution = 50 }
  assert(coarse.rows == 4 and coarse.cols == 6 and coarse.crs == "EPSG:32611")
  local lonlat = raster.grid { like = utm, crs = 4326 }
  assert(lonlat.is_geographic)
  local b, c = lonlat.bounds, utm:bounds_in "EPSG:4326"
  assert(b[1] <= c[1] and b[2] <= c[2] and b[3] >= c[3] and b[4] >= c[4])
  assert_error(function() raster.grid { like = utm, rows = 3 } end, "with `like`, a grid takes crs, bounds and resolution only")
end)

test("equality is of pixels", function()
  assert(utm == raster.grid { crs = 32611, bounds = { 500000, 3999800, 500300, 4000000 }, resolution = 10 })
  assert(utm ~= raster.grid { crs = 32612, bounds = { 500000, 3999800, 500300, 4000000 }, resolution = 10 })
  assert(utm:matches(raster.constant(utm, 0)) and not utm:matches(raster.grid { rows = 20, cols = 30 }))
end)

test("windows", function()
  local part = utm:crop { row = 5, col = 10, rows = 2, cols = 3 }
  assert(part.rows == 2 and part.cols == 3 and part.bounds[1] == 500100.0 and part.bounds[4] == 3999950.0)
  assert_error(function() utm:crop { row = 19, rows = 2 } end, "window must be inside the image: rows 0 to 19, got row = 19, rows = 2")
  assert_error(function() utm:crop { col = 30 } end, "window must be inside the image: cols 0 to 29, got col = 30")
  assert_error(function() utm:crop { row = -1 } end, "row must be an integer of at least 0, got %-1")
end)

test("what is no grid says why", function()
  for options, pattern in pairs {
    [{ rows = 0, cols = 2 }] = "rows must be an integer of at least 1, got 0",
    [{ bounds = { 0, 0, 1, 1 } }] = "a grid is one of: bounds and resolution;",
    [{ bounds = { 2, 0, 1, 1 }, resolution = 1 }] = "bounds must be bounds: { min_x, min_y, max_x, max_y } with min < max, got a list of 4",
    [{ bounds = { 0, 0, 1, 1 }, resolution = -1 }] = "resolution must be a positive pixel size",
    [{ bounds = { 0, 0, 1, 1 }, resolution = 1e-12 }] = "coarse enough for a grid below a billion pixels a side",
    [{ rows = 2, cols = 2, transform = { 0, 0, 0, 0, 0, 0 } }] = "grid transform must be an invertible affine transform",
    [{ rows = 2, cols = 2, crs = "EPSG:99999" }] = "CRS must be an EPSG code.*got `EPSG:99999`",
    [{ rows = 2, cols = 2, crs = {} }] = "crs must be a CRS: an EPSG code",
    [{ row = 2, cols = 2 }] = "unknown option `row`; did you mean `rows`%?",
    [{ like = 5 }] = "like must be a Grid or a Raster, got 5",
  } do
    assert_error(function() raster.grid(options) end, "raster%.grid: .*" .. pattern)
  end
  ---@diagnostic disable-next-line: undefined-field
  local ok, message = pcall(function() return raster.grid({ rows = 1, cols = 1 }).row end)
  assert(not ok and message:find("a Grid has no field or method `row`; did you mean `rows`?", 1, true), message)
end)
