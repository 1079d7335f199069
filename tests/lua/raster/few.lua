-- A window of few pixels is read of the bytes of these where a file holds its numbers as they are, and must hold what was written.
local raster = require "raster"

local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 600, cols = 700 }
local at = raster.coordinates(grid)
-- 1000 a row and 1 a column.
local col, row = ((at.x - 500005) / 10):rename "col", ((5000000 - 5 - at.y) / 10):rename "row"
local number = (row * 1000 + col):rename "number"
local image = number:mask((col:gt(299) & row:gt(399)):eq(0))

local windows = { { 0, 0, 3, 4 }, { 250, 250, 12, 13 }, { 590, 690, 10, 10 }, { 395, 295, 10, 10 }, { 512, 255, 1, 2 } }

local function check(path, of)
  local back = raster.open(path)
  for _, w in ipairs(windows) do
    local part = back:crop { row = w[1], col = w[2], rows = w[3], cols = w[4] }:read()
    for r = 0, w[3] - 1 do
      for c = 0, w[4] - 1 do
        local y, x = w[1] + r, w[2] + c
        local masked, expected, found = y > 399 and x > 299, y * 1000 + x, of(part:get(r, c))
        assert(masked and found ~= found or found == expected, ("%s: %s, not %s at %d, %d"):format(path, found, masked and "nan" or expected, y, x))
      end
    end
  end
end

test("of real numbers", function()
  local function same(v) return v end
  for i, options in ipairs { { compress = "none" }, { compress = "none", dtype = "float64" }, { compress = "deflate" }, { compress = "none", dtype = "int32" } } do
    options.statistics = false
    check(image:write(("few%d.tif"):format(i), options), same)
  end
end)

test("of complex numbers", function()
  local path = raster.complex(image, -image):write("few_complex.tif", { compress = "none", statistics = false })
  check(path, function(re, im) return re == -im and re or re ~= re and re or error "the parts differ" end)
end)

test("a file that was replaced says so", function()
  image:write("few_changed.tif", { compress = "none", statistics = false })
  local back = raster.open "few_changed.tif"
  assert(back:crop { row = 5, col = 7, rows = 2, cols = 2 }:read():get(1, 1) == 6008)
  raster.constant(raster.grid { rows = 500, cols = 500 }, 1):write("few_changed.tif", { compress = "none", statistics = false })
  assert_error(function() back:crop { row = 5, col = 7, rows = 2, cols = 2 }:read() end, "changed on disk")
end)
