-- Vectors in another projection, against PROJ's own meridian convergences (tests/reference/itslive.py turns).
local raster, itslive, geometry = require "raster", require "itslive", require "geometry"

-- Longitude, latitude, the CRS that (300, -120) is in, another, the place there, and the vector there.
local turns = {
  { -49.3, 69.15, 32622, 3413, -171167.17904917785, -2276450.581651356, 286.1052654853823, -150.14585262849897 },
  { -45.1, 61.2, 32623, 3413, -5558.111261946818, -3184559.940158128, 299.97408678434556, -120.06476276534238 },
  { -100.5, -75.0, 32714, 3031, -1611341.6615974654, -298644.52461886604, 71.31128604462361, 315.1423495543909 },
  { 15.2, 78.9, 32633, 3413, 1046573.8917911941, -599378.5192671944, 253.91000039406103, 199.82420198736668 },
  { -140.0, 60.2, 32607, 3413, -3287452.1577394893, 287614.7956860425, -150.04123864203976, -286.16014171572266 },
  { 77.0, 35.5, 32643, 32644, 137130.91451524332, 3935855.959669747, 292.14576588313366, -138.02482195807127 },
  { -65.0, -68.0, 3031, 32720, 416402.61140467116, 2455782.719426861, 28.458978076122932, -321.85413865113304 },
  { 179.9, -78.0, 32760, 3031, 2283.62891559221, -1308421.6598129761, -305.7540009394131, 104.47244090927214 },
}

local function around(crs, x, y)
  return raster.grid { crs = crs, origin = { x - 45, y + 45 }, resolution = 10, rows = 9, cols = 9 }
end

test("vectors are turned by the difference of the convergences", function()
  for _, case in ipairs(turns) do
    local lon, lat, from, to, x, y, vx, vy = table.unpack(case)
    local px, py = geometry.point(lon, lat):to_crs(from):position()
    local here = around(from, px, py)
    local image = raster.bands(
      raster.constant(here, 300):rename "vx", raster.constant(here, -120):rename "vy", raster.constant(here, 300 ^ 2 + 120 ^ 2):sqrt():rename "v")
    local there = around(to, x, y):resample(10)
    local found = itslive.rotate(image:set_unit "m/yr", there)
    local a, b, v = found:read():get(4, 4)
    assert_close(a, vx, 0.02)
    assert_close(b, vy, 0.02)
    assert_close(v, math.sqrt(300 ^ 2 + 120 ^ 2), 1e-3)
    assert(found.units.vx == "m/yr" and found.grid:matches(there))
  end
end)

test("there and back is what it was", function()
  local polar = raster.grid { crs = 3413, origin = { -200000, -2250000 }, resolution = 120, rows = 60, cols = 60 }
  local at = raster.coordinates(polar)
  local image = raster.bands(
    ((at.x + 200000) / 10):set_unit "m/yr":rename "vx", ((at.y + 2250000) / 10):set_unit "m/yr":rename "vy"):cast "float32"
  local utm = itslive.rotate(image, polar:reproject { crs = 32622, resolution = 120 })
  local back = itslive.rotate(utm, polar)
  local away = (back - image):crop { row = 20, col = 20, rows = 20, cols = 20 }:abs():stats()
  assert(away.vx.count == 400 and away.vx.max < 1 and away.vy.max < 1, away.vx.max .. " " .. away.vy.max)
end)

test("whole pixels move without a change", function()
  local grid = raster.grid { crs = 3413, origin = { 0, 0 }, resolution = 120, rows = 6, cols = 6 }
  local image = raster.bands(raster.random(grid):rename "vx", raster.random(grid, { seed = 2 }):rename "vy")
  local part = raster.grid { like = grid, bounds = { 120, -600, 480, -240 } }
  local moved = itslive.rotate(image, part)
  assert((moved - image:crop { row = 2, col = 1, rows = 3, cols = 3 }):stats().vx.max == 0)
end)

test("coordinates in another CRS are PROJ's, with their derivatives", function()
  for _, case in ipairs(turns) do
    local lon, lat, from, to, x, y = table.unpack(case)
    local px, py = geometry.point(lon, lat):to_crs(from):position()
    local here = around(from, px, py)
    local there = raster.coordinates(here, { crs = to, derivatives = true }):read()
    local ax, ay, dx_dx, dx_dy, dy_dx, dy_dy = there:get(4, 4)
    assert_close(ax, x, 1e-3)
    assert_close(ay, y, 1e-3)
    local bx, by = there:get(3, 6) -- 20 m to the east, 10 m to the north
    assert_close(bx, ax + 20 * dx_dx + 10 * dx_dy, 1e-3)
    assert_close(by, ay + 20 * dy_dx + 10 * dy_dy, 1e-3)
    local degrees = raster.coordinates(here, { crs = 4326 }):read()
    local a, b = degrees:get(4, 4)
    assert_close((a - lon + 180) % 360 - 180, 0, 1e-8)
    assert_close(b, lat, 1e-8)
  end
end)

test("longitudes go on over the antimeridian", function()
  local x, y = geometry.point(180, -78):to_crs(3031):position()
  local grid = around(3031, x, y)
  local d = raster.coordinates(grid, { crs = 4326, derivatives = true }):select "dx_dx":stats().dx_dx
  assert(d.count == 81 and d.max - d.min < 1e-3 * math.abs(d.mean), ("%g %g"):format(d.min, d.max))
end)

test("grids without a CRS have no other coordinates", function()
  assert_error(function() raster.coordinates(raster.grid { rows = 2, cols = 2 }, { crs = 4326 }) end, "no CRS")
end)
