local raster, tiles, fs = require "raster", require "tiles", require "fs"

local function names(list)
  local out = {}
  for i, tile in ipairs(list) do out[i] = tile.south .. "," .. tile.west end
  return table.concat(out, " ")
end

test("tiles of an area, its margin included", function()
  local grid = raster.grid { crs = 4326, bounds = { 9.9, 45.2, 10.1, 46.1 }, resolution = 0.01 }
  assert(names(tiles.over(grid, 1)) == "46,9 46,10 45,9 45,10")
  assert(names(tiles.over(grid, 10)) == "40,0 40,10")
  -- Pixels of a tile may begin half a pixel outside of it.
  local exact = raster.grid { crs = 4326, bounds = { 10, 45, 11, 46 }, resolution = 0.1 }
  assert(#tiles.over(exact, 1) == 9)
  assert(names(tiles.over(raster.grid { crs = 4326, bounds = { -0.5, -0.5, 0.5, 0.5 }, resolution = 0.1 }, 10)) == "0,-10 0,0 -10,-10 -10,0")
end)

test("over the antimeridian the tiles of both sides, in any CRS", function()
  local utm = raster.grid { crs = 32760, origin = { 800000, 8100000 }, resolution = 1000, rows = 50, cols = 100 }
  local b = utm:bounds_in "EPSG:4326"
  assert(b[1] > b[3])
  assert(names(tiles.over(utm, 10)) == "-20,170 -20,-180")
  local round = raster.grid { crs = 4326, bounds = { 178.5, 10.2, 181.5, 10.4 }, resolution = 0.1 }
  assert(names(tiles.over(round, 1)) == "10,178 10,179 10,-180 10,-179")
  assert(#tiles.over(raster.grid { crs = 4326, bounds = { -180, -90, 180, 90 }, resolution = 1 }, 10) == 36 * 18)
end)

-- A tile with one pixel more than its degrees on each side's half, as of Copernicus: pixel centres lie on whole degrees.
local function write(path, west, south, value, step)
  local grid = raster.grid { crs = 4326, origin = { west - step / 2, south + 1 + step / 2 }, resolution = step, rows = 1 / step // 1, cols = 1 / step // 1 }
  local at = raster.coordinates(grid)
  raster.constant(grid, 0):add(value(at.x, at.y)):cast("float32"):write(path)
end

local function path(tile) return ("t_%d_%d.tif"):format(tile.south, tile.west) end

test("interpolation sees no seam between tiles", function()
  local function plane(x, y) return x * 100 + y * 10 end
  for _, at in ipairs { { 10, 45 }, { 11, 45 }, { 10, 46 }, { 11, 46 } } do
    write(path { west = at[1], south = at[2] }, at[1], at[2], plane, 0.05)
  end
  local grid = raster.grid { crs = 4326, bounds = { 10.7, 45.7, 11.3, 46.3 }, resolution = 0.0125 }
  local image = tiles.on(grid, { size = 1, name = "plane", path = path, resampling = "bilinear" })
  local at = raster.coordinates(grid)
  local wrong = (image - plane(at.x, at.y)):abs():rename "wrong":stats().wrong
  assert(wrong.count == grid.rows * grid.cols and wrong.max < 1e-3, wrong.max)
  assert(image.tiles == 4 and image.tiles_absent == 0)
end)

test("tiles that do not exist are counted, and are what is said", function()
  write(path { west = 20, south = 5 }, 20, 5, function(x) return 0 * x + 50 end, 0.1)
  local grid = raster.grid { crs = 4326, bounds = { 20.5, 5.3, 21.5, 5.5 }, resolution = 0.05 }
  local options = { size = 1, name = "heights", path = path }
  local masked = tiles.on(grid, options)
  assert(masked.tiles == 2 and masked.tiles_absent == 1 and masked:stats().constant.count == 4 * 9)
  options.absent = 0
  local row = tiles.on(grid, options):read():totable()[1]
  assert(row[1] == 50 and row[20] == 0)
  -- Towards the sea the slope of the interpolation goes on without a gap.
  options.resampling = "bilinear"
  assert(tiles.on(grid, options):stats().constant.count == 4 * 20)
end)

test("where no tile exists there is an error, for the address may be wrong", function()
  local grid = raster.grid { crs = 4326, bounds = { 30.2, 5.2, 30.4, 5.4 }, resolution = 0.05 }
  assert_error(function() tiles.on(grid, { size = 1, name = "heights", path = path, absent = 0 }) end,
    "heights: none of the 1 tiles over the grid exists; the first would be t_5_30%.tif; if there is only sea, take raster%.constant")
end)

test("a tile that is broken is an error, not the sea", function()
  fs.write("t_5_40.tif", "no image")
  local grid = raster.grid { crs = 4326, bounds = { 40.2, 5.2, 40.4, 5.4 }, resolution = 0.05 }
  assert_error(function() tiles.on(grid, { size = 1, name = "heights", path = path, absent = 0 }) end, "t_5_40%.tif")
end)

test("both sides of the antimeridian become one image", function()
  for _, west in ipairs { 179, -180 } do
    write(path { west = west, south = -17 }, west, -17, function(x) return 0 * x + (west > 0 and 1 or 2) end, 0.1)
  end
  local grid = raster.grid { crs = 4326, bounds = { 179.5, -16.6, 180.5, -16.4 }, resolution = 0.1 }
  local row = tiles.on(grid, { size = 1, name = "sides", path = path }):read():totable()[1]
  assert(row[1] == 1 and row[4] == 1 and row[7] == 2 and row[10] == 2)
end)

test("tiles of wider pixels towards the poles fit on", function()
  write(path { west = 10, south = 49 }, 10, 49, function(x) return 0 * x + 7 end, 0.05)
  local wide = raster.grid { crs = 4326, origin = { 9.95, 51.025 }, resolution = { 0.1, 0.05 }, rows = 20, cols = 10 }
  raster.constant(wide, 9):write(path { west = 10, south = 50 })
  local grid = raster.grid { crs = 4326, bounds = { 10.3, 49.8, 10.6, 50.2 }, resolution = 0.02 }
  local stats = tiles.on(grid, { size = 1, name = "two", path = path, resampling = "bilinear" }):stats().constant
  assert(stats.count == 20 * 15 and stats.min >= 7 and stats.max <= 9)
end)
