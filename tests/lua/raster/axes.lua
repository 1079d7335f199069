-- Arrays of containers in every order of their axes. The files are made by tests/reference/axes.py, without GDAL.
local raster = require "raster"
local fs = require "fs"

local folder = fixture "axes"

-- `v` at x = 500005 + 10 c, y = 4000005 + 10 r and time t is 100 t + 10 r + c.
local function assert_placed(image, band, t, name)
  assert(image.rows == 3 and image.cols == 4, name)
  local bounds = image.grid.bounds
  assert(bounds[1] == 500000 and bounds[2] == 4000000 and bounds[3] == 500040 and bounds[4] == 4000030, name)
  assert(image.grid.transform[6] < 0 and image.grid.transform[2] > 0, name .. ": not upright")
  local points = {}
  for r = 0, 2 do
    for c = 0, 3 do
      points[#points + 1] = { 500005 + 10 * c, 4000005 + 10 * r, expected = 100 * t + 10 * r + c }
    end
  end
  for _, row in ipairs(image:sample(points)) do
    assert(row[band] == row.expected, ("%s: %s in place of %s"):format(name, row[band], row.expected))
  end
  -- Row 0 is the northern one, as it is read.
  assert(image:read():get(0, 0) == 100 * t + 20 and image:read():get(2, 3) == 100 * t + 3, name)
end

local entries = {}
for order in ("tyx txy ytx yxt xty xyt t-yx ty-x t-y-x -xt-y -yx yx xy x-y"):gmatch "%S+" do
  for _, extension in ipairs { "nc", "h5" } do entries[#entries + 1] = order .. "." .. extension end
end
for order in ("-yx yx xy x-y tyx xty t-yx"):gmatch "%S+" do entries[#entries + 1] = order .. ".zarr" end

test("any order of axes, either way round, in netCDF, HDF5 and Zarr", function()
  for _, entry in ipairs(entries) do
    local path = folder .. "/" .. entry
    local stack = raster.stack(path, { subdataset = "v" })
    local timed = entry:find "t" == 1 or entry:match("^[^.]*"):find "t"
    assert(#stack == (timed and 2 or 1), entry)
    for i, image in ipairs(stack) do
      assert(#image.bands == 1 and image.bands[1] == "v", entry .. ": " .. image.bands[1])
      assert_placed(image, "v", i - 1, entry)
    end
    if timed then
      assert(stack[1].time == "2024-01-05" and stack[2].time == "2024-01-17", entry .. ": " .. tostring(stack[2].time))
      local open = raster.open(path, { subdataset = "v" })
      assert(#open.bands == 2, entry)
      assert_placed(open:select(open.bands[2]), open.bands[2], 1, entry)
    end
  end
end)

test("a grid that is given counts for rows and columns as they are read", function()
  local grid = raster.grid { bounds = { 0, 0, 4, 3 }, rows = 3, cols = 4 }
  local image = raster.open(folder .. "/yx.h5", { subdataset = "v", grid = grid })
  assert(image:read():get(0, 0) == 0 and image.grid == grid)
end)

test("the awkward files lie where they should", function()
  local rain = raster.open(shared "awkward/imerg.nc4", { names = "rain" })
  assert(rain:sample({ { 10.25, 45.15 } })[1].rain == 201 and rain.rows == 3 and rain.cols == 4)
  assert(rain:sample({ { 10.35, 45.05 } }, { crs = "EPSG:4326" })[1].rain == 300)
  assert(rain.time == "2008-03-26", rain.time)
  local plain = raster.open(shared "awkward/gpcc_plain.nc", { names = "tp" })
  assert(plain:sample({ { 4012500, 3187500 } })[1].tp == 0 and plain:read():get(0, 0) == 0 and plain:read():get(2, 3) == 11)
end)

test("a CRS without a place is refused", function()
  -- A GeoTIFF's CRS without its transform, as stripped products have it; a virtual raster says the same.
  raster.constant(raster.grid { rows = 2, cols = 3 }, 7):write "pixels.tif"
  local text = [[<VRTDataset rasterXSize="3" rasterYSize="2"><SRS>EPSG:4326</SRS><VRTRasterBand dataType="Float32" band="1">
    <SimpleSource><SourceFilename relativeToVRT="1">pixels.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>]]
  fs.write("stripped.vrt", text)
  assert_error(function() raster.open "stripped.vrt" end, "stripped.vrt.* states a CRS %(EPSG:4326%) but not where its pixels lie in it: .*grid = raster.grid { rows = 2, cols = 3 }")
  local pixels = raster.open("stripped.vrt", { grid = raster.grid { rows = 2, cols = 3 } })
  assert(pixels.crs == nil and pixels:read():get(1, 2) == 7)
  assert_error(function() raster.grid { crs = 4326, rows = 2, cols = 3 } end, "a grid in EPSG:4326 has to lie somewhere in it")
end)
