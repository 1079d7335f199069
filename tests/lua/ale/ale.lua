local ale, raster, tables, filter, fs = require "ale", require "raster", require "tables", require "filter", require "fs"

local notebook = "seed/calval_cslc/ale_notebook/"

-- The grid of the notebook's image, from its own table: UTM = first centre + place · spacing.
local grid = raster.grid { crs = 32611, origin = { 392250, 3882360 }, resolution = { 5, 10 }, rows = 4800, cols = 20000 }

test("reflectors lie where the recorded notebook has them", function()
  local placed = ale.locate(ale.read_reflectors(shared(notebook .. "ALE_template_cell12_out0.csv")), grid)
  local record = tables.read_csv(shared(notebook .. "ALE_template_cell12_out0.csv"))
  assert(#placed == 12)
  for i = 1, #record do
    -- The record's latitudes have six digits, 0.1 m.
    assert_close(placed[i].map_x, record[i].UTMx, 0.1)
    assert_close(placed[i].x, record[i].xloc_float, 0.02)
    assert_close(placed[i].y, record[i].yloc_float, 0.02)
  end
end)

test("errors in range and azimuth are those recorded", function()
  local record = tables.read_csv(shared(notebook .. "ALE_template_cell16_out0.csv"))
  assert(#record == 8)
  for i = 1, #record do
    local row = record[i]
    local range, azimuth = ale.to_radar(row.ALE_EW, row.ALE_NS, row.los_east, row.los_north)
    assert_close(range, row.ALE_Rg, 1e-5)
    assert_close(azimuth, row.ALE_Az, 1e-5)
    local _, left = ale.to_radar(row.ALE_EW, row.ALE_NS, row.los_east, row.los_north, "left")
    assert_close(left, -azimuth, 1e-12)
  end
end)

test("both kinds of tables are read", function()
  assert(#ale.read_reflectors(shared "seed/calval_cslc/opera_crdata.csv") > 3)
  local table = ale.read_reflectors(shared "seed/calval_cslc/history/2021-01-06_1352_Rosamond-corner-reflectors.csv")
  assert(#table == 33, #table)
  assert(table[1].lat == 34.79696903 and table[1].side_m == 2.4384 and table[1].tilt_deg == 12.2)
  fs.write("none.csv", "a,b\n1,2\n")
  assert_error(function() ale.read_reflectors "none.csv" end, "no column for id %(such as \"Corner reflector ID\"%); it has a, b")
  fs.write("place.csv", "ID,lat,lon\n1,134,5\n")
  assert_error(function() ale.read_reflectors "place.csv" end, "row 1 has no place: lat 134")
end)

local image = raster.grid { crs = 32611, origin = { 400000, 3852000 }, resolution = { 5, 10 }, rows = 160, cols = 260 }
local at = raster.coordinates(image)
local function reflector(col, row, shift)
  local point = ((at.x - (400002.5 + 5 * col)):abs():lt(1) & (at.y - (3851995 - 10 * row)):abs():lt(1)):cast "float32"
  return filter.impulse_response(raster.complex(point * 1000, raster.constant(image, 0)), { shift = shift })
end
local function normal(seed) return raster.random(image, { distribution = "normal", seed = seed }) end
local clutter = filter.impulse_response(raster.complex(normal(1), normal(2)))
-- Reflectors at (90, 70) and (180, 80), seen 0.3 px (1.5 m) to the east and 0.2 px (2 m) to the south.
local slc = reflector(90, 70, { 0.2, 0.3 }) + reflector(180, 80, { 0.2, 0.3 }) + clutter

local function surveyed(col, row)
  local lon, lat = require("geometry").point(400002.5 + 5 * col, 3851995 - 10 * row, 32611):to_crs(4326):position()
  return { id = col, lat = lat, lon = lon }
end
local reflectors = tables.new { surveyed(90, 70), surveyed(180, 80), surveyed(5000, 80), surveyed(40, 120) }
local los = raster.bands(raster.constant(image, -0.58):rename "los_east", raster.constant(image, -0.11):rename "los_north")

test("planted errors are found", function()
  local found = ale.measure(slc, reflectors, { los = los })
  assert(#found == 3, #found)
  for i = 1, 2 do
    assert(found[i].reason == "ok", found[i].reason)
    assert_close(found[i].east_m, 1.5, 0.05)
    assert_close(found[i].north_m, -2, 0.1)
    local range, azimuth = ale.to_radar(1.5, -2, -0.58, -0.11)
    assert_close(found[i].range_m, range, 0.06)
    assert_close(found[i].azimuth_m, azimuth, 0.1)
  end
  -- Where there is no reflector, clutter does not pass for one.
  assert(found[3].reason ~= "ok", found:to_csv())
end)

test("corrections are taken out", function()
  local found = ale.measure(slc, reflectors, { los = los, corrections = { east = 1.5, north = { -2, -2, 0, 0 } } })
  assert_close(found[1].east_m, 0, 0.05)
  assert_close(found[2].north_m, 0, 0.1)
  local plain = ale.measure(slc, reflectors, { los = los })
  local delayed = ale.measure(slc, reflectors, { los = los, corrections = { range = 0.4, azimuth = -0.1 } })
  assert_close(plain[1].range_m - delayed[1].range_m, 0.4, 1e-9)
  assert_close(plain[1].azimuth_m - delayed[1].azimuth_m, -0.1, 1e-9)
end)

test("wrong input is named", function()
  assert_error(function() ale.measure(slc, tables.new { surveyed(5000, 80) }) end, "none of the 1 reflectors lies inside")
  assert_error(function() ale.measure(slc, reflectors, { corrections = { east = { 1 } } }) end, "a list of one for each of the 4")
  assert_error(function() ale.measure(slc, reflectors, { corrections = { est = 1 } }) end, "did you mean `corrections%.east`")
  assert_error(function() ale.to_radar(1, 1, 1, 1, "up") end, "look must be \"right\" or \"left\"")
end)
