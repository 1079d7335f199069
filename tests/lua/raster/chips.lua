local raster = require "raster"

local grid = raster.grid { crs = "EPSG:32611", origin = { 400000, 3860000 }, resolution = 10, rows = 90, cols = 120 }
local image = raster.random(grid)
local all = image:read()

test("chips are the pixels around their centres, in the order given", function()
  local centres = { { 60, 45 }, { x = 20, y = 30 }, { 61, 44 }, { 100, 80 } }
  for _, size in ipairs { 8, 7, 1 } do
    local chips = image:chips(centres, { size, size + 2 })
    assert(chips.rows == 4 * size and chips.cols == size + 2 and chips.crs == nil)
    local pixels = chips:read()
    for k, centre in ipairs(centres) do
      local x, y = centre[1] or centre.x, centre[2] or centre.y
      for r = 0, size - 1, 3 do
        for c = 0, size + 1, 2 do
          assert(pixels:get((k - 1) * size + r, c) == all:get(y - size // 2 + r, x - (size + 2) // 2 + c))
        end
      end
    end
  end
end)

test("outside the image is masked", function()
  local chips = image:chips({ { 0, 0 }, { 500, 500 }, { 119, 89 } }, 4)
  assert(chips:stats().random.count == 4 + 0 + 9)
  assert(chips:read():get(2, 2) == all:get(0, 0))
end)

test("bands, kinds and properties stay", function()
  local both = raster.complex(image, image * 2):rename("VV"):set_time("2022-12-28"):set("burst", "a")
  local chips = both:chips({ { 10, 10 } }, 4)
  assert(chips.dtypes.VV == "complex64" and chips.time == "2022-12-28" and chips.burst == "a")
  local two = image:add_bands((image * 2):rename "b"):chips({ { 10, 10 } }, 4)
  assert((two.b - two.random * 2):abs():stats().b.max == 0)
end)

test("wrong input is named", function()
  assert_error(function() image:chips({}, 4) end, "chips must be at least one")
  assert_error(function() image:chips({ { 1, 2.5 } }, 4) end, "y of centres%[1%] must be an integer")
  assert_error(function() image:chips({ { 1, 2 } }, 0) end, "size must be from 1 to 65536")
  assert_error(function() image:chips({ { 1, 2 } }, "a") end, "size must be")
end)
