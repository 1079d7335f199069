local raster, correlation = require "raster", require "correlation"

local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 256, cols = 256 }
local image = raster.random(grid, { distribution = "smooth", scale = 3, seed = 1 })
local moved = image:shift { cols = 4, rows = -3 }
local small = { chip = 16, search = 8 }

local function with(options)
  local all = { chip = 16, search = 8 }
  for k, v in pairs(options) do all[k] = v end
  return all
end

local function masked(v) return v ~= v end

test("a shift is found, right and down", function()
  local offsets = correlation.autorift(image, moved, small)
  assert(table.concat(offsets.bands, " ")
    == "dx_px dy_px interp_mask chip_size_x chip_size_y correlation snr dx_std_px dy_std_px reason")
  assert(offsets.rows == 16 and offsets.cols == 16)
  assert(offsets.grid.resolution[1] == 160)
  local dx, dy, filled, width, height, correlated, snr, dx_std = offsets:read():get(8, 8)
  assert_close(dx, 4, 0.15)
  assert_close(dy, -3, 0.15)
  assert(filled == 0 and width == 16 and height == 16)
  assert_close(correlated, 1, 0.01)
  assert(snr > 5 and dx_std > 0 and dx_std < 0.1)
  assert(offsets:get "x_pixel_size" == 10 and offsets:get "y_pixel_size" == -10)
end)

test("nothing is computed before it is asked for", function()
  local never = correlation.autorift(raster.constant(grid, 1), moved, small)
  assert(never.bands[1] == "dx_px")
end)

test("an image without texture has no offsets", function()
  local flat = correlation.autorift(raster.constant(grid, 1), moved, small)
  assert(flat:select "dx_px":read():count() == 0)
  local back = correlation.autorift(moved, raster.constant(grid, 0), small)
  assert(back:select "chip_size_x":read():count() == 0)
end)

test("masked pixels have no offsets, and their edge draws none", function()
  local coordinates = raster.coordinates(grid)
  local left = coordinates[coordinates.bands[1]]:gt(501280)
  local offsets = correlation.autorift(image:mask(left), moved, small)
  local held = offsets:read()
  for row = 2, 13 do
    assert(masked((held:get(row, 3))), row)
    assert_close(held:get(row, 12), 4, 0.15)
  end
end)

-- The words of the codes that nodes have, with how many there are of each.
local words = { [0] = "ok", [1] = "nodata", [2] = "low_signal", [8] = "not_searched", [9] = "coarse", [10] = "incoherent", [11] = "interpolated" }
local function reasons(offsets)
  local count, held = {}, offsets:select("dx_px", "interp_mask", "reason"):read()
  for row = 0, offsets.rows - 1 do
    for col = 0, offsets.cols - 1 do
      local dx, filled, code = held:get(row, col)
      local word = assert(words[code], code)
      assert(masked(dx) == not (word == "ok" or word == "interpolated"), word)
      assert((filled == 1) == (word == "interpolated"), word)
      count[word] = (count[word] or 0) + 1
    end
  end
  return count
end

test("every node says why it has an offset or none", function()
  local found = correlation.autorift(image, moved, small)
  assert(found.units.reason == "class" and reasons(found).ok > 240)
  local flat = reasons(correlation.autorift(raster.constant(grid, 1), moved, small))
  assert(flat.low_signal == 256)
  -- Half of the nodes are masked in the reference, half of the others are not asked for.
  local x = raster.coordinates(grid).x
  local nodes = raster.coordinates(found.grid)
  local limit = raster.where(nodes.y:gt(4998720), 8, 0)
  local part = correlation.autorift(image:mask(x:gt(501280)), moved, with { search = { limit, 8 } })
  local held = part:select("reason"):read()
  assert(held:get(2, 2) == 1 and held:get(2, 12) == 0 and held:get(12, 2) == 8 and held:get(12, 12) == 8)
  local count = reasons(part)
  assert(count.not_searched == 128 and count.nodata >= 56 and count.nodata <= 64)
  -- Other noise agrees with nothing.
  local other = raster.random(grid, { distribution = "smooth", scale = 3, seed = 9 })
  local noise = reasons(correlation.autorift(image, other, small))
  assert(noise.incoherent > 200)
end)

test("what the coarse search leaves out is said", function()
  local wide = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 384, cols = 2048 }
  local function texture(seed) return raster.random(wide, { distribution = "smooth", scale = 3, seed = seed }) end
  local first, x = texture(1), raster.coordinates(wide).x
  -- The right of the second image is another: farther than 2 nodes of the coarse search, 8 of all, nothing is searched.
  local second = raster.where(x:lt(508000), first:shift { cols = 2 }, texture(2))
  local offsets = correlation.autorift(first, second, { chip = 16, chip_max = 16, search = 8, sparse_reach = 2 })
  local count, held = reasons(offsets), offsets:select("reason"):read()
  assert(count.ok > 1000 and count.coarse > 1500 and count.incoherent > 20)
  assert(held:get(12, 10) == 0 and held:get(12, 115) == 9)
  local empty = correlation.autorift(first, second:mask(x:lt(508000)), { chip = 16, chip_max = 16, search = 8, sparse_reach = 2 })
  assert(empty:select("reason"):read():get(12, 115) == 1)
end)

