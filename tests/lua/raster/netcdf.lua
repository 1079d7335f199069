local raster = require "raster"

local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 7, cols = 9 }
local image = raster.random(grid, { seed = 3 }):rename "a"

test("images come back with their masks, types and place", function()
  local values = image * 1000
  local holed = values:mask(image:gt(0.2))
  raster.write_netcdf("out.nc", {
    { image = holed, dtype = "int16", fill = -9999, attributes = { units = "m", flag_values = { 1, 2 } } },
    { name = "b", image = image, dtype = "float32", attributes = { scale = 0.5, count = 3 } },
  }, { attributes = { title = "two images" }, records = { { name = "note", attributes = { who = "me" } } } })
  local a, b = raster.open("out.nc", { subdataset = "a" }), raster.open("out.nc", { subdataset = "b" })
  assert(a.grid:matches(grid) and b.grid:matches(grid), tostring(a.grid))
  local expected, got = holed:read(), a:read()
  local exact, plain = image:read(), b:read()
  for row = 0, 6 do
    for col = 0, 8 do
      local e, g = expected:get(row, col), got:get(row, col)
      if e ~= e then assert(g ~= g) else assert_close(g, e, 0.5) end
      assert(exact:get(row, col) == plain:get(row, col))
    end
  end
end)

test("what netCDF cannot hold is said", function()
  local function said(pattern, variables, options)
    assert_error(function() raster.write_netcdf("out2.nc", variables, options) end, pattern)
    assert(not require "fs".exists "out2.nc")
  end
  said("at least one image", {})
  said("fill must be a whole number that int16 holds", { { image = image, dtype = "int16", fill = 1e6 } })
  said("unknown option `variables%[1%]", { { image = image, typ = "int16" } })
  said("two called `a`", { { image = image }, { image = image } })
  said("the grids differ", { { image = image }, { name = "b", image = raster.constant(raster.grid { rows = 2, cols = 2 }, 1) } })
  said("an image of real numbers", { { image = raster.complex(image, image) } })
end)

local fs = require "fs"

local function same(a, b, what)
  local x, y = a:read(), b:read()
  assert(x.rows == y.rows and x.cols == y.cols, what)
  for row = 0, x.rows - 1 do
    for col = 0, x.cols - 1 do
      local v, w = x:get(row, col), y:get(row, col)
      assert(v == w or (v ~= v and w ~= w), ("%s: %s and %s at %d, %d"):format(what, v, w, row, col))
    end
  end
end

test("Raster:write: bands are variables of their own type, with units, masks, time and place", function()
  local counted = (image * 100):rename "counted":mask(image:gt(0.3)):cast "int16"
  local both = raster.bands(image:set_unit "m", counted, (image * 200):cast("uint8"):rename "byte")
  local timed = raster.stack { { both, time = "2024-02-29T12:30:00.5Z" } }[1]
  for _, options in ipairs { {}, { compress = "none" }, { level = 9 }, { nodata = 999, dtype = "float64" } } do
    assert(timed:write("all.nc", options) == "all.nc")
    local back = raster.open("all.nc", { subdataset = { "a", "counted", "byte" } })
    assert(back.grid == grid and back.time == "2024-02-29T12:30:00.5Z" and back.units.a == "m")
    assert(back.dtypes.counted == (options.dtype or "int16") and back.dtypes.byte == (options.dtype or "uint8"))
    for _, band in ipairs { "a", "counted", "byte" } do same(both[band], back[band], band) end
    assert(back:stats().counted.count < 63)
    -- The same through the reader of cubes.
    assert(#raster.stack "all.nc" == 1 and raster.stack("all.nc")[1].time == "2024-02-29T12:30:00.5Z")
  end
  local one = raster.open("all.nc", { subdataset = "a" })
  assert(one["NC_GLOBAL#Conventions"] == "CF-1.11" and one["a#units"] == "m" and one["a#grid_mapping"] == "spatial_ref")
  image:write("tagged.nc", { tags = { purpose = "a test" }, statistics = false })
  local tagged = raster.open "tagged.nc"
  assert(tagged["NC_GLOBAL#purpose"] == "a test" and tagged.bands[1] == "a" and tagged.properties["a#STATISTICS_MEAN"] == nil)
end)

test("Raster:write: tiles in any order make the image, with chunks at every edge", function()
  for _, size in ipairs { { 1, 1 }, { 1, 1500 }, { 1500, 1 }, { 1111, 777 } } do
    local wide = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = size[1], cols = size[2] }
    local noise = raster.random(wide, { seed = 7 }):rename "noise"
    raster.write_all { { noise, "noise.nc" }, { noise, "noise.tif" }, { noise * 2, "twice.nc", { compress = "none" } } }
    local nc, tif, twice = raster.open "noise.nc", raster.open "noise.tif", raster.open "twice.nc"
    assert(nc.grid:matches(tif.grid), tostring(nc.grid))
    local off = (nc - tif):abs():stats().noise
    assert(off.count == size[1] * size[2] and off.max == 0)
    assert((twice - tif * 2):abs():stats().noise.max == 0)
  end
end)

