local raster = require "raster"
local fs = require "fs"

local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 3, cols = 4 }
local image = raster.from_table(grid, { { 1, 2, 3, 4 }, { 5, false, 7, 8 }, { 9, 10, 11, 12 } }, { name = "VV", unit = "dB" })

local function pixels(found)
  local lines = {}
  for _, row in ipairs(found:read():totable()) do
    for i, v in ipairs(row) do row[i] = v ~= v and "-" or ("%g"):format(v) end
    lines[#lines + 1] = table.concat(row, " ")
  end
  return table.concat(lines, "\n")
end

local EXPECTED = "1 2 3 4\n5 - 7 8\n9 10 11 12"

test("what is written is read again, with all that is known of it", function()
  local path = image:set_time("2024-03-17"):write("a.tif", { tags = { orbit = 137, purpose = "test" } })
  assert(path == "a.tif")
  local back = raster.open "a.tif"
  assert(pixels(back) == EXPECTED and back.grid == grid and back.units.VV == "dB" and back.time == "2024-03-17")
  assert(back.purpose == "test" and back.orbit == "137" and back.path:match "a%.tif$")
end)

test("formats, compression, types, nodata", function()
  for i, options in ipairs {
    { format = "COG" },
    { compress = "none" },
    { compress = "zstd", predictor = false },
    { compress = "zstd", level = 1 },
    { format = "COG", compress = "zstd", level = 3 },
    { dtype = "int16" },
    { dtype = "uint8", nodata = 0 },
    { dtype = "float64", nodata = -9999 },
    { overviews = true, statistics = false },
  } do
    local path = ("b%d.tif"):format(i)
    image:write(path, options)
    local back = raster.open(path)
    assert(pixels(back) == EXPECTED, path .. "\n" .. pixels(back))
    assert(back.dtypes.VV == (options.dtype or "float32"))
  end
  image:write "c.nc"
  assert(pixels(raster.open "c.nc") == EXPECTED)
end)

test("options of opening", function()
  raster.bands(image, (image * 2):rename "VH"):write "two.tif"
  assert(table.concat(raster.open("two.tif", { bands = "VH" }).bands, " ") == "VH")
  assert(table.concat(raster.open("two.tif", { bands = { 2, "VV" } }).bands, " ") == "VH VV")
  assert(table.concat(raster.open("two.tif", { bands = { 2 }, names = "cross" }).bands, " ") == "cross")
  assert(raster.open("two.tif", { unit = "power" }).units.VH == "power")
  assert(raster.open("two.tif", { nodata = 4, bands = 1 }):stats().VV.count == 10)
  assert_error(function() raster.open("two.tif", { bands = "VX" }) end, "no band `VX`; did you mean `VV`%?")
  assert_error(function() raster.open("two.tif", { bands = 3 }) end, "no band `3`")
  assert_error(function() raster.open("two.tif", { bands = {} }) end, "bands must be names or numbers %(from 1%), got an empty table")
  assert_error(function() raster.open("two.tif", { names = { "a" } }) end, "names must be one name per band %(2%), got 1")
  assert_error(function() raster.open("two.tif", { band = 1 }) end, "unknown option `band`; did you mean `bands`%?")
end)

test("files that cannot be opened say why", function()
  local file = raster.open
  assert_error(function() file "missing.tif" end, "files%.lua:%d+: raster%.open: no such file: missing%.tif %(looked in /")
  assert_error(function() file "." end, "raster%.open:")
  assert_error(function() file(5) end, "path must be a string, got 5")
  assert_error(function() raster.subdatasets "missing.nc" end, "raster%.subdatasets: no such file: missing%.nc")
end)

test("files that cannot be written say why and leave nothing", function()
  assert_error(function() image:write "nowhere/a.tif" end, "Raster:write: .*nowhere/a%.tif: the folder .*nowhere does not exist")
  assert_error(function() image:write "/etc/a.tif" end, "outside the working folder")
  assert_error(function() image:write "../../a.tif" end, "outside the working folder")
  assert_error(function() image:write "a.xyz" end, "path must be a file name that ends in %.tif")
  assert_error(function() image:write("a.tif", { format = "GTif" }) end, "no file format `GTif`; did you mean `GTiff`%?")
  assert_error(function() image:write("a.tif", { compress = "defalte" }) end, "no compression `defalte`; did you mean `deflate`%?")
  assert_error(function() image:write("a.tif", { dtype = "float" }) end, "no data type `float`")
  assert_error(function() image:write("a.tif", { overview_resampling = "avrage" }) end, 'did you mean "average"%?')
  assert_error(function() image:write("a.tif", { dtype = "uint8", nodata = 300 }) end, "nodata must be a whole number that uint8 holds")
  assert_error(function() image:write("d.tif", { dtype = "uint8", nodata = 7 }) end, "1 valid pixels have the value 7 that is to mark masked ones.*nothing was written")
  assert_error(function() raster.open "d.tif" end, "no such file")
  assert_error(function() image:write("a.tif", { compres = "none" }) end, "unknown option `compres`; did you mean `compress`%?")
end)

test("several files in one pass", function()
  local paths = raster.write_all {
    { image, "e1.tif" },
    { image + 1, "e2.tif", { compress = "none", dtype = "int16" } },
  }
  assert(#paths == 2 and raster.open("e2.tif"):stats().VV.max == 13 and raster.open("e2.tif").dtypes.VV == "int16")
  assert_error(function() raster.write_all { { image, "f.tif" }, { image, "f.tif" } } end, "paths must be different files")
  assert_error(function() raster.write_all { { "f.tif", image } } end, 'jobs%[1%]: the image must be a Raster, got "f.tif"')
  assert_error(function() raster.write_all { { image, "f.tif", { dtype = "x" } } } end, "no data type `x`")
  assert_error(function() raster.write_all { { image, "f.tif", {}, 5 } } end, "jobs%[1%] must be { image, path, options }")
  local other = raster.constant(raster.grid { rows = 1, cols = 1 }, 1)
  assert_error(function() raster.write_all { { image, "f.tif" }, { other, "g.tif" } } end, "the grids differ")
end)

test("an image may be written over a file that it is read from", function()
  image:write "self.tif"
  local again = raster.open "self.tif"
  ;(again * 2):write "self.tif"
  assert(raster.open("self.tif"):stats().VV.max == 24)
end)

test("a file that was replaced is never read as what it was, nor as what it is, through an image of before", function()
  local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 2, cols = 2 }
  for _, path in ipairs { "again.nc", "again.tif" } do
    raster.constant(grid, 1):write(path, { dtype = "uint8" })
    local before = raster.open(path)
    assert(before:read():get(1, 1) == 1)
    raster.constant(grid, 2):write(path, { dtype = "float64" })
    -- netCDF's library finds files that are open by their names.
    local after = raster.open(path)
    assert(after.dtypes[after.bands[1]] == "float64" and after:read():get(1, 1) == 2, path)
    assert_error(function() before:read() end, "again%..*the file has changed on disk since it was opened; open it again")
    if path:match "nc$" then assert(raster.read_array(path, "/constant")[2][2] == 2) end
  end
end)

test("classes of a byte are not differenced unless that is asked for", function()
  -- Classes in patches of 8 pixels, as of a land cover.
  local wide = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 10, rows = 512, cols = 512 }
  local classes = (raster.random(wide, { distribution = "smooth", scale = 24, octaves = 1, seed = 3 }) * 9):floor():cast "uint8"
  local size = function(options) return fs.size(classes:write("classes.tif", options)) end
  local plain, differenced = size {}, size { predictor = true }
  assert(plain < differenced, plain .. " " .. differenced)
  assert(size { format = "COG" } < size { format = "COG", predictor = true })
  local back = raster.open "classes.tif"
  local _, off = next((back - classes):stats())
  assert(off.count == 512 * 512 and off.min == 0 and off.max == 0)
end)

