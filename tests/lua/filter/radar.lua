local raster, filter = require "raster", require "filter"

local grid = raster.grid { rows = 96, cols = 128 }
local function normal(seed) return raster.random(grid, { distribution = "normal", seed = seed }) end
local scatterers = raster.complex(normal(1), normal(2)) / math.sqrt(2)

test("white noise keeps its power", function()
  for _, options in ipairs { {}, { bandwidth = { 0.5, 0.9 }, window = 0.75 }, { shift = { 0.5, -0.25 } } } do
    local image = filter.impulse_response(scatterers, options):crop { row = 20, col = 20, rows = 56, cols = 88 }
    assert_close((image:abs() ^ 2):stats()[image.bands[1]].mean, 1, 0.1)
  end
end)

test("a whole shift moves pixels without changing them", function()
  local still = filter.impulse_response(scatterers)
  local moved = filter.impulse_response(scatterers, { shift = { 3, -5 } })
  local a = still:crop({ row = 20, col = 30, rows = 40, cols = 40 }):read()
  local b = moved:crop({ row = 23, col = 25, rows = 40, cols = 40 }):read()
  for row = 0, 39, 7 do
    for col = 0, 39, 5 do
      local re, im = a:get(row, col)
      local re2, im2 = b:get(row, col)
      assert_close(re2, re, 1e-6)
      assert_close(im2, im, 1e-6)
    end
  end
end)

test("a point becomes the response, its peak where the shift puts it", function()
  local at = raster.coordinates(grid)
  local point = (at.x:eq(64.5) & at.y:eq(48.5)):cast "float32"
  local zero = raster.constant(grid, 0)
  local image = filter.impulse_response(raster.complex(point, zero), { bandwidth = 0.5, shift = { 0.5, 0 } })
  local name = image.bands[1]
  local power = (image:abs() ^ 2):read()
  local function p(row, col) return power[name]:get(row, col) end
  -- Halfway between two rows both are equal, and larger than those beside them.
  assert_close(p(48, 64), p(49, 64), 1e-6)
  assert(p(48, 64) > p(47, 64) and p(48, 64) > p(48, 65))
  -- Energy of the point is kept.
  assert_close((image:abs() ^ 2):stats()[name].mean * 96 * 128, 1, 0.02)
end)

test("masked pixels are no scatterers", function()
  local left = raster.coordinates(grid).x:lt(64)
  local masked = raster.complex(normal(1):mask(left), normal(2))
  local zeroed = raster.complex(normal(1):mask(left):unmask(0), normal(2):mask(left):unmask(0))
  local a, b = filter.impulse_response(masked), filter.impulse_response(zeroed)
  assert((a - b):abs():stats()[a.bands[1]].max < 1e-6)
end)

test("wrong values are named", function()
  assert_error(function() filter.impulse_response(normal(1)) end, "must be complex; .*raster.complex")
  assert_error(function() filter.impulse_response(scatterers, { bandwidth = 1.5 }) end, "bandwidth must be a number above 0 and at most 1")
  assert_error(function() filter.impulse_response(scatterers, { bandwidth = { 1, 0 } }) end, "bandwidth%[2%] must be a number above 0")
  assert_error(function() filter.impulse_response(scatterers, { window = 0.2 }) end, "window must be a number from 0.5 to 1")
  assert_error(function() filter.impulse_response(scatterers, { shift = { 0, 5000 } }) end, "shift%[2%] must be a number of pixels from %-4096 to 4096")
  assert_error(function() filter.impulse_response(scatterers, { shifts = 1 }) end, "did you mean `shift`")
end)