test("Raster:write: whole numbers that nobody masks keep all their values", function()
  local bytes = raster.from_table(grid, (function()
    local rows = {}
    for r = 1, 7 do
      rows[r] = {}
      for c = 1, 9 do rows[r][c] = 256 - (r * 9 + c) end
    end
    rows[1][1] = 255
    return rows
  end)(), { dtype = "uint8" }):rename "bytes"
  bytes:write "bytes.nc"
  local back = raster.open "bytes.nc"
  assert(back:stats().bytes.count == 63 and back:stats().bytes.max == 255 and back.dtypes.bytes == "uint8")
  -- Where some are masked, one of the values has to be free.
  local masked = bytes:mask(bytes:gt(200))
  assert_error(function() masked:write "lost.nc" end, "1 valid pixels of `bytes` have the value 255, which stands for masked ones; give another { nodata = ")
  assert(not fs.exists "lost.nc")
  masked:write("kept.nc", { nodata = 0 })
  same(masked, raster.open "kept.nc", "kept")
  local spare = bytes:mask(bytes:lt(250))
  spare:write "spare.nc"
  same(spare, raster.open "spare.nc", "spare")
end)

test("values are packed into whole numbers, alike in GeoTIFF and netCDF", function()
  local values = image * 40 - 20
  values = values:mask(image:gt(0.2))
  for _, path in ipairs { "packed.nc", "packed.tif", "packed_cog.tif" } do
    local format = path:match "cog" and "COG" or nil
    values:write(path, { dtype = "int16", scale = 0.001, offset = 5, nodata = -32768, format = format })
    local back, stored = raster.open(path), raster.open(path, { raw = true })
    assert(stored.dtypes.a == "int16" and back:stats().a.count == values:stats().a.count)
    assert((back - values):abs():stats().a.max <= 0.0005 + 1e-6)
    assert_close(stored:stats().a.max, (values:stats().a.max - 5) / 0.001, 0.5)
  end
  assert_error(function() values:write("no.nc", { scale = 0.1 }) end, "dtype must be one of whole numbers")
  assert_error(function() values:write("no.png", { scale = 0.1, dtype = "uint8" }) end, "only GeoTIFF, COG and netCDF")
  assert_error(function() values:write("no.nc", { scale = 0, dtype = "int16" }) end, "scale must be a number other than 0")
end)

test("Raster:write says what a netCDF file cannot hold, and which options it has no use for", function()
  local function said(pattern, what, options)
    assert_error(function() what:write("no.nc", options) end, pattern)
    assert(not fs.exists "no.nc")
  end
  said("an image of real numbers, which are all that netCDF holds %(write `:real%(%)` and `:imag%(%)`", raster.complex(image, image))
  said("compress must be `deflate` or `none` in a netCDF file, got `zstd`", image, { compress = "zstd" })
  said("predictor must be left out: netCDF shuffles bytes", image, { predictor = false })
  said("overviews must be left out", image, { overviews = true })
  said("overview_resampling must be left out", image, { overview_resampling = "mode" })
  said("level must be from 1 to 9", image, { level = 12 })
  said("rename the band, got `x`", image:rename "x")
  said("rename the band, got `lat/lon`", image:rename "lat/lon")
  said("nodata must be a whole number that uint8 holds", image, { dtype = "uint8", nodata = 300 })
  said("the grid is turned", raster.constant(raster.grid { transform = { 0, 1, 1, 0, 1, -1 }, rows = 3, cols = 3, crs = 32633 }, 1))
end)