test("levels are those of the compression", function()
  local function message(options) return select(2, pcall(image.write, image, "level.tif", options)) end
  local text = message { level = 10 }
  assert(text:match "level" and text:match "from 1 to 9 of deflate", text)
  text = message { compress = "lzw", level = 3 }
  assert(text:match "deflate, zstd and lzma have levels", text)
  assert(message { format = "COG", compress = "zstd", level = 23 }:match "from 1 to 22")
end)

test("bands with other values of nodata keep their masks in one file", function()
  local grid = raster.grid { rows = 1, cols = 3 }
  raster.from_table(grid, { { 7, 9, 3 } }):cast("uint8"):write("a.tif", { nodata = 9 })
  raster.from_table(grid, { { 0, 9, 4 } }):cast("uint8"):write("b.tif", { nodata = 0 })
  local a, b = raster.open("a.tif"):rename "a", raster.open("b.tif"):rename "b"
  -- A GeoTIFF has one value for all bands.
  for _, both in ipairs { raster.bands(a, b), raster.bands(a, b:cast "float32") } do
    both:write "both.tif"
    local file = raster.open "both.tif"
    local of_a, of_b = file:select("a"):read(), file:select("b"):read()
    assert(of_a:get(0, 0) == 7 and of_a:get(0, 1) ~= of_a:get(0, 1) and of_a:get(0, 2) == 3)
    assert(of_b:get(0, 0) ~= of_b:get(0, 0) and of_b:get(0, 1) == 9 and of_b:get(0, 2) == 4)
  end
end)
