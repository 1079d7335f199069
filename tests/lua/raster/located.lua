-- Images placed by ground control points, rational polynomials and geolocation arrays: tests/reference/located.py has made the files,
-- and says where GDAL's own transformers, through rasterio, place their pixels.
local raster = require "raster"
local tables = require "tables"
local geometry = require "geometry"

local places = tables.read_csv(fixture "located/places.csv")

-- The virtual rasters are of an image whose bands are its own pixel coordinates.
local function opened(kind)
  if kind == "swath" then return raster.open(fixture "located/swath.nc") end
  return raster.open(fixture("located/" .. kind .. ".vrt"), { names = { "x", "y" } })
end

local function known(kind)
  local rows = {}
  for _, row in ipairs(places) do
    if row.kind == kind then rows[#rows + 1] = row end
  end
  assert(#rows > 90, kind)
  return rows
end

for _, kind in ipairs { "spline", "polynomial", "rpc" } do
  test(kind .. ": pixels are where rasterio has them", function()
    local image, rows = opened(kind), known(kind)
    local points = {}
    for i, row in ipairs(rows) do points[i] = { row.x, row.y } end
    for i, found in ipairs(image:sample(points)) do
      local row = rows[i]
      -- The pixel that holds the place; a place within a thousandth of an edge may be either's.
      assert(math.abs(found.x - row.col) < 0.501 and math.abs(found.y - row.row) < 0.501,
        ("%s %d: %s, %s in place of %s, %s"):format(kind, i, found.x, found.y, row.col, row.row))
    end
  end)

  test(kind .. ": reprojection brings them there", function()
    local image, rows = opened(kind), known(kind)
    local there = image:reproject { crs = "EPSG:4326", resolution = 0.0005, resampling = "bilinear" }
    local points = {}
    for i, row in ipairs(rows) do points[i] = { row.x, row.y } end
    local checked = 0
    for i, found in ipairs(there:sample(points)) do
      local row = rows[i]
      -- A pixel of the target is up to a fifth of one of the image. Edges have no neighbours to interpolate with.
      if row.col > 2 and row.col < 58 and row.row > 2 and row.row < 38 then
        assert(math.abs(found.x - row.col) < 0.2 and math.abs(found.y - row.row) < 0.2,
          ("%s %d: %s, %s in place of %s, %s"):format(kind, i, found.x, found.y, row.col, row.row))
        checked = checked + 1
      end
    end
    assert(checked > 80, checked)
  end)
end

test("swaths lie where their arrays say", function()
  local image, rows = opened "swath", known "swath"
  local band = image.bands[1]
  assert(image:read():get(0, 0) == 0 and image:read():get(39, 59) == 3959, "rows are turned round")
  local points = {}
  for i, row in ipairs(rows) do points[i] = { row.x, row.y } end
  for i, found in ipairs(image:sample(points)) do
    local row = rows[i]
    assert(found[band] == 100 * (row.row - 0.5) + row.col - 0.5, ("%d: %s"):format(i, found[band]))
  end
end)

test("longitude and latitude from another file, stored as whole numbers", function()
  -- As Sentinel-3 has them.
  local image, rows = opened "swath", known "swath"
  local geo = raster.open(fixture "located/geo.nc", { subdataset = { "latitude", "longitude" } })
  local plain = raster.open(fixture "located/radiance.nc", { geolocation = geo })
  local points = {}
  for i, row in ipairs(rows) do points[i] = { row.x, row.y } end
  for i, found in ipairs(plain:sample(points)) do
    local row = rows[i]
    assert(found[plain.bands[1]] == 100 * (row.row - 0.5) + row.col - 0.5, i)
  end
  -- Both are the same image on a grid, all of it within a few millionths of a degree.
  local grid = image:reproject { crs = "EPSG:32632", resolution = 50 }.grid
  local a, b = image:align(grid, { resampling = "bilinear" }), plain:align(grid, { resampling = "bilinear" })
  local difference = (a:rename "v" - b:rename "v"):abs():stats().v
  assert(difference.count > 60000 and difference.max < 0.2, ("%s %s"):format(difference.count, difference.max))
  assert_error(function() raster.open(fixture "located/radiance.nc", { geolocation = image }) end, "geolocation must be an image of 2 bands, longitude and latitude, of 40 × 60 pixels")
end)

test("a Sentinel-1 GRD lies where its control points say", function()
  local image = raster.open(shared "awkward/s1a-iw-grd-vv.tiff", { names = "VV" })
  assert(image:sample({ { 11.15704, 45.905035 } })[1].VV == 1000)
  local x, y = geometry.point(11.15704, 45.905035, "EPSG:4326"):to_crs("EPSG:32632"):position()
  if type(x) == "table" then x, y = x[1], x[2] end
  assert(image:sample({ { x, y } }, { crs = "EPSG:32632" })[1].VV == 1000)
  local there = image:reproject { crs = "EPSG:32632", resampling = "nearest" }
  assert(there.crs == "EPSG:32632" and there:sample({ { x, y } })[1].VV == 1000)
  -- The 11 × 11 pixels around it, as many as in the image; no other place has them.
  local share = image:eq(1000):stats().VV.mean
  assert_close(there:eq(1000):stats().VV.mean, share, share * 0.2)
end)

test("a part of an image, and its filtered copy, keep the place", function()
  local image, rows = opened "spline", known "spline"
  local part = image:crop { row = 8, col = 12, rows = 20, cols = 30 }
  local filtered = part + 0
  filtered:write("part.tif", { dtype = "float64" })
  local back = raster.open("part.tif", { names = { "x", "y" } })
  local points, inside = {}, {}
  for _, row in ipairs(rows) do
    if row.col > 13 and row.col < 41 and row.row > 9 and row.row < 27 then
      points[#points + 1], inside[#inside + 1] = { row.x, row.y }, row
    end
  end
  assert(#points > 20)
  for name, it in pairs { part = part, back = back } do
    for i, found in ipairs(it:sample(points)) do
      local row = inside[i]
      assert(math.abs(found.x - row.col) < 0.502 and math.abs(found.y - row.row) < 0.502, name)
    end
  end
  local clipped = image:clip { 11.1, 45.9, 11.15, 45.95 }
  assert(clipped.rows < 40 and clipped.cols < 60)
end)

test("pixels are not taken for a map", function()
  local image = opened "spline"
  assert(image.crs:find "pixels, in EPSG:4326 by 35 ground control points", image.crs)
  assert_error(function() image:set_crs(4326) end, "has its place by 35 ground control points, not by a grid of its CRS; .*:reproject { crs = ")
  assert_error(function() image:align(raster.grid { rows = 3, cols = 3 }) end, "only one of them has a CRS")
  local plain = raster.open(fixture "located/spline.vrt", { grid = raster.grid { rows = 40, cols = 60 } })
  assert(plain.crs == nil)
end)

test("uneven coordinates, as of Gaussian grids", function()
  local image = raster.open(fixture "located/gaussian.nc", { names = "v" })
  local lats = { 87.86, 82.31, 76.76, 71.21, 65.66, 60.0, 54.0 }
  for r, lat in ipairs(lats) do
    assert(image:sample({ { 190, lat } })[1].v == 10 * (7 - r) + 2, lat)
  end
  -- Half way between 60 and 54 lies their edge.
  assert(image:sample({ { 10, 57.1 } })[1].v == 10 and image:sample({ { 10, 56.9 } })[1].v == 0)
end)
