-- Cubes that are written, added to and read again, as netCDF and as Zarr of both versions. tests/reference/cubes.py has xarray and GDAL read the same ones.
local raster = require "raster"
local fs = require "fs"

local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 37, cols = 53 }
local place = raster.coordinates(grid)
local row, col = (5000000 - place.y) / 10 - 0.5, (place.x - 500000) / 10 - 0.5

-- The image of a step: what its pixels are is known by heart.
local function image(step, on)
  local v = (step * 1000 + row * 60 + col):rename "v":set_unit "m"
  v = v:mask(((row * 53 + col + step) % 7):gt(0.5))
  local n = ((row + col * 2 + step) % 200):rename "n":cast "uint8"
  return { raster.bands(v:cast "float32", n), time = ("2024-%02d-%02d"):format(step // 28 + 1, step % 28 + 1) }
end

local function stack(first, last)
  local images = {}
  for step = first, last do images[#images + 1] = image(step) end
  return raster.stack(images)
end

local function assert_is(path, first, last)
  local back = raster.stack(path)
  assert(#back == last - first + 1, path .. ": " .. #back)
  for i, step in ipairs(back) do
    local at = first + i - 1
    assert(step.time == image(at).time, path .. ": " .. tostring(step.time))
    assert(step.grid:matches(grid) and step.units.v == "m" and step.dtypes.n == "uint8" and step.dtypes.v == "float32")
    local v, n = step.v:read(), step.n:read()
    for r = 0, 36, 3 do
      for c = 0, 52 do
        local got = v:get(r, c)
        if (r * 53 + c + at) % 7 == 0 then
          assert(got ~= got, ("%s: %s is masked at step %d (%d, %d)"):format(path, got, at, r, c))
        else
          assert(got == at * 1000 + r * 60 + c, ("%s: %s at step %d (%d, %d)"):format(path, got, at, r, c))
        end
        assert(n:get(r, c) == (r + c * 2 + at) % 200, ("%s: n at step %d (%d, %d)"):format(path, at, r, c))
      end
    end
  end
end

local KINDS = {
  { "cube.nc", {} },
  { "rows.nc", { chunk_rows = 8 } },
  { "small.nc", { chunks = { 5, 16, 16 }, level = 9 } },
  { "three.zarr", { chunks = { 4, 8, 16 } } },
  { "two.zarr", { version = 2, chunks = { 4, 16, 16 } } },
}

for _, kind in ipairs(KINDS) do
  local path = kind[1]
  local function with(more)
    local options = {}
    for key, value in pairs(kind[2]) do options[key] = value end
    for key, value in pairs(more) do options[key] = value end
    return options
  end
  test(path .. ": a cube comes back, and takes later dates", function()
    stack(0, 9):write(path, with { append = true, attributes = { title = "heights", version = 3 } })
    assert_is(path, 0, 9)
    -- Into the chunk that is not full, and beyond; then nothing but one more.
    stack(10, 16):write(path, with { append = true })
    assert_is(path, 0, 16)
    stack(17, 17):write(path, with { append = true, attributes = { note = "one more" } })
    assert_is(path, 0, 17)
    assert(raster.read_attribute(path, "#title") == "heights" and raster.read_attribute(path, "#version") == 3)
    assert(raster.read_attribute(path, "#note") == "one more" and raster.read_attribute(path, "#Conventions"):find "CF")
    assert(raster.read_attribute(path, "/v#units") == "m" and raster.read_attribute(path, "/time#calendar") == "proleptic_gregorian")
  end)

  test(path .. ": what is no continuation is refused, and nothing is lost", function()
    stack(0, 4):write(path, with {})
    local function refused(pattern, what, options)
      assert_error(function() what:write(path, with(options or { append = true })) end, pattern)
      assert_is(path, 0, 4)
    end
    refused("ends at 2024%-01%-05.*first of the images is of 2024%-01%-05", stack(4, 6))
    refused("times that rise", raster.stack { image(7), image(6) })
    refused("holds no variable `w`", stack(5, 6):map(function(i) return raster.bands(i.v:rename "w", i.n) end))
    refused("has the variable `n`, which the images have not", stack(5, 6):map(function(i) return i:select "v" end))
    refused("grid", stack(5, 6):map(function(i) return i:crop { rows = 10, cols = 10 } end))
    refused("`v` is of type float32, the images are of type float64", stack(5, 6):map(function(i) return raster.bands(i.v:cast "float64", i.n) end))
    refused("`v` is in m, the images are in km", stack(5, 6):map(function(i) return raster.bands((i.v / 1000):set_unit "km", i.n) end))
  end)
end

test("units that differ from image to image are no one variable", function()
  local images = { image(0), image(1) }
  images[2][1] = raster.bands((images[2][1].v / 1000):set_unit "km", images[2][1].n)
  for _, path in ipairs { "units.nc", "units.zarr" } do
    assert_error(function() raster.stack(images):write(path) end, "the band `v` of image 2 is in km, that of the first in m; convert the images to one unit")
    assert(not fs.exists(path))
  end
end)

test("packed values: the file says how they are read, and takes more of them", function()
  local function of(first, last)
    return stack(first, last):map(function(i) return (i.v / 7):set_unit "m" end)
  end
  for _, path in ipairs { "packed.nc", "packed.zarr", "packed2.zarr" } do
    local options = { dtype = "int16", scale = 0.1, offset = 500, append = true, version = path:find "2" and 2 or 3 }
    of(0, 4):write(path, options)
    of(5, 7):write(path, options)
    local back, want = raster.stack(path), of(0, 7)
    assert(#back == 8)
    for i = 1, 8 do
      local off = (back[i] - want[i]):abs():stats().v
      assert(off.count == want[i]:stats().v.count and off.max <= 0.0501, off.max)
    end
    assert(raster.read_attribute(path, "/v#scale_factor") == 0.1 and raster.read_attribute(path, "/v#add_offset") == 500)
    -- Not packed a second time: the first dates are stored as they were.
    options.append = nil
    of(0, 4):write("alone_" .. path, options)
    local a, b = raster.stack("alone_" .. path), raster.stack(path)
    for i = 1, 5 do assert((a[i] - b[i]):abs():stats().v.max == 0) end
    assert_error(function() of(8, 8):write(path, { dtype = "int16", append = true }) end, "scale and offset must be 0.1 and 500, as ")
    assert(#raster.stack(path) == 8)
  end
  assert_error(function() stack(0, 1):write("no.nc", { scale = 0.1 }) end, "dtype must be one of whole numbers")
  assert(not fs.exists "no.nc")
end)

test("a netCDF file of another hand is not added to", function()
  raster.write_netcdf("plain.nc", { { image = raster.constant(grid, 1):rename "v" } })
  assert_error(function() stack(0, 1):select "v":write("plain.nc", { append = true }) end, "was not written by `Stack:write` %(it has no time axis%)")
  fs.write("text.nc", "no netCDF at all")
  assert_error(function() stack(0, 1):write("text.nc", { append = true }) end, "text.nc.*nothing is added to it")
  assert(fs.read "text.nc" == "no netCDF at all")
end)

test("text variables, other mappings and fills stay when dates are added", function()
  local records = { { name = "note", attributes = { who = "me", orbit = 7, ratio = 0.5, bands = { 1, 2, 3 } } } }
  local function v(first, last) return stack(first, last):map(function(i) return i:select "v" end) end
  v(0, 2):write("kept.nc", { mapping = "projection", fill = -9999, records = records })
  v(3, 4):write("kept.nc", { append = true, fill = -9999 })
  local function said(name) return raster.read_attribute("kept.nc", name) end
  assert(said "/note#who" == "me" and said "/note#orbit" == 7 and said "/note#ratio" == 0.5 and said "/note#bands" == 1)
  assert(said "/v#grid_mapping" == "projection" and said "/projection#grid_mapping_name" == "transverse_mercator")
  assert(said "/v#_FillValue" == -9999 or said "/v#_FillValue" == nil)
  assert(#raster.stack "kept.nc" == 5 and raster.stack("kept.nc")[5]:stats().v.count == stack(4, 4)[1]:stats().v.count)
  assert_error(function() v(5, 5):write("kept.nc", { append = true, fill = -1 }) end, "fill must be %-9999, as .*kept.nc has it for `v`")
end)

test("in pixel coordinates, and in degrees", function()
  for name, other in pairs { pixels = raster.grid { rows = 4, cols = 6 }, degrees = raster.grid { crs = 4326, origin = { 10, 50 }, resolution = 0.25, rows = 4, cols = 6 } } do
    local function of(day) return { raster.coordinates(other):select "y":rename "v", time = "2024-01-0" .. day } end
    for _, ending in ipairs { ".nc", ".zarr" } do
      raster.stack { of(1), of(2) }:write(name .. ending)
      raster.stack { of(3) }:write(name .. ending, { append = true })
      local back = raster.stack(name .. ending)
      assert(#back == 3 and back[3].grid:matches(other), name .. ending .. tostring(back[3].grid))
      assert((back[3].v - raster.coordinates(other).y):abs():stats().v.max == 0)
    end
  end
end)
