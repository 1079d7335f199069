local raster, gfc, fs = require "raster", require "gfc", require "fs"

-- Names as the publisher lists them in https://storage.googleapis.com/earthenginepartners-hansen/GFC-2020-v1.8/download.html
test("tiles are named by their upper left corner", function()
  local function name(west, south, options) return gfc.path({ west = west, south = south }, options):match "[^/]*$" end
  assert(name(-110, 30) == "Hansen_GFC-2020-v1.8_last_40N_110W.tif")
  assert(name(0, -10) == "Hansen_GFC-2020-v1.8_last_00N_000E.tif")
  assert(name(-180, -20, { product = "first" }) == "Hansen_GFC-2020-v1.8_first_10S_180W.tif")
  assert(name(170, -60, { product = "datamask" }) == "Hansen_GFC-2020-v1.8_datamask_50S_170E.tif")
end)

local function write(product, tile, bands)
  local grid = raster.grid { crs = 4326, bounds = { tile[1], tile[2], tile[1] + 10, tile[2] + 10 }, resolution = 0.25 }
  local image
  for i, value in ipairs(bands) do
    local band = raster.where(raster.coordinates(grid).x:lt(tile[1] + 5), value, 0):cast("uint8"):rename("b" .. i)
    image = image and image:add_bands(band) or band
  end
  local path = gfc.path({ west = tile[1], south = tile[2] }, { product = product, base = "mirror" })
  fs.mkdir(fs.dirname(path))
  image:write(path)
end

test("zero is no data of composites, and a value of the others", function()
  local grid = raster.grid { crs = 4326, bounds = { 14, 44, 16, 45 }, resolution = 0.25 }
  write("last", { 10, 40 }, { 10, 20, 30, 40 })
  local optical = gfc.on(grid, { base = "mirror", resampling = "nearest" })
  assert(table.concat(optical.bands, " ") == "red NIR SWIR1 SWIR2")
  local stats = optical:stats()
  assert(stats.SWIR2.count == 16 and stats.red.mean == 10 and stats.SWIR2.mean == 40)
  write("lossyear", { 10, 40 }, { 7 })
  assert(gfc.on(grid, { base = "mirror", product = "lossyear" }):stats().lossyear.count == 32)
  write("datamask", { 10, 40 }, { 2 })
  assert(gfc.on(grid, { base = "mirror", product = "datamask" }):stats().datamask.count == 16)
end)

test("a version and a product are chosen by name", function()
  assert_error(function() gfc.path({ west = 0, south = 0 }, { product = "lost" }) end, "product must be .*last.*, got \"?lost")
  assert(gfc.path({ west = 0, south = 0 }, { version = "GFC-2023-v1.11" }):find("GFC-2023-v1.11/Hansen_GFC-2023-v1.11_last_10N_000E.tif", 1, true))
end)
