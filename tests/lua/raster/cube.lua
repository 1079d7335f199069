-- Time axes: times and values as xarray 2026.9 with cftime 1.6 reads the files.
local raster = require "raster"
local fs = require "fs"

local function times(stack)
  return table.concat(stack:times(), " ")
end

test("every step of a time axis is an image with its time", function()
  local std = raster.stack(shared "awkward/std.nc")
  assert(#std == 3 and times(std) == "2020-02-29 2020-03-01 2020-03-02", times(std))
  assert(std[2].t2m:read():get(0, 0) == 12 and std[2].units.t2m == "K")
  assert(times(raster.stack(shared "awkward/noleap.nc")) == "2000-03-01 2000-03-02 2000-03-03")
  assert(times(raster.stack(shared "awkward/hours.nc")) == "2020-01-01 2020-01-02 2020-01-03")
end)

test("several variables at once", function()
  local path = shared "awkward/era.nc"
  local both = raster.stack(path)
  assert(#both == 24 and table.concat(both[1].bands, " ") == "t2m precip" and both[1].time == "2020-01-01")
  assert(both[24].time == "2021-12-01")
  local named = raster.stack(path, { subdataset = { "t2m", "elev" }, names = { "t", "z" } })
  assert(#named == 24 and table.concat(named[7].bands, " ") == "t z")
  local row = both[6]:sample({ { 10, 50 } })[1]
  assert_close(row.t2m, 17.88, 1e-4)
  assert_close(row.precip, 1.1250849962234497, 1e-5)
  assert_close(named[6]:sample({ { 10, 50 } })[1].z, 15.227049827575684, 1e-3)
  local bands = raster.open(path, { subdataset = { "precip", "elev" } })
  assert(#bands.bands == 25 and bands.bands[1] == "precip_b1" and bands.bands[25] == "elev")
  assert_error(function() raster.stack(path, { subdataset = "t2n" }) end, "no subdataset `t2n`; did you mean `t2m`")
end)

-- A stack of images, and what a cube of them says.
local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 5, cols = 7 }
local function stacked(...)
  local images = {}
  for i, time in ipairs { ... } do
    local noise = raster.random(grid, { seed = i })
    images[i] = {
      raster.bands((noise * 100):mask(noise:gt(0.1)):rename "a":set_unit "m", (noise * 200):cast("uint8"):rename "b"),
      time = time,
    }
  end
  return raster.stack(images)
end

test("a stack is one file, and comes back", function()
  local stack = stacked("2024-01-05", "2024-02-29T23:59:59Z", "2031-07-01")
  assert(stack:write "cube.nc" == "cube.nc")
  local back = raster.stack "cube.nc"
  assert(times(back) == "2024-01-05 2024-02-29T23:59:59Z 2031-07-01", times(back))
  for i = 1, 3 do
    assert(back[i].grid == grid and back[i].units.a == "m" and back[i].dtypes.b == "uint8" and back[i].dtypes.a == "float32")
    for _, band in ipairs { "a", "b" } do
      local want, got = stack[i]:select(band):read(), back[i]:select(band):read()
      assert(want:count() == got:count() and want:sum() == got:sum(), band)
    end
  end
  -- By the CF conventions.
  local axis = raster.read_array("cube.nc", "/time")
  assert(axis[1] == 1704412800 and axis[2] == 1709251199 and axis[3] == 1940630400)
end)

test("parts of a second are kept", function()
  local stack = stacked("2024-01-05T00:00:00.25Z", "2024-01-05T00:00:00.500001Z")
  stack:write("fine.nc", { dtype = "float64", attributes = { title = "fine" } })
  local back = raster.stack "fine.nc"
  assert(times(back) == "2024-01-05T00:00:00.25Z 2024-01-05T00:00:00.500001Z", times(back))
  assert(back[1].dtypes.b == "float64")
end)

test("what a cube cannot be made of is said", function()
  local stack = stacked("2024-01-05", "2024-01-05")
  assert_error(function() stack:write "no.nc" end, "times must be times that rise from image to image; `:sort%(%)` the stack")
  assert_error(function() raster.stack({}):write "no.nc" end, "the stack holds no image")
  local plain = raster.stack { raster.constant(grid, 1) }
  assert_error(function() plain:write "no.nc" end, "image 1 has no time")
  local other = raster.stack { { raster.constant(grid, 1), time = "2024-01-01" }, { raster.constant(grid, 1):rename "z", time = "2024-01-02" } }
  assert_error(function() other:write "no.nc" end, "image 2 has the bands z, the first constant")
  local full = raster.stack { { raster.constant(grid, 255):cast "uint8", time = "2024-01-01" } }
  assert_error(function() full:write "no.nc" end, "valid pixels of `constant` have the value 255, which stands for masked ones; give another { fill = ")
  assert(full:write("other.nc", { fill = 0 }) and raster.stack("other.nc")[1]:stats().constant.count == 35)
  assert(not fs.exists "no.nc")
end)

test("images without a place come back in the order of their rows", function()
  local pixels = raster.grid { rows = 3, cols = 4 }
  local image = raster.coordinates(pixels):select "y":rename "v"
  raster.stack { { image, time = "2024-01-01" } }:write "pixels.nc"
  local back = raster.stack("pixels.nc")[1]
  assert(back.grid == pixels and back.crs == nil and back:read():get(0, 0) == 0.5 and back:read():get(2, 3) == 2.5)
  local placed = raster.grid { origin = { 100, 50 }, resolution = 10, rows = 3, cols = 4 }
  raster.write_netcdf("plain.nc", { { image = raster.constant(placed, 1) } })
  assert(raster.open("plain.nc").grid == placed and raster.open("plain.nc").crs == nil)
  -- In a CRS whose unit is no metre.
  local feet = raster.grid { crs = "EPSG:2263", origin = { 980000, 200000 }, resolution = 10, rows = 3, cols = 4 }
  raster.write_netcdf("feet.nc", { { image = raster.constant(feet, 1) } })
  assert(raster.open("feet.nc").grid == feet, tostring(raster.open("feet.nc").grid))
  local located = raster.open(shared "awkward/s1a-iw-grd-vv.tiff")
  assert_error(function() raster.write_netcdf("no.nc", { { image = located } }) end, "has its place by 121 ground control points.*:reproject")
end)
