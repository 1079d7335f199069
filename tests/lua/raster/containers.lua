-- The files are made by tests/reference/containers.py, without GDAL.
local raster = require "raster"

local function named(path)
  local names = {}
  for i, variable in ipairs(raster.subdatasets(path)) do
    names[i] = variable.name
  end
  return table.concat(names, " ")
end

-- Pixel (r, c) is stored as 6 r + c, times 0.5 plus 100; (1, 2) is masked.
local function assert_heights(image)
  assert(image.rows == 4 and image.cols == 6 and #image.bands == 1 and image.bands[1] == "height")
  assert(image.units.height == "m", image.units.height)
  assert(image.dtypes.height == "float32", image.dtypes.height)
  local array = image:read()
  for r = 0, 3 do
    for c = 0, 5 do
      local value = array:get(r, c)
      if r == 1 and c == 2 then
        assert(value ~= value, "the nodata value is not masked")
      else
        assert(value == (6 * r + c) * 0.5 + 100, ("%d %d: %s"):format(r, c, value))
      end
    end
  end
end

local function assert_powers(image, band, more)
  local one = image:select(band)
  local array = one:read()
  assert(array:get(0, 0) ~= array:get(0, 0))
  assert(array:get(2, 5) == 17.25 + more and array:get(3, 0) == 18.25 + more)
  assert(one:stats()[band].count == 23)
end

test("netCDF: scale, offset, nodata, unit, place, one band a time", function()
  local path = fixture "containers/scene.nc"
  assert(named(path) == "height power", named(path))
  local height = raster.open(path, { subdataset = "height" })
  assert_heights(height)
  assert(height.crs == "EPSG:32611" and height.grid.bounds[1] == 500000 and height.grid.bounds[4] == 4000000)
  local power = raster.open(path, { subdataset = "power", names = { "a", "b", "c" } })
  assert_powers(power, "a", 0)
  assert_powers(power, "c", 2)
  assert_powers(raster.open(path, { subdataset = "power", bands = 2 }), "b2", 1)
  assert_error(function() raster.open(path) end, "holds several images; name one with { subdataset = \"height\" }; there are: height, power")
end)

test("HDF5: groups, scale, offset, nodata, unit, complex pixels", function()
  local path = fixture "containers/scene.h5"
  assert(named(path) == "science/grids/height science/grids/power science/grids/slc", named(path))
  assert_heights(raster.open(path, { subdataset = "science/grids/height" }))
  assert_heights(raster.open(path, { subdataset = "height" }))
  assert_powers(raster.open(path, { subdataset = "power" }), "power", 0)
  local slc = raster.open(path, { subdataset = "slc" })
  assert(slc.dtypes.slc == "complex64")
  assert_close(slc:power():read():get(2, 5), 17.25 ^ 2 + 17 ^ 2, 1e-3)
  assert_error(function() raster.open(path, { subdataset = "hight" }) end, "no subdataset `hight`")
end)

test("Zarr: chunks, scale, offset, nodata, unit", function()
  local path = fixture "containers/scene.zarr"
  assert(named(path) == "height power", named(path))
  assert_heights(raster.open(path, { subdataset = "height" }))
  assert_powers(raster.open(path, { subdataset = "power" }), "power", 0)
end)

test("values as they are stored", function()
  for _, name in ipairs { "nc", "h5", "zarr" } do
    local raw = raster.open(fixture("containers/scene." .. name), { subdataset = "height", raw = true })
    assert(raw.dtypes.height == "int16" and raw:read():get(3, 5) == 23)
  end
end)