-- By pyproj 3.7 (tests/reference/netcdf.py mappings). Of a Mercator with a factor, pyproj also says the equator.
local MAPPINGS = {
  [32633] = {
    grid_mapping_name = "transverse_mercator", longitude_of_central_meridian = 15.0, latitude_of_projection_origin = 0.0,
    scale_factor_at_central_meridian = 0.9996, false_easting = 500000.0, false_northing = 0.0, semi_major_axis = 6378137.0,
    inverse_flattening = 298.257223563, longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "WGS 84",
  },
  [32733] = {
    grid_mapping_name = "transverse_mercator", longitude_of_central_meridian = 15.0, latitude_of_projection_origin = 0.0,
    scale_factor_at_central_meridian = 0.9996, false_easting = 500000.0, false_northing = 10000000.0, semi_major_axis = 6378137.0,
    inverse_flattening = 298.257223563, longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "WGS 84",
  },
  [3031] = {
    grid_mapping_name = "polar_stereographic", standard_parallel = -71.0, straight_vertical_longitude_from_pole = 0.0,
    false_easting = 0.0, false_northing = 0.0, semi_major_axis = 6378137.0, inverse_flattening = 298.257223563,
    longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "WGS 84",
  },
  [3413] = {
    grid_mapping_name = "polar_stereographic", standard_parallel = 70.0, straight_vertical_longitude_from_pole = -45.0,
    false_easting = 0.0, false_northing = 0.0, semi_major_axis = 6378137.0, inverse_flattening = 298.257223563,
    longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "WGS 84",
  },
  [3035] = {
    grid_mapping_name = "lambert_azimuthal_equal_area", longitude_of_projection_origin = 10.0, latitude_of_projection_origin = 52.0,
    false_easting = 4321000.0, false_northing = 3210000.0, semi_major_axis = 6378137.0, inverse_flattening = 298.257222101,
    longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "GRS 1980",
  },
  [5070] = {
    grid_mapping_name = "albers_conical_equal_area", standard_parallel = { 29.5, 45.5 }, longitude_of_central_meridian = -96.0,
    latitude_of_projection_origin = 23.0, false_easting = 0.0, false_northing = 0.0, semi_major_axis = 6378137.0,
    inverse_flattening = 298.257222101, longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "GRS 1980",
  },
  [2154] = {
    grid_mapping_name = "lambert_conformal_conic", standard_parallel = { 49.0, 44.0 }, longitude_of_central_meridian = 3.0,
    latitude_of_projection_origin = 46.5, false_easting = 700000.0, false_northing = 6600000.0, semi_major_axis = 6378137.0,
    inverse_flattening = 298.257222101, longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "GRS 1980",
  },
  [6933] = {
    grid_mapping_name = "lambert_cylindrical_equal_area", standard_parallel = 30.0, longitude_of_central_meridian = 0.0,
    false_easting = 0.0, false_northing = 0.0, semi_major_axis = 6378137.0, inverse_flattening = 298.257223563,
    longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "WGS 84",
  },
  [2193] = {
    grid_mapping_name = "transverse_mercator", longitude_of_central_meridian = 173.0, latitude_of_projection_origin = 0.0,
    scale_factor_at_central_meridian = 0.9996, false_easting = 1600000.0, false_northing = 10000000.0, semi_major_axis = 6378137.0,
    inverse_flattening = 298.257222101, longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "GRS 1980",
  },
  [3395] = {
    grid_mapping_name = "mercator", longitude_of_projection_origin = 0.0, scale_factor_at_projection_origin = 1.0, false_easting = 0.0,
    false_northing = 0.0, semi_major_axis = 6378137.0, inverse_flattening = 298.257223563, longitude_of_prime_meridian = 0.0,
    reference_ellipsoid_name = "WGS 84",
  },
  [4326] = {
    grid_mapping_name = "latitude_longitude", semi_major_axis = 6378137.0, inverse_flattening = 298.257223563,
    longitude_of_prime_meridian = 0.0, reference_ellipsoid_name = "WGS 84",
  },
  [2263] = {
    grid_mapping_name = "lambert_conformal_conic", standard_parallel = { 41.03333333333333, 40.666666666666664 },
    longitude_of_central_meridian = -74.0, latitude_of_projection_origin = 40.166666666666664, false_easting = 984250.0,
    false_northing = 0.0, semi_major_axis = 6378137.0, inverse_flattening = 298.257222101, longitude_of_prime_meridian = 0.0,
    reference_ellipsoid_name = "GRS 1980",
  },
}

test("grid mappings say what pyproj says of the CRS", function()
  for code, told in pairs(MAPPINGS) do
    local there = code == 4326 and { 10, 50 } or { 500000, 1000000 }
    local placed = raster.grid { crs = code, origin = there, resolution = code == 4326 and 0.1 or 100, rows = 3, cols = 4 }
    raster.constant(placed, 1):rename "v":write "mapped.nc"
    local back = raster.open "mapped.nc"
    assert(back.grid:matches(placed), code .. tostring(back.grid))
    for key, want in pairs(told) do
      local got = back["spatial_ref#" .. key]
      if type(want) == "string" then
        assert(got == want, ("%d %s: %s, not %s"):format(code, key, got, want))
      elseif type(want) == "number" then
        assert(math.abs(tonumber(got) - want) <= 1e-9 * math.max(1, math.abs(want)), ("%d %s: %s, not %s"):format(code, key, got, want))
      else
        local numbers = {}
        for number in tostring(got):gmatch "[%d.-]+" do numbers[#numbers + 1] = tonumber(number) end
        for i, n in ipairs(want) do assert(math.abs(numbers[i] - n) < 1e-9, ("%d %s: %s"):format(code, key, got)) end
      end
    end
    local x = code == 4326 and "lon" or "x"
    assert(#raster.read_array("mapped.nc", "/" .. x) == 4)
    assert(back[x .. "#standard_name"] == (code == 4326 and "longitude" or "projection_x_coordinate") and back[x .. "#axis"] == "X")
    if code ~= 2263 then assert(back[x .. "#units"] == (code == 4326 and "degrees_east" or "m")) end
  end
end)
