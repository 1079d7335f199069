local raster = require "raster"

-- A histogram as a band: each value as often as it is counted.
local function band(first, counts)
  local row = {}
  for i, count in ipairs(counts) do
    for _ = 1, count do row[#row + 1] = first + i - 1 end
  end
  return raster.from_table(raster.grid { rows = 1, cols = #row }, { row })
end

-- Tile 2 of asf-tools' em_tiles.npz, as in src/statistics/threshold.rs.
local COUNTS = { 1, 1, 1, 2, 2, 5, 11, 26, 144, 817, 2101, 1263, 336, 160, 118, 104, 119, 107, 97, 103, 149, 339, 1398, 1825, 460, 118, 45, 41,
  30, 25, 14, 14, 8, 4, 2 }

test("the threshold of an image is that of its histogram, in its units", function()
  local image = band(227, COUNTS)
  local range = { bins = 35, min = 226.5, max = 261.5 }
  local histogram = image:histogram(range)
  for _, method in ipairs { "otsu", "minimum_error", "expectation_maximization" } do
    local of_image = image:threshold { method = method, bins = 35, min = 226.5, max = 261.5 }
    assert(of_image == raster.threshold(histogram, { method = method }))
    -- In other units the threshold is another number for the same pixels.
    local scaled = (image * 0.1 - 30):threshold { method = method, bins = 35, min = -7.35, max = -3.85 }
    assert_close(scaled, of_image * 0.1 - 30, 1e-4)
  end
  -- skimage.filters.threshold_otsu(hist = (counts, values)) of scikit-image 0.26: the last value of the lower class.
  assert_close(image:threshold(range), 227 + 16 + 0.5, 1e-9)
end)

test("the expectation maximisation of HydroSAR, tile by tile", function()
  -- asf-tools' determine_em_threshold of its five tiles with this scaling is 27.482176801248677: the median of the four least thresholds.
  local scaling = 8.732284197109262
  local tiles = {
    { 236, { 1, 1, 1, 0, 2, 3, 3, 7, 6, 15, 110, 566, 2852, 4179, 1411, 439, 114, 47, 22, 17, 25, 20, 21, 28, 29, 15, 20, 16, 7, 2 } },
    { 227, COUNTS },
    { 223, { 1, 0, 1, 0, 6, 1, 3, 4, 11, 13, 49, 134, 608, 1713, 1946, 687, 166, 80, 43, 35, 38, 37, 29, 46, 54, 236, 1134, 1915, 688, 184, 56,
      16, 17, 6, 7, 2, 2 } },
    { 233, { 1, 1, 2, 2, 1, 1, 1, 1, 3, 3, 3, 5, 3, 18, 99, 1972, 3913, 2090, 886, 395, 224, 112, 53, 29, 31, 14, 27, 13, 15, 18, 11, 13, 3, 6, 3 } },
    { 217, { 2, 0, 1, 1, 0, 0, 1, 0, 1, 1, 3, 3, 5, 3, 3, 9, 21, 44, 95, 200, 791, 1454, 773, 270, 143, 117, 118, 138, 181, 301, 482, 736, 1544,
      1355, 579, 239, 162, 100, 42, 30, 16, 13, 8, 1, 1 } },
  }
  local found = {}
  for i, tile in ipairs(tiles) do
    local least, counts = tile[1], table.move(tile[2], 1, #tile[2], 1, {})
    counts[#counts] = 0 -- its histogram lacks the greatest value, and its values count from one less
    local histogram = { counts = counts, min = least - 0.5, max = least - 0.5 + #counts }
    local options = { method = "expectation_maximization", classes = 3 }
    if i == 1 then
      -- It takes the mean of one class where the other covers it; that is none of the four that count.
      assert_error(function() raster.threshold(histogram, options) end, "the two lowest classes do not part")
    else
      found[#found + 1] = (raster.threshold(histogram, options) - 1) / scaling
    end
  end
  table.sort(found)
  -- It looks for crossings in steps of 1/20.
  assert_close((found[2] + found[3]) / 2, 27.482176801248677, 0.026 / scaling)
end)

test("what has no threshold says why", function()
  local grid = raster.grid { rows = 100, cols = 100 }
  local bell = raster.random(grid, { distribution = "normal" })
  assert_error(function() bell:threshold { method = "minimum_error" } end, "minimum_error: the histogram has a single mode")
  assert_error(function() raster.constant(grid, 3):threshold() end, "all values lie in one bin")
  assert_error(function() bell:mask(bell:gt(99)):threshold() end, "masked")
  assert_error(function() bell:threshold { method = "otzu" } end, "otsu")
  assert_error(function() bell:threshold { classes = 1 } end, "classes must be")
  assert_error(function() bell:threshold { min = 0 } end, "give both min and max, or neither")
  assert_error(function() raster.threshold { counts = { 1, 2 } } end, "histogram%.min must be a number; a histogram is what")
  assert_error(function() raster.threshold { counts = { 1, -2 }, min = 0, max = 1 } end, "histogram%.counts must be a list")
  assert_error(function() raster.threshold { counts = { 1, 2 }, min = 1, max = 1 } end, "min is below its max")
end)

test("the result does not depend on tiles, and masked pixels do not count", function()
  local grid = raster.grid { rows = 700, cols = 900 }
  local noise = raster.random(grid, { distribution = "normal" })
  local scene = raster.where(raster.coordinates(grid).x:lt(300), noise - 20, noise * 2 - 9)
  local whole = scene:threshold { method = "minimum_error" }
  assert(whole == scene:crop({ row = 0, rows = 700, col = 0, cols = 900 }):threshold { method = "minimum_error" })
  -- The crossing of the two densities, a third and two thirds: scipy.optimize.brentq.
  assert_close(whole, -16.333333, 0.3)
  local holed = scene:mask(raster.coordinates(grid).y:gt(100))
  assert_close(holed:threshold { method = "minimum_error" }, whole, 0.2)
end)
