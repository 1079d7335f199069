local raster = require "raster"

local grid = raster.grid { crs = "EPSG:32632", origin = { 0, 0 }, resolution = 1, rows = 60, cols = 70 }

test("small patches go, the type stays, and a graph is written and read", function()
  local noise = raster.random(grid)
  local image = noise:gt(0.4):cast("uint8"):rename "water"
  local map = image:sieve { minimum_pixels = 30 }
  assert(map.dtypes.water == "uint8" and map:ne(image):cast("float32"):rename("n"):stats().n.mean > 0.05)
  -- As with GDAL, small patches whose largest neighbours are small in a circle stay.
  local function small(image)
    local n, patches = 0, image:polygonize()
    for i = 1, #patches do if patches[i].pixels < 30 then n = n + 1 end end
    return n
  end
  assert(small(map) * 10 < small(image), ("%d of %d"):format(small(map), small(image)))
  assert(raster.from_json(map:to_json()):ne(map):cast("float32"):rename("n"):stats().n.max == 0)
  map:write("map.tif")
  assert(raster.open("map.tif"):ne(map):cast("float32"):rename("n"):stats().n.max == 0)
end)

test("what is masked stays so, and is not filled", function()
  local at = raster.coordinates(grid)
  local ring = (at.x:gt(20) & at.x:lt(30) & at.y:lt(-20) & at.y:gt(-30))
  local image = raster.constant(grid, 1):mask(~ring)
  local stats = image:sieve({ minimum_pixels = 1000 }):rename("n"):stats().n
  assert(stats.count == image:rename("n"):stats().n.count and stats.min == 1)
end)

test("errors say what is wrong", function()
  assert_error(function() raster.random(grid):sieve({ minimum_pixels = 2 }):stats() end, "whole numbers")
  assert_error(function() raster.constant(grid, 1):sieve() end, "minimum_pixels")
  assert_error(function() raster.constant(grid, 1):sieve { minimum_pixels = 2, connectivity = 6 } end, "4 .*or 8")
end)
