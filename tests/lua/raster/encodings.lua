-- How files store values. The fixtures are made by tests/reference/encodings.py, which prints what xarray reads of them.
local raster = require "raster"
local fs = require "fs"
local nan = 0 / 0

local FOLDER = "encodings/"

-- Stored, row by row: 0 1 −1 / −2 −3 100.
local function assert_pixels(image, expected)
  local rows = image:read():totable()
  assert(#rows == #expected)
  for r, row in ipairs(expected) do
    for c, want in ipairs(row) do
      local got = rows[r][c]
      assert(got == want or (got ~= got and want ~= want), ("(%d, %d) is %s, not %s"):format(r, c, got, want))
    end
  end
end

local function upside_down(rows)
  local turned = {}
  for i, row in ipairs(rows) do turned[#rows + 1 - i] = row end
  return turned
end

local READ = {
  unsigned_i1 = { "uint8", { { 0, 1, nan }, { 254, 253, 100 } } },
  unsigned_i2 = { "uint16", { { 0, 1, nan }, { 65534, 65533, 100 } } },
  unsigned_i4 = { "uint32", { { 0, 1, nan }, { 4294967294, 4294967293, 100 } } },
  signed_i1 = { "int8", { { 0, 1, -1 }, { -2, -3, 100 } } },
  both = { "int16", { { 0, 1, nan }, { nan, nan, 100 } } },
  -- By the NetCDF Users' Guide a range of floats beside packed integers is one of values, a range of integers one of stored numbers.
  unpacked = { "float32", { { 0, 1, nan }, { nan, nan, nan } } },
  packed = { "float32", { { 0, nan, nan }, { nan, nan, nan } } },
  least = { "float32", { { 0, 1, nan }, { nan, nan, 100 } } },
  signed_u1 = { "int8", { { 0, 1, -1 }, { -2, -3, 100 } } },
  unsigned_range = { "uint8", { { 0, 1, nan }, { nan, 253, 100 } } },
  large = { "int64", { { 0, 1, nan }, { -2, -3, 100 } } },
}

test("netCDF: signs, fill values, missing values and valid ranges, rows either way up, both formats", function()
  for _, file in ipairs { "north_up.nc", "south_up.nc", "classic.nc" } do
    local seen = 0
    for _, variable in ipairs(raster.subdatasets(fixture(FOLDER .. file))) do
      local image = raster.open(fixture(FOLDER .. file), { subdataset = variable.name })
      local dtype, pixels = table.unpack(READ[variable.name])
      local ok, message = pcall(assert_pixels, image, file == "south_up.nc" and upside_down(pixels) or pixels)
      assert(ok, ("%s of %s: %s"):format(variable.name, file, message))
      assert(image.dtypes[variable.name] == dtype, variable.name)
      assert(image.grid.bounds[3] == 25 and image.grid.bounds[2] == (file == "south_up.nc" and -5 or -15))
      seen = seen + 1
    end
    assert(seen == (file == "classic.nc" and 8 or 11))
  end
end)

test("HDF5: fill and missing values of every type of numbers", function()
  local path, seen = fixture(FOLDER .. "fill.h5"), 0
  for _, variable in ipairs(raster.subdatasets(path)) do
    for _, name in ipairs { variable.name, "/" .. variable.name } do
      local image = raster.open(path, { subdataset = name })
      local ok, message = pcall(assert_pixels, image, { { 0, 1 }, { nan, 3 } })
      assert(ok, name .. ": " .. tostring(message))
      local _, unit = next(image.units)
      assert(unit == "", "the attribute data_units is no unit")
      seen = seen + 1
    end
  end
  assert(seen == 40)
end)

test("nodata given by the user replaces that of the file", function()
  local image = raster.open(fixture(FOLDER .. "north_up.nc"), { subdataset = "both", nodata = 100 })
  assert_pixels(image, { { 0, 1, -1 }, { -2, -3, nan } })
end)

test("signed bytes are written as such, in every format that holds them", function()
  local grid = raster.grid { crs = 32611, origin = { 5e5, 4e6 }, resolution = 10, rows = 2, cols = 3 }
  local pixels = { { -128, -1, 0 }, { 1, 127, nan } }
  local image = raster.from_table(grid, { { -128, -1, 0 }, { 1, 127, false } }, { dtype = "int8" })
  for _, file in ipairs { "a.tif", "a.nc" } do
    image:write(file, { nodata = 100 })
    local back = raster.open(file)
    assert(select(2, next(back.dtypes)) == "int8", file)
    assert_pixels(back, pixels)
  end
  image:write("cog.tif", { format = "COG", nodata = 100, overview_resampling = "nearest" })
  assert_pixels(raster.open "cog.tif", pixels)
  raster.write_netcdf("b.nc", { { name = "v", image = image, dtype = "int8", fill = 100 } }, {})
  assert_pixels(raster.open "b.nc", pixels)
  assert_error(function() image:write "a.png" end, "a type that PNG files hold here.*got int8")
end)

test("overviews of signed bytes hold their values", function()
  local grid = raster.grid { crs = 32611, origin = { 0, 0 }, resolution = 1, rows = 600, cols = 600 }
  local image = ((raster.coordinates(grid).x - 0.5) % 2 * 20 - 10):cast "int8"
  for _, options in ipairs { { overviews = true }, { format = "COG" } } do
    image:write("o.tif", options)
    local _, s = next(raster.open("GTIFF_DIR:2:" .. folder .. "/o.tif"):stats())
    assert(s.count == 300 * 300 and (s.min == -10 or s.min == 10) and (s.max == -10 or s.max == 10), ("%s … %s"):format(s.min, s.max))
  end
end)

-- The numbers are those of ../shared/data/awkward/README.md (rasterio 1.4 with GDAL 3.10, xarray, by hand).
local function awkward(file, subdataset)
  return raster.open(shared("awkward/" .. file), { subdataset = subdataset })
end

local function assert_stats(image, band, count, min, max, mean)
  local s = image:stats()[band]
  assert(s.count == count, ("%d valid pixels, not %d"):format(s.count, count))
  if min then assert_close(s.min, min) assert_close(s.max, max) end
  if mean then assert_close(s.mean, mean) end
end

test("opacity as the fifth band", function()
  local image = awkward "rgbn_alpha.tif"
  for i, mean in ipairs { 50, 100, 150, 200 } do assert_stats(image, "b" .. i, 91, mean, mean, mean) end
  assert_stats(image, "b5", 100)
end)

test("opacity of 16 bits, anywhere among the bands", function()
  -- GDAL's own names of colours, in a virtual raster over files made here.
  local grid = raster.grid { crs = 32611, origin = { 5e5, 4e6 }, resolution = 10, rows = 1, cols = 3 }
  raster.from_table(grid, { { 0, 300, 65535 } }, { dtype = "uint16" }):write "alpha.tif"
  raster.from_table(grid, { { 7, 8, 9 } }, { dtype = "uint16" }):write "value.tif"
  local function band(i, file, colour)
    return ('<VRTRasterBand dataType="UInt16" band="%d"><ColorInterp>%s</ColorInterp><SimpleSource><SourceFilename relativeToVRT="1">%s</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>'):format(i, colour, file)
  end
  fs.write("rgba.vrt", '<VRTDataset rasterXSize="3" rasterYSize="1">' .. band(1, "value.tif", "Red") .. band(2, "alpha.tif", "Alpha")
    .. band(3, "value.tif", "Undefined") .. "</VRTDataset>")
  local image = raster.open "rgba.vrt"
  assert_pixels(image.b1, { { nan, 8, 9 } })
  assert_pixels(image.b2, { { 0, 300, 65535 } })
  assert_pixels(image.b3, { { nan, 8, 9 } })
end)

test("a mask for each band, in a file beside it and through a virtual raster", function()
  local image = awkward "etm.tif"
  assert_stats(image, "b1", 12)
  assert_stats(image, "b2", 8)
  local function band(i)
    local source = ('<SimpleSource><SourceFilename relativeToVRT="0">%s</SourceFilename><SourceBand>%%s</SourceBand></SimpleSource>'):format(shared "awkward/etm.tif")
    return ('<VRTRasterBand dataType="Int16" band="%d"><MaskBand><VRTRasterBand dataType="Byte">%s</VRTRasterBand></MaskBand>%s</VRTRasterBand>'):format(i, source:format("mask," .. i), source:format(i))
  end
  fs.write("etm.vrt", '<VRTDataset rasterXSize="4" rasterYSize="4">' .. band(1) .. band(2) .. "</VRTDataset>")
  local through = raster.open "etm.vrt"
  assert_stats(through, "b1", 12)
  assert_stats(through, "b2", 8)
end)

test("signed bytes of GeoTIFF, and a copy of them", function()
  local image = awkward "corine_int8.tif"
  assert_stats(image, "b1", 8, -5, 127, 21.875)
  image:write "copy.tif"
  local copy = raster.open "copy.tif"
  assert(copy.dtypes.b1 == "int8")
  assert_stats(copy, "b1", 8, -5, 127, 21.875)
end)

test("a valid range of values, and unsigned bytes", function()
  assert_stats(awkward "mod13_unpacked.nc", "ndvi", 10, -0.1, 0.9, 0.44)
  assert_stats(awkward "landcover_ubyte.nc", "lc", 6, 0, 254)
end)

test("HDF4-EOS: scale factors that divide", function()
  local image = awkward("MOD09GA.A2008296.h14v17.006.2015181011753.hdf", "MODIS_Grid_500m_2D:sur_refl_b01_1")
  local _, s = next(image:stats())
  assert_close(s.max, 1.4516)
  assert_close(s.mean, 0.83428, 1e-5)
  local counts = awkward("MOD09GA.A2008296.h14v17.006.2015181011753.hdf", "MODIS_Grid_1km_2D:num_observations_1km")
  assert(select(2, next(counts.dtypes)) == "int8")
end)

test("HDF5 fill values of the shared file", function()
  for _, name in ipairs { "u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8" } do
    assert_stats(awkward("fill.h5", name), name, 3)
    assert_stats(awkward("fill.h5", name .. "_ds"), name .. "_ds", 4)
  end
end)

-- 64-bit integers
local LARGEST = math.maxinteger

test("64-bit integers are exact from file to file", function()
  local image = awkward "i64.tif"
  local expected = {
    { nan, LARGEST - 1, 9223372036854775707 },
    { 9223372036854775296, 9223372036854775295, 9007199254740993 },
    { 1000, 2000, 3000 },
  }
  assert_pixels(image, expected)
  image:write "copy.tif"
  local copy = raster.open "copy.tif"
  assert(copy.dtypes.b1 == "int64")
  assert_pixels(copy, expected)
end)

test("64-bit integers are exact in netCDF", function()
  local image = awkward "i64.tif"
  local function same(options)
    raster.write_netcdf("exact.nc", { options })
    local back = raster.open "exact.nc"
    assert(back.dtypes[back.bands[1]] == (options.dtype or "int64"))
    local difference = image:ne(back:rename(image.bands))
    assert(difference:stats().b1.max == 0 and difference:stats().b1.count == 8, tostring(difference:stats()))
  end
  same { name = "id", image = image }
  same { name = "id", image = image, dtype = "uint64" }
end)

local function large(dtype)
  local grid = raster.grid { crs = 32611, origin = { 5e5, 4e6 }, resolution = 10, rows = 2, cols = 3 }
  local rows = { { LARGEST - 1, 9007199254740993, false }, { 9007199254740992, 5, 9007199254740993 } }
  return raster.from_table(grid, rows, { name = "id", dtype = dtype or "int64" })
end

test("64-bit integers are exact at points and in the ends of statistics", function()
  local image = awkward "i64.tif"
  local points, grid = {}, image.grid
  local function centre(row, col)
    local b = grid.bounds
    return { b[1] + (col + 0.5) * (b[3] - b[1]) / image.cols, b[4] - (row + 0.5) * (b[4] - b[2]) / image.rows }
  end
  for row = 0, 2 do
    for col = 0, 2 do points[#points + 1] = centre(row, col) end
  end
  local found = image:sample(points)
  local expected = {
    false, LARGEST - 1, 9223372036854775707, 9223372036854775296, 9223372036854775295, 9007199254740993, 1000, 2000, 3000,
  }
  for i, v in ipairs(expected) do
    if v then
      assert(found[i].b1 == v and math.type(found[i].b1) == "integer", i)
    else
      assert(found[i].b1 == nil, tostring(found[i].b1))
    end
  end
  local s = image:stats().b1
  assert(s.min == 1000 and s.max == LARGEST - 1 and math.type(s.max) == "integer")
  -- Between pixels they are numbers.
  assert(math.type(image:sample({ centre(2, 1) }, { resampling = "bilinear" })[1].b1) == "float")
end)

test("64-bit integers: comparisons, masks and choices", function()
  local id = large()
  assert_pixels(id:eq(9007199254740993), { { 0, 1, nan }, { 0, 0, 1 } })
  assert_pixels(id:gt(9007199254740992), { { 1, 1, nan }, { 0, 0, 1 } })
  assert_pixels(id:lt(2.0 ^ 63), { { 1, 1, nan }, { 1, 1, 1 } })
  assert_pixels(id:ge(5.5), { { 1, 1, nan }, { 1, 0, 1 } })
  assert_pixels(id:eq(id), { { 1, 1, nan }, { 1, 1, 1 } })
  assert_pixels(id:mask(id:gt(5)), { { LARGEST - 1, 9007199254740993, nan }, { 9007199254740992, nan, 9007199254740993 } })
  assert_pixels(id:unmask(0), { { LARGEST - 1, 9007199254740993, 0 }, { 9007199254740992, 5, 9007199254740993 } })
  assert_pixels(id:fill(LARGEST), { { LARGEST - 1, 9007199254740993, LARGEST }, { 9007199254740992, 5, 9007199254740993 } })
  assert_pixels(raster.where(id:eq(5), 7, id), { { LARGEST - 1, 9007199254740993, nan }, { 9007199254740992, 7, 9007199254740993 } })
  assert_pixels(id:clamp(6, 2 ^ 53), { { 2 ^ 53, 2 ^ 53, nan }, { 2 ^ 53, 6, 2 ^ 53 } })
  -- Differences are exact before they become float64.
  assert_pixels(id - 9007199254740992, { { (LARGEST - 1 - 9007199254740992) * 1.0, 1, nan }, { 0, 5 - 9007199254740992, 1 } })
  assert(id:unmask(0).dtypes.id == "int64" and id:mask(id:gt(5)).dtypes.id == "int64" and (id + 1).dtypes.id == "float64")
  assert(large "uint64".dtypes.id == "uint64")
end)

test("64-bit integers: moved, aligned, stacked, in a mosaic, in chips", function()
  local id = large()
  local moved = id:crop { rows = 2, cols = 2 }
  assert_pixels(moved, { { LARGEST - 1, 9007199254740993 }, { 9007199254740992, 5 } })
  local twice = id:align(raster.grid { crs = 32611, origin = { 5e5, 4e6 }, resolution = 20, rows = 1, cols = 1 }, { resampling = "max" })
  assert_pixels(twice, { { LARGEST - 1 } })
  local stack = raster.stack { id, id:mask(id:eq(5)) }
  assert_pixels(stack:reduce "max", { { LARGEST - 1, 9007199254740993, nan }, { 9007199254740992, 5, 9007199254740993 } })
  assert_pixels(stack:reduce "last", { { LARGEST - 1, 9007199254740993, nan }, { 9007199254740992, 5, 9007199254740993 } })
  assert_pixels(raster.mosaic { moved, id }, { { LARGEST - 1, 9007199254740993, nan }, { 9007199254740992, 5, 9007199254740993 } })
  local back = id:read():raster()
  assert(back.dtypes.id == "int64" and back:read():get(0, 1) == 9007199254740993)
end)

test("64-bit integers: zones and classes", function()
  local id = large()
  local b = id.grid.bounds
  local zone = require("geometry").bbox(b[1], b[2], b[3], b[4], "EPSG:32611")
  local t = id:zonal(zone, { statistics = { "min", "max", "count" }, classes = true })
  assert(t[1].min == 5 and t[1].max == LARGEST - 1 and t[1].count == 5, tostring(t[1].max))
  assert(t[1].class_9007199254740993 == 2 and t[1].class_9007199254740992 == 1 and t[1].class_5 == 1)
end)

test("64-bit integers: unsigned ones beyond 2⁶³", function()
  local grid = raster.grid { crs = 32611, origin = { 5e5, 4e6 }, resolution = 10, rows = 1, cols = 3 }
  local low = raster.from_table(grid, { { 1, LARGEST, false } }, { dtype = "uint64" })
  low:write "u.tif"
  local back = raster.open "u.tif"
  assert(back.dtypes.b1 == "uint64")
  assert_pixels(back, { { 1, LARGEST, nan } })
end)
