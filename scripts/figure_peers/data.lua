-- What the figures show, as files that perilune and Python both read, in the folder where it runs: GeoTIFF and CSV of
-- `make_itslive_granules` and `make_s1_scenes`.
local raster, tables, fs, time = require "raster", require "tables", require "fs", require "time"

local pairs_of_images = tables.read "granules/granules.csv"
local speeds, flows = {}, {}
for i = 1, #pairs_of_images do
  local row = pairs_of_images[i]
  local path = "granules/" .. row.file
  local vx, vy = raster.open(path, { subdataset = "vx" }), raster.open(path, { subdataset = "vy" })
  local middle = time.add(row.reference, { days = row.date_dt // 2 }):sub(1, 10) .. "T00:00:00Z"
  local v = (vx ^ 2 + vy ^ 2):sqrt():rename "speed":set_unit "m/yr"
  speeds[i] = v:set("time", middle)
  flows[i] = raster.bands(vx:rename "vx", vy:rename "vy"):set_unit "m/yr":set("time", middle)
end
local stack = raster.stack(speeds)
raster.stack(flows):between("2015-01-01", "2016-01-01"):mean():write "flow.tif"
for i, year in ipairs { 2015, 2016, 2017 } do
  stack:between(year .. "-01-01", (year + 1) .. "-01-01"):mean():write(("speed_%d.tif"):format(year))
end

-- Along the middle of the tongue, and at one place of it.
local grid = speeds[1].grid
local west, south, east, north = table.unpack(grid.bounds)
local function at(column, row) return west + column * (east - west), north - row * (north - south) end
local x0, y0 = at(0.05, 0.5)
local x1, y1 = at(0.95, 0.5)
local along, series = { time = {}, distance_km = {}, speed = {} }, { time = {}, month = {}, speed = {}, error = {} }
local place = { { x = (x0 + x1) / 2, y = y0 } }
for i, v in ipairs(speeds) do
  local day = v.time:sub(1, 10)
  local line = v:profile({ { x0, y0 }, { x1, y1 } }, { step = 240 })
  for j = 1, #line do
    table.insert(along.time, day)
    table.insert(along.distance_km, line[j].distance_m / 1000)
    table.insert(along.speed, line[j].speed or 0 / 0)
  end
  local here = v:sample(place)[1].speed
  if here then
    table.insert(series.time, day)
    table.insert(series.month, tonumber(day:sub(6, 7)))
    table.insert(series.speed, here)
    table.insert(series.error, pairs_of_images[i].error)
  end
end
tables.new(along):write "along.csv"
tables.new(series):write "series.csv"

-- A scene in decibels, and hills under it.
for _, path in ipairs(fs.glob "scenes/*_VV.tif") do
  local power = raster.open(path)
  local vv = (power:log10() * 10):rename "VV":set_unit "dB"
  vv:write "vv.tif"
  local here, w, s, e, n = raster.coordinates(vv.grid), table.unpack(vv.grid.bounds)
  local x, y = (here.x - w) / (e - w), (here.y - s) / (n - s)
  local function hill(u, v, width, height) return (((x - u) ^ 2 + (y - v) ^ 2) * (-1 / width ^ 2)):exp() * height end
  local height = hill(0.75, 0.7, 0.25, 640) + hill(0.25, 0.2, 0.3, 380) + hill(0.2, 0.85, 0.2, 240) + x * 120 + 210
  height:rename "height":set_unit "m":write "height.tif"
end
