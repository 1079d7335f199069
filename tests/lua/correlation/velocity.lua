local raster, correlation = require "raster", require "correlation"

local function offsets_on(crs, origin, size, dx, dy, std)
  local nodes = raster.grid { crs = crs, origin = origin, resolution = size, rows = 4, cols = 6 }
  local function band(name, v) return raster.constant(nodes, v):rename(name) end
  local image = raster.bands(band("dx_px", dx), band("dy_px", dy), band("dx_std_px", std or 0.1), band("dy_std_px", std or 0.1))
  return image:set("x_pixel_size", size / 16):set("y_pixel_size", -size / 16)
end

local year = { reference_time = "2019-01-01", secondary_time = "2020-01-01" } -- 365 days

test("offsets become metres a year, north up", function()
  -- UTM off its central meridian by 180 km: scale 1.0000, so that map and ground agree to a centimetre in 100 m.
  local v = correlation.velocity(offsets_on("EPSG:32645", { 500000, 3100000 }, 160, 3, -4), { days = 365.25, ground = false })
  assert(table.concat(v.bands, " ") == "vx vy v vx_error vy_error v_error" and v.units.v == "m/yr")
  local vx, vy, speed, ex, ey, e = v:read():get(1, 1)
  -- 10 m pixels: right 30 m, and 4 px up is north 40 m.
  assert_close(vx, 30, 1e-4)
  assert_close(vy, 40, 1e-4)
  assert_close(speed, 50, 1e-4)
  assert_close(ex, 1, 1e-5)
  assert_close(e, math.sqrt((30 * ex) ^ 2 + (40 * ey) ^ 2) / 50, 1e-5)
end)

test("times count, and their order", function()
  local forth = correlation.velocity(offsets_on("EPSG:32645", { 500000, 3100000 }, 160, 3, 0), {
    reference_time = "2019-01-01", secondary_time = "2019-07-02", ground = false,
  })
  assert_close(forth:read():get(0, 0), 30 * 365.25 / 182, 1e-3)
  local back = correlation.velocity(offsets_on("EPSG:32645", { 500000, 3100000 }, 160, 3, 0), {
    reference_time = "2019-07-02", secondary_time = "2019-01-01", ground = false,
  })
  assert_close(back:read():get(0, 0), -30 * 365.25 / 182, 1e-3)
  assert(forth:get "date_dt" == 182 and back:get "date_dt" == 182)
end)

test("the scale of the projection is divided out", function()
  -- On the central meridian of UTM a ground metre is 0.9996 of the map's.
  local utm = correlation.velocity(offsets_on("EPSG:32645", { 500000, 3100000 }, 160, 10, 0), { days = 365.25 })
  assert_close(utm:read():get(1, 0), 100 / 0.9996, 1e-2)
  -- At the South Pole of EPSG:3031 the scale is (1 + sin 71°) / 2 = 0.97276.
  local pole = correlation.velocity(offsets_on("EPSG:3031", { -480, 320 }, 160, 0, -10), { days = 365.25 })
  local _, north = pole:read():get(1, 2)
  assert_close(north, 100 / 0.97276, 0.05)
  -- A thousandth of a degree at 60° N: 55.80 m east, 111.41 m north.
  local degrees = correlation.velocity(offsets_on("EPSG:4326", { 10, 60.03 }, 0.016, 1, -1), { days = 365.25 })
  local east, up, speed = degrees:read():get(1, 1)
  assert_close(east, 55.80, 0.1)
  assert_close(up, 111.41, 0.1)
  assert_close(speed, math.sqrt(55.8 ^ 2 + 111.41 ^ 2), 0.15)
end)

test("what still ground seems to move is taken off", function()
  local nodes = raster.grid { crs = "EPSG:32645", origin = { 500000, 3100000 }, resolution = 160, rows = 20, cols = 20 }
  local here = raster.coordinates(nodes)
  local moving = here.x:gt(501600)
  local noise = raster.random(nodes, { distribution = "normal", seed = 4 }):rename "n"
  local dx = (raster.where(moving, 12, 2) + noise * 0.2):rename "dx_px"
  local dy = (raster.where(moving, -7, 1) + noise * 0.1):rename "dy_px"
  local std = raster.constant(nodes, 0.01)
  local offsets = raster.bands(dx, dy, std:rename "dx_std_px", std:rename "dy_std_px")
    :set("x_pixel_size", 10):set("y_pixel_size", -10)
  local v = correlation.velocity(offsets, { days = 365.25, ground = false, stable = moving:eq(0) })
  assert(v:get "stable_count" == 200)
  assert_close(v:get "stable_shift_vx", 20, 0.6)
  assert_close(v:get "stable_shift_vy", -10, 0.3)
  assert_close(v:get "stable_rmse_vx", 2, 0.3)
  assert_close(v:get "stable_nmad_vy", 1, 0.25)
  local fast = v:mask(moving):stats()
  assert_close(fast.vx.mean, 100, 0.7)
  assert_close(fast.vy.mean, 80, 0.4)
  -- The error of still ground is larger than the nodes' own.
  assert_close(fast.vx_error.mean, v:get "stable_rmse_vx", 1e-4)
end)

test("without deviations there are no errors, and one alone is a mistake", function()
  local offsets = offsets_on("EPSG:32645", { 500000, 3100000 }, 160, 3, 0)
  local bare = correlation.velocity(offsets:select("dx_px", "dy_px"), { days = 365.25, ground = false })
  local vx, _, _, ex, ey, e = bare:read():get(1, 1)
  assert_close(vx, 30, 1e-4)
  assert(ex ~= ex and ey ~= ey and e ~= e)
  assert_error(function() correlation.velocity(offsets:select("dx_px", "dy_px", "dx_std_px"), { days = 365.25 }) end, "dy_std_px")
end)

test("what makes no velocity is said", function()
  local offsets = offsets_on("EPSG:32645", { 500000, 3100000 }, 160, 3, 0)
  local function said(pattern, options, of)
    assert_error(function() correlation.velocity(of or offsets, options) end, pattern)
  end
  said("reference_time is missing", nil)
  said("secondary_time is missing", { reference_time = "2020-01-01" })
  said("secondary_time must be another time", { reference_time = "2020-01-01", secondary_time = "2020-01-01" })
  said("days must be a number other than 0", { days = 0 })
  said("no band `dx_px`", year, offsets:rename("a", "b", "c", "d"))
  said("do not say how large", year, raster.bands(offsets.dx_px, offsets.dy_px):set("x_pixel_size", 0))
  said("stable must lie on the grid", { days = 1, stable = raster.constant(raster.grid { rows = 2, cols = 2 }, 1) })
  local calibrated = correlation.velocity(offsets, { days = 1, stable = offsets.dx_px:lt(0) })
  for _, wants in ipairs { function() calibrated:read() end, function() calibrated:get "stable_count" end } do
    assert_error(wants, "0 reliable offsets at its 0 nodes, fewer than min_stable = 10")
  end
  said("have no CRS", { days = 1 }, correlation.autorift(
    raster.random(raster.grid { rows = 64, cols = 64 }), raster.random(raster.grid { rows = 64, cols = 64 })))
  said("ground must be true on a grid in degrees", { days = 1, ground = false }, offsets_on("EPSG:4326", { 10, 60 }, 0.016, 1, 1))
end)