test("offsets known before move the search", function()
  local far = image:shift { cols = 40, rows = 30 }
  local offsets = correlation.autorift(image, far, with { prior = { 38, 31 } })
  local dx, dy = offsets:read():get(8, 8)
  assert_close(dx, 40, 0.15)
  assert_close(dy, 30, 0.15)
end)

test("search limits and priors can be a node's own", function()
  local nodes = correlation.autorift(image, moved, small).grid
  local c = raster.coordinates(nodes)
  local right = c[c.bands[1]]:gt(501280)
  local limit = raster.where(right, 8, 0)
  local offsets = correlation.autorift(image, moved, with { search = { limit, 8 }, prior = { limit / 2, -3 } })
  local held = offsets:read()
  assert(masked((held:get(8, 3))))
  assert_close(held:get(8, 12), 4, 0.15)
  local largest = correlation.autorift(image, moved, with { chip_min = limit * 0 + 32, chip_max = limit * 0 + 32 })
  local _, _, _, width = largest:read():get(8, 8)
  assert(width == 32)
end)

test("a grid places the nodes", function()
  local nodes = raster.grid { crs = "EPSG:32633", origin = { 500400, 4999600 }, resolution = 160, rows = 8, cols = 9 }
  local offsets = correlation.autorift(image, moved, { chip = 32, search = 8, grid = nodes })
  assert(offsets.grid:matches(nodes))
  assert_close(offsets:read():get(4, 4), 4, 0.15)
end)

test("every prefilter and float samples find the shift", function()
  for _, options in ipairs {
    { prefilter = "none" }, { prefilter = "wallis" }, { prefilter = "wallis_fill", prefilter_width = 5, prefilter_cutoff = 0 },
    { prefilter = "sobel" }, { prefilter = "log_laplacian" }, { prefilter = "db" }, { precision = "float32" },
  } do
    local dx, dy = correlation.autorift(image + 1, moved + 1, with(options)):read():get(8, 8)
    assert_close(dx, 4, 0.2)
    assert_close(dy, -3, 0.2)
  end
end)

test("complex images are compared as they are", function()
  local im = raster.random(grid, { distribution = "smooth", scale = 3, seed = 2 })
  local slc = raster.complex(image - 0.5, im - 0.5)
  local other = raster.complex(moved - 0.5, im:shift { cols = 4, rows = -3 } - 0.5)
  local dx, dy = correlation.autorift(slc, other, small):read():get(8, 8)
  assert_close(dx, 4, 0.2)
  assert_close(dy, -3, 0.2)
  assert_error(function() correlation.autorift(slc, moved, small) end, "compare two of a sort")
end)

test("what cannot be tracked is said", function()
  local function said(pattern, options, a, b)
    assert_error(function() correlation.autorift(a or image, b or moved, options) end, pattern)
  end
  said("unknown option `chip_maximum`; did you mean `chip_max`", { chip_maximum = 64 })
  said("chip must be a multiple of 4", { chip = 15 })
  said("chip must be no larger than the images", { chip = 32, spacing = 16 }, image:crop { rows = 20, cols = 20 }, moved:crop { rows = 20, cols = 20 })
  said("chip_max must be one of 32, 64, 128, 256", { chip_max = 100 })
  said("spacing must be a divisor of the chip", { spacing = 24 })
  said("search must be from 1 to 1000", { search = 0 })
  said("search must be a number of pixels, a Raster", { search = "wide" })
  said("oversampling must be a power of 2", { oversampling = 10 })
  said("prefilter must be \"high_pass\" or .* did you mean \"high_pass\"", { prefilter = "highpass" })
  said("prefilter_width must be an odd number", { prefilter_width = 4 })
  said("the grids differ", nil, image, raster.random(raster.grid { rows = 256, cols = 256 }))
  said("one band", nil, raster.bands(image:rename "a", moved:rename "b"))
  said("must lie on the grid of nodes", { search = image })
  said("grid must be a grid with the images' axes", { grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 5, rows = 4, cols = 4 } })
  said("the grids differ", { grid = raster.grid { crs = "EPSG:32634", origin = { 500000, 5000000 }, resolution = 160, rows = 4, cols = 4 } })
end)

-- A pair that is one image moved by whole pixels: whatever the spacing of the nodes, there is nothing to lose but the nodes whose own
-- search reaches out of the images.
test("the coverage of a perfect pair does not depend on the spacing of the nodes", function()
  local shifted = image:shift { cols = 3, rows = 1 }
  local function coverage(spacing, options)
    options.chip, options.chip_max, options.spacing, options.search = 16, 32, spacing, 8
    local offsets = correlation.autorift(image, shifted, options).dx_px
    return offsets:stats()[offsets.bands[1]].count / (offsets.rows * offsets.cols)
  end
  local coarse = coverage(16, {})
  for _, spacing in ipairs { 2, 4, 8 } do
    local found = coverage(spacing, {})
    assert(found > coarse - 0.02, ("%d px: %.3f, not %.3f"):format(spacing, found, coarse))
  end
  -- The rule of the original (autoRIFT.py, runAutorift and colfilt: FracValid grows with the overlap, and what is outside the grid is NaN).
  assert(coverage(16, { filter_border = "autorift" }) == coarse, "nodes a chip apart are not concerned")
  assert(coverage(4, { filter_border = "autorift" }) < 0.8)
end)
