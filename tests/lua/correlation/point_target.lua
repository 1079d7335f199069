local raster, filter, correlation = require "raster", require "filter", require "correlation"

local grid = raster.grid { crs = "EPSG:32611", origin = { 400000, 3860000 }, resolution = { 5, 10 }, rows = 160, cols = 200 }
local col = (raster.coordinates(grid).x - 400000) / 5
local row = (3860000 - raster.coordinates(grid).y) / 10

-- A target whose peak lies at pixel (x, y): a point at the nearest pixel through the impulse response, shifted by the rest.
local function target(x, y, options)
  local c, r = math.floor(x + 0.5), math.floor(y + 0.5)
  local point = (((col - (c + 0.5)):abs():lt(0.1)) & ((row - (r + 0.5)):abs():lt(0.1))):cast "float32"
  options = options or {}
  options.shift = { y - r, x - c }
  return filter.impulse_response(raster.complex(point, raster.constant(grid, 0)), options)
end

test("the place of a target is found between the pixels", function()
  for _, place in ipairs { { 100, 80 }, { 99.63, 80.37 }, { 100.5, 79.75 } } do
    local x, y = place[1], place[2]
    local found = correlation.point_target(target(x, y, { bandwidth = { 0.7, 0.85 } }), 102, 78)
    assert(found.reason == "ok", found.reason)
    assert_close(found.x, x, 2e-3)
    assert_close(found.y, y, 2e-3)
    assert_close(found.map_x, 400000 + 5 * (x + 0.5), 0.02)
    assert_close(found.map_y, 3860000 - 10 * (y + 0.5), 0.03)
  end
end)

test("widths are those of the bandwidths", function()
  -- 0.886/B, somewhat more for the taper of the simulated response.
  local found = correlation.point_target(target(100, 80, { bandwidth = { 0.5, 0.8 } }), 100, 80)
  assert_close(found.width_y, 0.886 / 0.5, 0.06)
  assert_close(found.width_x, 0.886 / 0.8, 0.03)
  assert_close(found.pslr_x_db, -13.26, 0.6)
  -- Hamming's window lowers the sidelobes to −43 dB and widens the lobe by 1.47.
  local hamming = correlation.point_target(target(100, 80, { bandwidth = 0.8, window = 0.54 }), 100, 80)
  assert_close(hamming.width_x, 1.303 / 0.8, 0.05)
  assert(hamming.pslr_x_db < -35)
end)

test("clutter is told from the target", function()
  local function normal(seed) return raster.random(grid, { distribution = "normal", seed = seed }) end
  local clutter = filter.impulse_response(raster.complex(normal(1), normal(2)) / math.sqrt(2))
  local found = correlation.point_target(target(100.3, 80.2) * 1000 + clutter, 100, 80)
  local alone = correlation.point_target(target(100.3, 80.2) * 1000, 100, 80)
  assert_close(found.scr_db, 20 * math.log(alone.amplitude, 10), 1)
  assert_close(found.x, 100.3, 0.01)
end)

test("what cannot be measured has a reason", function()
  local slc = target(100, 80)
  local far = correlation.point_target(slc, 100, 80 + 12)
  assert(far.reason == "edge" and far.x ~= far.x, far.reason)
  assert(correlation.point_target(slc, 5, 5).reason == "nodata")
  assert(correlation.point_target(slc, -500, 5).reason == "nodata")
  local zero = raster.complex(raster.constant(grid, 0), raster.constant(grid, 0))
  assert(correlation.point_target(zero, 100, 80).reason == "low_signal")
end)

test("wrong input is named", function()
  local slc = target(100, 80)
  assert_error(function() correlation.point_target(slc:abs(), 1, 1) end, "slc must be a complex image, got band")
  assert_error(function() correlation.point_target(slc, 0 / 0, 1) end, "x must be a place in pixels")
  assert_error(function() correlation.point_target(slc, 1, 1, { chip = 31 }) end, "chip must be an even number")
  assert_error(function() correlation.point_target(slc, 1, 1, { serch = 31 }) end, "did you mean `search`")
end)
