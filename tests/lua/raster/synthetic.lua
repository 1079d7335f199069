local raster = require "raster"

local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 200, cols = 300 }

test("distributions have their moments", function()
  local function moments(options)
    local stats = raster.random(grid, options):stats().random
    return stats.mean, stats.std
  end
  local mean, std = moments { distribution = "speckle", looks = 4.4, seed = 3 }
  assert_close(mean, 1, 0.01)
  assert_close(std, 1 / math.sqrt(4.4), 0.01)
  mean, std = moments { distribution = "normal", seed = 3 }
  assert_close(mean, 0, 0.02)
  assert_close(std, 1, 0.02)
  mean, std = moments { seed = 3 }
  assert_close(mean, 0.5, 0.01)
  assert_close(std, math.sqrt(1 / 12), 0.01)
  local smooth = raster.random(grid, { distribution = "smooth", scale = 20, octaves = 3 }):stats().random
  assert(smooth.min >= 0 and smooth.max <= 1 and smooth.std > 0.05)
end)

test("pixels depend on the seed and on nothing else", function()
  local a = raster.random(grid, { seed = 1 })
  local part = raster.random(grid, { seed = 1 }):crop { row = 50, col = 60, rows = 20, cols = 20 }
  local same = a:crop { row = 50, col = 60, rows = 20, cols = 20 }
  assert((part - same):stats().random.max == 0)
  assert((a - raster.random(grid, { seed = 2 })):stats().random.std > 0.3)
end)

test("coordinates are those of the pixels' middles", function()
  local c = raster.coordinates(grid)
  local x, y = c.x:read():totable(), c.y:read():totable()
  assert(x[1][1] == 500005 and x[1][300] == 502995 and y[1][1] == 4999995 and y[200][1] == 4998005)
  assert(c.units.x == "m")
end)

test("wrong options are named", function()
  assert_error(function() raster.random(grid, { distribution = "speckel" }) end, "did you mean \"speckle\"")
  assert_error(function() raster.random(grid, { distribution = "speckle", looks = 0 }) end, "looks must be a number above 0")
end)
