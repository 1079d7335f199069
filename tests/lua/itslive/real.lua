-- Real granules against what netCDF4 reads (tests/reference/itslive.py granules).
local raster, itslive = require "raster", require "itslive"

local known = {
  ["LE07_L1GT_001113_20121118_20161127_01_T2_X_LE07_L1GT_232113_20121104_20161127_01_T2_G0240V01_P059.nc"] = {
    vx = { 163268.0, -2562.0, 969.0, -453.98291765685866 },
    vy = { 163268.0, -5082.0, 1382.0, -1158.8230700443444 },
    v = { 163268.0, 2.0, 5505.0, 1383.6131085087095 },
    pixels = {
      { 0, 120, 230, 96, 249 },
      { 141, 184, -125, -389, 409 },
      { 211, 103, -2, -130, 130 },
      { 266, 597, -509, 134, 526 },
      { 321, 69, 379, -196, 427 },
      { 387, 550, -1029, -805, 1306 },
      { 463, 35, 256, 152, 298 },
    },
    x = -1716367.5, y = -209392.5,
  },
  ["LT05_L1GS_219121_19841206_20200918_02_T2_X_LT05_L1GS_226120_19850124_20200918_02_T2_G0120V02_P000.nc"] = {
    vx = { 0.0 },
    vy = { 0.0 },
    v = { 0.0 },
    x = -849907.5, y = -457132.5,
  },
}

local full, empty
for name in pairs(known) do
  if name:match "_P000" then empty = name else full = name end
end

test("a granule of version 1 is what netCDF4 reads, in float32", function()
  local stack = itslive.open_granules(shared("itslive/" .. full))
  local report = itslive.report(stack)
  local image, said = stack[1], known[full]
  assert(#stack == 1 and report.kept == 1)
  local stats = image:stats()
  for _, band in ipairs { "vx", "vy", "v" } do
    local count, min, max, mean = table.unpack(said[band])
    assert(stats[band].count == count and stats[band].min == min and stats[band].max == max, band)
    assert_close(stats[band].mean, mean, 1e-3)
  end
  local array = image:read()
  for _, pixel in ipairs(said.pixels) do
    local vx, vy, v, e = array:get(pixel[1], pixel[2])
    assert(vx == pixel[3] and vy == pixel[4] and v == pixel[5])
    -- The root mean square of the RMSEs over stable ground, which stand in the file.
    assert_close(e, math.sqrt((186.74 ^ 2 + 228.24 ^ 2) / 2), 1e-2)
  end
  local x, y = image.grid:to_map(0.5, 0.5)
  assert(x == said.x and y == said.y)
  assert(image.date_dt == 14 and image.time:sub(1, 10) == "2012-11-11" and image.platform == "LE07" and image.version == 1)
  assert(image.reference_time == "2012-11-04T00:00:00Z" and image.secondary_time == "2012-11-18T00:00:00Z" and image.percent_valid == 59)
end)

test("the empty one is skipped and counted, or an error", function()
  local folder = shared "itslive"
  local stack = itslive.open_granules(folder .. "/*.nc")
  local report = itslive.report(stack)
  assert(#stack == 1 and report.found == 2 and report.dropped[1].reason == "empty" and report.dropped[1].names[1] == empty)
  assert_error(function() itslive.open_granules(folder, { empty = "error" }) end, "no pixel of .*P000.nc has a velocity")
  assert_error(function() itslive.open_granules { folder .. "/" .. empty } end, "none of the 1 granule is left: 1 empty")
  local grid = raster.open(folder .. "/" .. empty, { subdataset = "vx" }).grid
  local x, y = grid:to_map(0.5, 0.5)
  assert(x == known[empty].x and y == known[empty].y)
end)

test("the notebook's polygon cuts the grid and masks", function()
  local text = [=[{"type": "Polygon", "coordinates": [[[-101.155511, -74.738709], [-99.117207, -75.087959], [-99.879774, -75.46007],
    [-102.42516, -74.925034], [-101.155511, -74.738709]]]}]=]
  local stack = itslive.open_granules(shared("itslive/" .. full), { polygon = text })
  -- The notebook's cube has 298 columns and 400 rows over the same polygon; this granule ends in the south of it.
  assert(math.abs(stack.grid.cols - 298) <= 2 and stack.grid.rows <= 400 and stack.grid.rows > 380, tostring(stack.grid))
  local stats = stack[1]:stats().v
  assert(stats.count > 1000 and stats.count < 298 * 400)
end)

test("NetCDF of something else is said", function()
  assert_error(function() itslive.open_granules { shared "awkward/era.nc" } end, "era.nc is no granule of ITS_LIVE: it has no vx and vy; its images are t2m, precip")
end)
