local raster, correlation, tables = require "raster", require "correlation", require "tables"

local grid = raster.grid { rows = 160, cols = 200, crs = "EPSG:32633", bounds = { 500000, 4998400, 502000, 5000000 } }
local image = raster.random(grid, { distribution = "smooth", scale = 8, octaves = 2, seed = 7 })
local moved = image:shift { cols = 3, rows = -2 }
local points = { { 60, 50 }, { id = 7, x = 120, y = 90 } }
local small = { window = 32, search = 6 }

local function with(more)
  local options = {}
  for k, v in pairs(small) do options[k] = v end
  for k, v in pairs(more) do options[k] = v end
  return options
end

test("points give a table in their order", function()
  local t = correlation.ampcor(image, moved, with { points = points })
  assert(#t == 2 and t[1].id == 1 and t[2].id == 7 and t[2].x == 120 and t[2].y == 90)
  for i = 1, 2 do
    assert(t[i].reason == "ok")
    assert_close(t[i].dx_px, 3, 0.02)
    assert_close(t[i].dy_px, -2, 0.02)
    -- East, and north as rows go up.
    assert_close(t[i].dx_m, 30, 0.2)
    assert_close(t[i].dy_m, 20, 0.2)
    assert(t[i].snr > 1 and t[i].correlation > 0.95 and t[i].cov_xx >= 0 and t[i].cov_yy >= 0)
  end
  t:write_csv("offsets.csv")
  local names = table.concat(tables.read_csv("offsets.csv").names, " ")
  assert(names == "id x y dx_px dy_px dx_std_px dy_std_px correlation snr cov_xx cov_yy cov_xy reason dx_m dy_m", names)
end)

test("a table of points, and gross offsets of every sort", function()
  local far = image:shift { cols = 21, rows = 12 }
  local t = tables.new { { id = 5, x = 90, y = 70 } }
  local function found(gross)
    return correlation.ampcor(image, far, with { points = t, gross = gross })[1]
  end
  assert(found(nil).reason ~= "ok" or found(nil).correlation < 0.9)
  local constant = found { 20.4, 11.6 }
  assert(constant.id == 5 and constant.reason == "ok")
  assert_close(constant.dx_px, 21, 0.02)
  assert_close(constant.dy_px, 12, 0.02)
  local by_table = found(tables.new { { dx_px = 20, dy_px = 12 } })
  assert(by_table.dx_px == constant.dx_px)
  local coarse = raster.grid { rows = 4, cols = 5, crs = "EPSG:32633", bounds = { 500000, 4998400, 502000, 5000000 } }
  local dx = raster.constant(coarse, 20):rename { "dx_px" }
  local dy = raster.constant(coarse, 12):rename { "dy_px" }
  assert(found(raster.bands(dx, dy)).dx_px == constant.dx_px)
  assert_error(function() found(tables.new { { dx_px = 1, dy_px = 1 }, { dx_px = 1, dy_px = 1 } }) end,
    "gross must be a table of 1 row, one for each point, got 2 rows")
  assert_error(function() found(tables.new { { dx = 1, dy = 1 } }) end, "no column `dx_px`")
end)

test("without points a field of offsets, the same numbers", function()
  local field = correlation.ampcor(image, moved, with { skip = 24 })
  assert(field.grid.rows == 6 and field.grid.cols == 8)
  local names = {}
  for i, name in ipairs(field.bands) do names[i] = name end
  assert(table.concat(names, " ") == "dx_px dy_px dx_m dy_m dx_std_px dy_std_px correlation snr cov_xx cov_yy cov_xy reason", table.concat(names, " "))
  local dx, reason = field.dx_px:read():totable(), field.reason:read():totable()
  local at = correlation.ampcor(image, moved, with { points = { { 16 + 24 * 3, 16 + 24 * 2 } } })[1]
  assert_close(dx[3][4], at.dx_px, 1e-6)
  assert(reason[3][4] == 0)
  -- The centre of a pixel is that of its window; at the border the search range leaves the image.
  local sampled = field.dx_px:sample({ { 500880, 4999360 } })[1].dx_px
  assert_close(sampled, dx[3][4], 1e-12)
  assert(reason[1][1] == 1 and dx[1][1] ~= dx[1][1])
  assert_error(function() correlation.ampcor(image, moved, with { skip = 0 }) end, "skip must be an integer of at least 1")
  assert_error(function() correlation.ampcor(image, moved, with { skip = 4, points = points }) end,
    "skip must be left out where there are points")
end)

test("windows without an answer are NaN with a reason", function()
  local one = raster.constant(grid, 5)
  local t = correlation.ampcor(one, moved, with { points = points })
  assert(t[1].reason == "low_signal" and t[1].dx_px == nil)
  local masked = image:mask(raster.coordinates(grid).x:lt(501000))
  t = correlation.ampcor(masked, moved, with { points = { { 60, 50 }, { 150, 50 }, { 2, 2 }, { 5000, 5000 } } })
  local reasons = table.concat(t.reason, " ")
  assert(reasons == "ok nodata nodata nodata" or reasons == "nodata ok nodata nodata", reasons)
  assert(correlation.ampcor(image, image:shift { cols = 7 }, with { points = points })[1].reason == "edge")
  assert(correlation.ampcor(image, moved, with { points = points, snr_threshold = 9999 })[1].reason == "low_snr")
  assert(correlation.ampcor(image, moved, with { points = points, covariance_threshold = 1e-12 })[2].reason == "high_covariance")
end)

test("bad input is named", function()
  local function fails(pattern, options, a, b)
    assert_error(function() correlation.ampcor(a or image, b or moved, with(options)) end, "correlation%.ampcor: " .. pattern)
  end
  fails("window must be an even number of pixels from 8 to 4096", { points = points, window = 33 })
  fails("search must be an even number of pixels from 2 to 1024", { points = points, search = 3 })
  fails("oversampling must be a power of 2 from 2 to 1024, got 60", { points = points, oversampling = 60 })
  fails("window must be at most 160 × 200 %(rows × cols%), as large as the image, got 256 × 256",
    { points = points, window = 256 })
  fails("unknown option `windw`; did you mean `window`%?", { points = points, windw = 32 })
  fails("reference band `[%w_]+` must be complex, as input = \"complex\" says, got real pixels",
    { points = points, input = "complex" })
  fails("points%[1%]%.x must be a whole number", { points = { { 1.5, 2 } } })
  fails("points must be a list of { x, y }", { points = 5 })
  fails("statistics_window must be an odd number", { points = points, statistics_window = 20 })
  local complex = raster.complex(image, image)
  fails("images must be both complex or both real", { points = points }, complex, moved)
  local amplitude = correlation.ampcor(complex, moved, with { points = points, input = "amplitude" })
  assert_close(amplitude[1].dx_px, 3, 0.02)
  fails("reference must be an image of one band", { points = points }, raster.bands(image, moved:rename { "b" }))
  local finer = raster.grid { rows = 160, cols = 200, crs = "EPSG:32633", bounds = { 500000, 4999200, 501000, 5000000 } }
  fails("the grids differ", { points = points }, image, raster.constant(finer, 1))
  local elsewhere = raster.grid { rows = 10, cols = 10, crs = "EPSG:32633", bounds = { 510000, 4999900, 510100, 5000000 } }
  fails("secondary must be an image that overlaps the reference", { points = points }, image, raster.constant(elsewhere, 1))
end)

test("images of other extents are matched by their places", function()
  local part = moved:crop { row = 10, col = 20, rows = 140, cols = 170 }
  local whole = correlation.ampcor(image, moved, with { points = { { 100, 80 } } })[1]
  local cut = correlation.ampcor(image, part, with { points = { { 100, 80 } } })[1]
  assert(cut.dx_px == whole.dx_px and cut.dy_px == whole.dy_px)
end)

test("complex images, and the numbers of ISCE2", function()
  local a = raster.open(shared("oracles/ampcor/speckle_ref.tif"))
  local b = raster.open(shared("oracles/ampcor/speckle_sec.tif"))
  local recorded = tables.read_csv(shared("oracles/ampcor/points_w128_s4_ovs64.csv"))
  local t = correlation.ampcor(a, b,
    { points = recorded, window = 128, search = 4, oversampling = 64, parity = "isce2" })
  for i = 1, #recorded do
    assert(t[i].dx_px == recorded[i].off_ac and t[i].dy_px == recorded[i].off_dn)
  end
end)

test("the simpler methods behind the same interface", function()
  local simple = { window = 32, search = 6, points = { { 80, 70 } } }
  for _, method in ipairs { "ncc", "phase" } do
    local t = correlation[method](image, moved, simple)
    assert(t[1].reason == "ok", method)
    assert_close(t[1].dx_px, 3, 0.02)
    assert_close(t[1].dy_px, -2, 0.02)
    local field = correlation[method](image, moved, { window = 32, search = 6, skip = 40 })
    assert(field.grid.cols == 5 and field.reason:read():totable()[2][3] == 0)
  end
  local parabola = correlation.ncc(image, moved, { window = 32, search = 6, points = { { 80, 70 } }, peak = "parabola", zero_mean = false })
  assert_close(parabola[1].dx_px, 3, 0.05)
  assert_error(function() correlation.ncc(image, moved, { peak = "sink" }) end, "did you mean \"sinc\"")
  assert_error(function() correlation.phase(image, moved, { window = 32, search = 16 }) end,
    "correlation%.phase: search must be below half the window, 16, got 16")
end)

test("velocities of any method carry its errors", function()
  local grid = raster.grid { crs = "EPSG:32611", origin = { 500000, 4000000 }, resolution = 20, rows = 96, cols = 96 }
  local a = raster.random(grid, { distribution = "smooth", scale = 4, seed = 5 }) + 0.2
  local b = a:shift { rows = 1, cols = 2 }
  for _, name in ipairs { "ampcor", "ncc", "phase" } do
    local field = correlation[name](a, b, { window = 32, search = 6, skip = 16 })
    local velocity = correlation.velocity(field, { days = 12, ground = false })
    local v, e, dx, std = velocity.vx:read(), velocity.vx_error:read(), field.dx_px:read(), field.dx_std_px:read()
    local seen = 0
    for r = 0, field.rows - 1 do
      for c = 0, field.cols - 1 do
        if dx:get(r, c) == dx:get(r, c) then
          -- 20 m pixels over 12 days, in metres a year.
          assert_close(v:get(r, c), dx:get(r, c) * 20 * 365.25 / 12, 1e-2)
          assert_close(e:get(r, c), std:get(r, c) * 20 * 365.25 / 12, 1e-2)
          seen = seen + 1
        end
      end
    end
    assert(seen > 5, name)
  end
end)
