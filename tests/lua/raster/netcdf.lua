local raster = require "raster"

local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 7, cols = 9 }
local image = raster.random(grid, { seed = 3 }):rename "a"

test("images come back with their masks, types and place", function()
  local values = image * 1000
  local holed = values:mask(image:gt(0.2))
  raster.write_netcdf("out.nc", {
    { image = holed, dtype = "int16", fill = -9999, attributes = { units = "m", flag_values = { 1, 2 } } },
    { name = "b", image = image, dtype = "float32", attributes = { scale = 0.5, count = 3 } },
  }, { attributes = { title = "two images" }, records = { { name = "note", attributes = { who = "me" } } } })
  local a, b = raster.open("out.nc", { subdataset = "a" }), raster.open("out.nc", { subdataset = "b" })
  assert(a.grid:matches(grid) and b.grid:matches(grid), tostring(a.grid))
  local expected, got = holed:read(), a:read()
  local exact, plain = image:read(), b:read()
  for row = 0, 6 do
    for col = 0, 8 do
      local e, g = expected:get(row, col), got:get(row, col)
      if e ~= e then assert(g ~= g) else assert_close(g, e, 0.5) end
      assert(exact:get(row, col) == plain:get(row, col))
    end
  end
end)

test("what netCDF cannot hold is said", function()
  local function said(pattern, variables, options)
    assert_error(function() raster.write_netcdf("out2.nc", variables, options) end, pattern)
    assert(not require "fs".exists "out2.nc")
  end
  said("at least one image", {})
  said("fill must be a whole number that int16 holds", { { image = image, dtype = "int16", fill = 1e6 } })
  said("unknown option `variables%[1%]", { { image = image, typ = "int16" } })
  said("two called `a`", { { image = image }, { image = image } })
  said("the grids differ", { { image = image }, { name = "b", image = raster.constant(raster.grid { rows = 2, cols = 2 }, 1) } })
  said("an image of real numbers", { { image = raster.complex(image, image) } })
end)
